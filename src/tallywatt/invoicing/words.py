"""Pure: an invoice in words: every text that its paper prints, in the reader's language and the location's time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tallywatt.invoicing.german import GERMAN
from tallywatt.invoicing.invoice import InvoiceKind
from tallywatt.kernel.clock import local_date, moment, zone
from tallywatt.kernel.money import currency
from tallywatt.metering.session import Evidence
from tallywatt.rating import explain
from tallywatt.rating.records import Dimension, RatedLine, TaxBasis
from tallywatt.rating.tariff import plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tallywatt.invoicing.paper import InvoiceDocument, PaperParty, PaperSession, PaperSite

ENGLISH: Final[dict[str, str]] = {
    "title.invoice": "Invoice",
    "title.credit_note": "Credit note",
    "corrects": "Takes back invoice {number}",
    "replaces": "Stands for invoice {number}",
    "billed_to": "Billed to",
    "credited_to": "Credited to",
    "sold_by": "Sold by",
    "ad_hoc": "A driver without an account",
    "where": "Where",
    "when": "When",
    "meter": "Meter",
    "price": "Price",
    "paid": "Payment",
    "energy": "Energy",
    "duration": "Plugged in",
    "total": "Total",
    "net": "Net",
    "tax": "{tax} {rate}% on {net}",
    "no_tax": "Without {tax}",
    "tax_name.VAT": "VAT",
    "column.what": "What for",
    "column.quantity": "Quantity",
    "column.price": "Price",
    "column.tax": "{tax}",
    "column.gross": "Amount with {tax}",
    "column.net": "Amount without {tax}",
    "evse": "EVSE {evse}",
    "connector": "Connector {connector}",
    "power.ac": "AC",
    "power.dc": "DC",
    "power.up_to": "{current}, up to {kw} kW",
    "day": "Day",
    "started": "Started",
    "energy_ended": "Energy ended",
    "transaction_ended": "Stopped",
    "left": "Left",
    "token": "Started with",
    "meter_start": "Start",
    "meter_stop": "End",
    "delivered": "Delivered",
    "evidence.signed": "Signed by the meter",
    "evidence.signed_by": "Signed by meter {meter}, record {pages}, key {key}. The file to check it with is beside it.",
    "evidence.metered": "Read by the station from its meter",
    "evidence.reported": "As reported to us",
    "paid_by": "{method}, {date}",
    "given_back_by": "Given back: {method}, {date}",
    "method.card": "Card",
    "method.balance": "Prepaid balance",
    "method.transfer": "Bank transfer",
    "method.cash": "Cash",
    "method.external": "Paid elsewhere",
    "to_pay": "To pay",
    "to_pay_by": "To pay by {date}",
    "pay_to": "By bank transfer to {account}, reference {number}",
    "collected": "We collect it by direct debit, mandate {mandate}. There is nothing for you to do.",
    "off_debt": "Taken off what is owed",
    "replaced_by": "Invoice {number} stands for it",
    "overpaid": "Paid in excess",
    "nothing_to_pay": "Paid in full",
    "all_given_back": "Given back in full",
    "free": "Nothing to pay",
    "per_hour": "{price} / h",
    "per_kwh": "{price} / kWh",
    "session": "Session {session}",
    "link": "Readings and this invoice: {link}",
    "tax_id": "{tax} no. {id}",
    "page": "Page {page} of {pages}",
    "months": "January February March April May June July August September October November December",
    "short_months": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "date": "{day} {month} {year}",
    "money": "{minus}{sign}{digits}",
    "rate": "{rate}%",
    "zone.CET": "CET",
    "zone.CEST": "CEST",
}
LANGUAGES: Final[dict[str, dict[str, str]]] = {"en": ENGLISH, "de": GERMAN}
_SYMBOLS: Final = {"EUR": "€", "GBP": "£", "JPY": "¥", "USD": "$"}
_MINUS: Final = "−"


def words(locale: str) -> Mapping[str, str]:
    """The table of a locale's language; English where there is none."""
    return LANGUAGES.get(_language(locale), ENGLISH)


def _language(locale: str) -> str:
    return locale.replace("_", "-").split("-")[0].lower()


