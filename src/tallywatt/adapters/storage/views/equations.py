"""The view behind the page of two equations: delivered = billed + explained, billed = captured - refunded + owed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, func, select

from tallywatt.adapters.storage.sums import standing
from tallywatt.adapters.storage.tables import customers, invoicing, ledger, machinery, metering, stations
from tallywatt.adapters.storage.views.asking import Question, Row, mine
from tallywatt.kernel.errors import NotFound
from tallywatt.ledger.chart import place_of
from tallywatt.payments.own_books import INVOICE
from tallywatt.payments.payment import TOP_UP
from tallywatt.reporting.equations import EnergyFigures, MoneyFigures, day_period

if TYPE_CHECKING:
    from datetime import date

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.sums import Place

Sums = dict["Place", int]
"""What is kept beside the rows, so that a page over a million of them reads some dozens."""

_operators = customers.OPERATORS.table
_inbox = metering.INBOX.table
_invoices = invoicing.INVOICES.table
_jobs = machinery.JOBS.table
_stations = stations.STATIONS.table
_connectors = stations.CONNECTORS.table
_transfers = ledger.TRANSFERS.table
_accounts = ledger.ACCOUNTS.table

RUNNING = ("active", "ended")
"""States in which energy is delivered and neither billed nor explained yet."""

_sign = case((_invoices.c.kind == "credit_note", -1), else_=1)

_INBOX = Question(select(func.count().label("open")).where(mine(_inbox), _inbox.c.state == "open"))
_FAILED = Question(select(func.count().label("failed")).where(mine(_jobs), _jobs.c.state == "failed"))
_STATIONS = Question(
    select(_stations.c.state, func.count().label("stations")).where(mine(_stations)).group_by(_stations.c.state)
)
_CONNECTORS = Question(
    select(_connectors.c.status, func.count().label("connectors"))
    .where(mine(_connectors))
    .group_by(_connectors.c.status)
)
# Revenue belongs to the day on which it was booked, also when the session is older; paper and entry are of one instant.
_REVENUE = Question(
    select(
        _invoices.c.currency,
        func.count().label("sessions"),
        func.sum(_sign * _invoices.c.gross_minor).label("gross_minor"),
        func.sum(_sign * _invoices.c.net_minor).label("net_minor"),
        func.sum(_sign * _invoices.c.tax_minor).label("tax_minor"),
    )
    .where(mine(_invoices), _invoices.c.issued_at >= bindparam("first"), _invoices.c.issued_at < bindparam("behind"))
    .group_by(_invoices.c.currency)
)
_ZONE = Question(select(_operators.c.zone, _operators.c.currency).where(mine(_operators)))


def overview(connection: Connection, operator_id: str, day: date | str | None = None) -> Row:
    """All figures of the operator. With a `day` (in the operator's zone), also the `revenue` that was booked on it.

    `energy`: delivered_wh = billed_wh + explained_wh + running_wh + unexplained_wh; `explained_by`: reason to Wh.
    `money`, by currency: billed_minor = captured_minor - refunded_minor + owed_minor, and suspense_minor, held_minor;
    on_account_minor: of what is owed, the part that was bought on invoice.
    """
    place = {"operator": operator_id}
    operator = _ZONE.first(connection, **place)
    if operator is None:
        msg = "there is no such operator"
        raise NotFound(msg, code="operators.not_found")
    sums = standing(connection, operator_id)
    money = _money(sums, operator["currency"])
    return {
        "energy": _energy(sums),
        "money": money,
        "sessions": _in_parts(sums, "sessions.count"),
        "invoices": sum(row["invoices"] for row in money.values()),
        "payments": _in_parts(sums, "payments.count"),
        "inbox_open": _one(_INBOX.first(connection, **place), "open"),
        "jobs_failed": _one(_FAILED.first(connection, **place), "failed"),
        "stations": {row["state"]: row["stations"] for row in _STATIONS.rows(connection, **place)},
        "connectors": {row["status"]: row["connectors"] for row in _CONNECTORS.rows(connection, **place)},
        "revenue": None if day is None else _revenue(connection, place, operator["zone"], day),
        "ledger_balanced": _balanced(sums),
    }


def session_counts(connection: Connection, operator_id: str) -> dict[str, int]:
    """How many sessions are in which state."""
    return _in_parts(standing(connection, operator_id), "sessions.count")


def payment_counts(connection: Connection, operator_id: str) -> dict[str, int]:
    """How many payments are in which state."""
    return _in_parts(standing(connection, operator_id), "payments.count")


def _in_parts(sums: Sums, figure: str, currency: str | None = None) -> dict[str, int]:
    """A figure by state, reason or kind, of one currency or of all."""
    found: dict[str, int] = {}
    for (name, part, code), amount in sorted(sums.items()):
        if name == figure and currency in (None, code):
            found[part] = found.get(part, 0) + amount
    return found


def _one(row: Row | None, name: str) -> int:
    return int(row[name]) if row is not None and row[name] is not None else 0


def _energy(sums: Sums) -> Row:
    by_state = _in_parts(sums, "sessions.milliwatt_hours")
    figures = EnergyFigures(
        delivered=sum(by_state.values()),
        billed=by_state.get("billed", 0),
        running=sum(by_state.get(state, 0) for state in RUNNING),
        explained_by=_in_parts(sums, "explanations.milliwatt_hours"),
    )
    return figures.as_json()


def _money(sums: Sums, currency: str) -> dict[str, Row]:
    codes = {code for name, _, code in sums if name in {"invoices.count", "payments.count"}}
    return {code: _in_currency(sums, code).as_json() for code in (currency, *sorted(codes - {currency}))}


def _in_currency(sums: Sums, code: str) -> MoneyFigures:
    def of(figure: str) -> int:
        return sum(_in_parts(sums, figure, code).values())

    return MoneyFigures(
        invoices=of("invoices.count"),
        billed=_signed(sums, "gross_minor", code),
        net=_signed(sums, "net_minor", code),
        tax=_signed(sums, "tax_minor", code),
        # What customers have paid in is for no invoice; what a session takes from it is counted when it is taken.
        captured=of("payments.captured_minor") - _in_parts(sums, "payments.captured_minor", code).get(TOP_UP, 0),
        refunded=of("payments.refunded_minor") - _in_parts(sums, "payments.refunded_minor", code).get(TOP_UP, 0),
        suspense=of("payments.suspense_minor"),
        held=sum(
            sign * _in_parts(sums, f"payments.{part}", code).get("authorised", 0) for part, sign in _ON_HOLD.items()
        ),
        allocated=_in_parts(sums, "allocations.amount_minor", code).get("invoice", 0),
        on_account=sum(
            sign * sums.get((f"customer_holds.{part}", INVOICE, code), 0) for part, sign in _OPEN_ITEMS.items()
        ),
    )


_ON_HOLD = {"authorised_minor": 1, "captured_minor": -1, "suspense_minor": -1}
"""What is held is what was, less what was taken of it in parts."""
_OPEN_ITEMS = {"taken_minor": 1, "returned_minor": -1, "settled_minor": -1}


def _signed(sums: Sums, amount: str, code: str) -> int:
    """What invoices ask for, less what credit notes give back."""
    parts = _in_parts(sums, f"invoices.{amount}", code)
    return sum(-minor if kind == "credit_note" else minor for kind, minor in parts.items())


def _revenue(connection: Connection, place: dict[str, Any], zone_name: str, day: date | str) -> Row:
    period = day_period(day, zone_name)
    rows = _REVENUE.rows(connection, **place, first=period.start, behind=period.end)
    return {
        "day": day if isinstance(day, str) else day.isoformat(),
        "by_currency": {row.pop("currency"): row for row in rows},
    }


ACCOUNT = select(_accounts.c.account_id, _accounts.c.code, _accounts.c.currency).where(mine(_accounts))
"""An account of the books, without what stands on it."""


def _posted(side: str) -> Question:
    return Question(
        select(func.sum(_transfers.c.amount_minor).label("minor")).where(
            mine(_transfers),
            _transfers.c[f"{side}_account_id"] == bindparam("account"),
            _transfers.c.phase.in_(("single", "post")),
        )
    )


_DEBITED, _CREDITED = _posted("debit"), _posted("credit")


def with_balances(connection: Connection, operator_id: str, rows: list[Row]) -> list[Row]:
    """Accounts with what was posted on either side, and the balance: debits less credits.

    What one payer owes is added up; what everybody's sessions stand on is kept beside the rows.
    """
    sums = standing(connection, operator_id)
    for row in rows:
        own = {"operator": operator_id, "account": row.pop("account_id")}
        if place_of(row["code"]) == row["code"]:
            place = (row["code"], row["currency"])
            debits, credited = (sums.get((f"transfers.{side}", *place), 0) for side in ("debits", "credits"))
        else:
            debits, credited = (_one(question.first(connection, **own), "minor") for question in (_DEBITED, _CREDITED))
        row |= {"debits_minor": debits, "credits_minor": credited, "balance_minor": debits - credited}
    return rows


def ledger_balanced(connection: Connection, operator_id: str) -> bool:
    """Whether the books add up to nothing, and to what invoices and payments say."""
    return _balanced(standing(connection, operator_id))


def _balanced(sums: Sums) -> bool:
    """By the sums that are kept; whether those are the sums of the rows is for the audit."""
    places: dict[tuple[str, str], int] = {}
    for (name, part, code), minor in sums.items():
        if name in _SIDES:
            kind = part.partition("/")[0]
            _add(places, "provider" if kind in AT_PROVIDERS else kind, code, _SIDES[name] * minor)
    expected: dict[tuple[str, str], int] = {}
    for code in {code for _, _, code in sums if code}:
        money = _in_currency(sums, code)
        kept = money.captured - money.refunded
        _add(expected, "revenue", code, -money.net)
        _add(expected, "tax", code, -money.tax)
        _add(expected, "receivable", code, money.billed - kept)
        _add(expected, "provider", code, kept)
    return sum(places.values()) == 0 and all(places.get(one, 0) == expected.get(one, 0) for one in {*places, *expected})


AT_PROVIDERS = (
    "clearing", "suspense", "fees", "transit", "exchange", "differences", "disputed", "losses",
    "prepaid", "on_account", "bank",
)  # fmt: skip
"""Where collected money stands and goes once a provider has it: settlements move it among these, and to nowhere else."""
_SIDES = {"transfers.debits": 1, "transfers.credits": -1}


def _add(into: dict[tuple[str, str], int], kind: str, currency: str, minor: int) -> None:
    into[kind, currency] = into.get((kind, currency), 0) + minor