def money_text(minor: int, code: str, locale: str = "en") -> str:
    """A sum as printed: £12.40, −€0.05, ¥720, CHF 1,234.50; in German 12,40 €."""
    exponent = currency(code).exponent
    whole, part = divmod(abs(minor), 10**exponent)
    digits = f"{whole:,}" + (f".{part:0{exponent}d}" if exponent else "")
    return _signed(digits, code, locale, below_zero=minor < 0)


def _signed(digits: str, code: str, locale: str, *, below_zero: bool) -> str:
    """Digits with the sign of their currency, where the language puts it."""
    pattern = words(locale)["money"]
    sign = _SYMBOLS.get(code, code)
    if sign == code and pattern.endswith("{digits}"):
        sign += "\N{NO-BREAK SPACE}"
    return pattern.format(minus=_MINUS if below_zero else "", sign=sign, digits=explain.figure(digits, locale))


def day_text(iso_date: str, locale: str = "en") -> str:
    """A calendar day as printed: 24 August 2018."""
    year, month, day = iso_date.split("-")
    return _date(int(year), int(month), int(day), words(locale))


def _date(year: int, month: int, day: int, table: Mapping[str, str], months: str = "months") -> str:
    return table["date"].format(day=day, month=table[months].split()[month - 1], year=year)


def printed(document: InvoiceDocument) -> dict[str, Any]:
    """Every text of the paper, by its place: the template lays out and says nothing of its own."""
    # Prices are explained in more languages than papers are printed in; one paper speaks one of them.
    document = document if _language(document.locale) in LANGUAGES else replace(document, locale="en")
    invoice, table = document.invoice, words(document.locale)
    is_credit, tax_name = invoice.kind is InvoiceKind.CREDIT_NOTE, _tax_name(document, table)
    duration = explain.duration(document.session.ended_at - document.session.started_at, document.locale)
    return {
        "language": _language(document.locale),
        "title": table[f"title.{invoice.kind}"],
        "number": invoice.number,
        "date": day_text(invoice.issue_date, document.locale),
        "iso_date": invoice.issue_date,
        "corrects": _about(document, table),
        "seller": _party(document.seller, table, tax_name),
        "seller_label": table["sold_by"],
        "buyer": _party(document.buyer, table, tax_name) if document.buyer else None,
        "buyer_label": table["credited_to" if is_credit else "billed_to"],
        "ad_hoc": table["ad_hoc"],
        "facts": [
            [table["energy"], f"{explain.kwh_text(document.session.milliwatt_hours, locale=document.locale)} kWh"],
            [table["duration"], duration],
            [table["total"], money_text(invoice.gross_minor, invoice.currency, document.locale)],
        ],
        "where": {"label": table["where"], **_where(document.site, table, document.locale)},
        "when": {"label": table["when"], "rows": _when(document.session, table)},
        "meter": {"label": table["meter"], **_meter(document.session, table, document.locale)},
        "price": _price(document, table),
        "payment": _payment(document, table),
        "notes": [
            *([how] if (how := _how(document, table)) else []),
            *(explain.doubt(code, document.locale) for code in document.rated.result.warnings),
        ],
        "session": table["session"].format(session=document.session.session_id),
        "link": table["link"].format(link=document.link) if document.link else None,
        "page": table["page"],
    }


def _about(document: InvoiceDocument, table: Mapping[str, str]) -> str | None:
    """Which other paper it is about."""
    if document.corrects:
        return table["corrects"].format(number=document.corrects)
    return table["replaces"].format(number=document.replaces) if document.replaces else None


def _tax_name(document: InvoiceDocument, table: Mapping[str, str]) -> str:
    return table.get(f"tax_name.{document.tax_name}", document.tax_name)


def _party(party: PaperParty, table: Mapping[str, str], tax_name: str) -> dict[str, Any]:
    lines = list(party.address)
    if party.tax_id:
        lines.append(table["tax_id"].format(tax=tax_name, id=party.tax_id))
    if party.contact:
        lines.append(party.contact)
    return {"name": party.name, "lines": lines}


def _where(site: PaperSite, table: Mapping[str, str], locale: str) -> dict[str, Any]:
    plug = [table["evse"].format(evse=site.evse_id)] if site.evse_id else []
    if site.connector:
        plug.append(table["connector"].format(connector=site.connector))
    if site.current:
        current = table[f"power.{site.current}"]
        power = (
            table["power.up_to"].format(current=current, kw=explain.figure(_kilowatts(site.max_watts), locale))
            if site.max_watts
            else current
        )
        plug.append(power)
    return {"name": site.name, "lines": list(site.address), "plug": plug}


def _kilowatts(watts: int) -> str:
    return f"{watts // 1000}" if watts % 1000 == 0 else f"{watts / 1000:.1f}"


def _when(session: PaperSession, table: Mapping[str, str]) -> list[list[str]]:
    there = zone(session.zone)
    start = moment(session.started_at, there)
    rows = [[table["day"], _day(start, table)], [table["started"], f"{start:%H:%M} {_zone_name(start, table)}"]]
    stops = [
        ("energy_ended", session.energy_ended_at),
        ("transaction_ended", session.transaction_ended_at),
        ("left", session.occupancy_ended_at),
    ]
    shown = start
    for place, (label, at) in enumerate(stops):
        # An end that fell together with the next one is shown once, under the later name.
        if at is None or any(later == at for _, later in stops[place + 1 :]):
            continue
        here = moment(at, there)
        rows.append([table[label], _time(here, shown, table)])
        shown = here
    if session.token:
        rows.append([table["token"], session.token])
    return rows


def _day(at: datetime, table: Mapping[str, str]) -> str:
    return _date(at.year, at.month, at.day, table)


def _time(at: datetime, after: datetime, table: Mapping[str, str]) -> str:
    """The time of day, with the day where it is another one, and the zone's name where that has changed."""
    day = "" if after.date() == at.date() else f"{_date(at.year, at.month, at.day, table, 'short_months')}, "
    name = "" if after.utcoffset() == at.utcoffset() else f" {_zone_name(at, table)}"
    return f"{day}{at:%H:%M}{name}"


def _zone_name(at: datetime, table: Mapping[str, str]) -> str:
    """BST, CET; where the zone has digits for a name, its distance from UTC."""
    name = at.tzname() or ""
    return table.get(f"zone.{name}", name) if name.isalpha() else f"UTC{at:%z}"


def _meter(session: PaperSession, table: Mapping[str, str], locale: str) -> dict[str, Any]:
    rows = []
    for label, register in (("meter_start", session.meter_start), ("meter_stop", session.meter_stop)):
        if register is not None:
            rows.append([table[label], f"{explain.figure(_grouped(explain.kwh_text(register)), locale)} kWh"])
    rows.append([table["delivered"], f"{explain.kwh_text(session.milliwatt_hours, locale=locale)} kWh"])
    return {"rows": rows, "evidence": _evidence(session, table)}


def _evidence(session: PaperSession, table: Mapping[str, str]) -> str:
    signature = session.signature
    if signature is None:
        return table[f"evidence.{Evidence(session.evidence)}"]
    return table["evidence.signed_by"].format(
        meter=signature.meter_serial, pages=signature.pages.replace(" ", ", "), key=signature.fingerprint
    )


def _grouped(number: str) -> str:
    whole, point, part = number.partition(".")
    return f"{int(whole):,}{point}{part}"


def _price(document: InvoiceDocument, table: Mapping[str, str]) -> dict[str, Any]:
    invoice, code, locale = document.invoice, document.invoice.currency, document.locale
    tax_name = _tax_name(document, table)
    gross = document.tax_basis is TaxBasis.GROSS
    column = table["column.gross" if gross else "column.net"].format(tax=tax_name)
    taxes = []
    for tax in document.taxes:
        if tax.tax_rate is None:
            continue
        net = money_text(tax.net_minor, code, locale)
        label = table["tax"].format(tax=tax_name, rate=explain.figure(plain(tax.tax_rate), locale), net=net)
        taxes.append([label, money_text(tax.tax_minor, code, locale)])
    if not taxes:
        taxes.append([table["no_tax"].format(tax=tax_name), money_text(0, code, locale)])
    return {
        "label": table["price"],
        "columns": [
            table["column.what"],
            table["column.quantity"],
            table["column.price"],
            table["column.tax"].format(tax=tax_name),
            column,
        ],
        "lines": [_line(document, line, _places(document), table) for line in document.lines],
        "net": [table["net"], money_text(invoice.net_minor, code, locale)],
        "taxes": taxes,
        "total": [table["total"], money_text(invoice.gross_minor, code, locale)],
    }


def _places(document: InvoiceDocument) -> int:
    """So many decimal places that the quantities of energy stand below each other."""
    texts = [explain.kwh_text(line.quantity) for line in document.lines if line.dimension is Dimension.ENERGY]
    return max((len(text.partition(".")[2]) for text in texts), default=3)


def _line(document: InvoiceDocument, line: RatedLine, places: int, table: Mapping[str, str]) -> dict[str, str]:
    gross = document.tax_basis is TaxBasis.GROSS
    code, session = document.invoice.currency, document.session
    dated = local_date(session.started_at, session.zone) != local_date(session.ended_at, session.zone)
    return {
        "title": explain.title(line.reason_code, document.locale),
        "reason": explain.sentence(line, session.zone, document.locale, dated=dated),
        "quantity": explain.quantity(line, document.locale, places=places),
        "price": _unit_price(line, code, table, document.locale),
        "tax": "–" if line.tax_rate is None else _rate(plain(line.tax_rate), table, document.locale),
        "amount": money_text(line.gross_minor if gross else line.net_minor, code, document.locale),
    }


def _rate(rate: str, table: Mapping[str, str], locale: str) -> str:
    return table["rate"].format(rate=explain.figure(rate, locale))


def _unit_price(line: RatedLine, code: str, table: Mapping[str, str], locale: str) -> str:
    digits = explain.price_text(abs(line.unit_price), currency(code).exponent)
    price = _signed(digits, code, locale, below_zero=line.unit_price < 0)
    if line.dimension is Dimension.FLAT:
        return price
    return table["per_kwh" if line.dimension is Dimension.ENERGY else "per_hour"].format(price=price)


def _payment(document: InvoiceDocument, table: Mapping[str, str]) -> dict[str, Any]:
    code, there = document.invoice.currency, zone(document.session.zone)
    rows = []
    for payment in document.payments:
        label = table["paid_by" if payment.minor >= 0 else "given_back_by"]
        method = table.get(f"method.{payment.method}", payment.method)
        date = day_text(moment(payment.at, there).date().isoformat(), document.locale)
        rows.append(
            [
                label.format(method=method, date=date),
                payment.reference,
                money_text(payment.minor, code, document.locale),
            ]
        )
    return {"label": table["paid"], "rows": rows, "rest": _rest(document, table)}


def _rest(document: InvoiceDocument, table: Mapping[str, str]) -> list[str]:
    """The last word of the paper: what is still to be paid, or that nothing is."""
    owed, code = document.owed_minor, document.invoice.currency
    is_credit = document.invoice.kind is InvoiceKind.CREDIT_NOTE
    if owed == 0 and not document.invoice.gross_minor:
        return [table["free"], ""]
    if owed == 0:
        return [table["all_given_back" if is_credit else "nothing_to_pay"], ""]
    if document.replaced_by:
        return [table["replaced_by"].format(number=document.replaced_by), money_text(owed, code, document.locale)]
    if owed < 0:
        return [table["overpaid"], money_text(-owed, code, document.locale)]
    if is_credit or document.terms is None:
        return [table["off_debt" if is_credit else "to_pay"], money_text(owed, code, document.locale)]
    due = table["to_pay_by"].format(date=day_text(document.terms.due_on, document.locale))
    return [due, money_text(owed, code, document.locale)]


def _how(document: InvoiceDocument, table: Mapping[str, str]) -> str:
    """How to pay what was bought on invoice."""
    terms = document.terms
    if terms is None or document.owed_minor <= 0 or document.invoice.kind is InvoiceKind.CREDIT_NOTE:
        return ""
    if terms.mandate is not None:
        return table["collected"].format(mandate=terms.mandate)
    return table["pay_to"].format(account=terms.pay_to, number=document.invoice.number) if terms.pay_to else ""
