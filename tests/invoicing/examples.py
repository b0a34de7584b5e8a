"""Invoices for the tests of paper: a short one, a dense one, a long one, in several currencies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tallywatt.invoicing.invoice import Invoice, InvoiceKind
from tallywatt.invoicing.paper import InvoiceDocument, PaperParty, PaperPayment, PaperSession, PaperSite
from tallywatt.kernel.clock import Instant, parse_instant
from tallywatt.kernel.identity import InvoiceId, RatedId, SessionId
from tallywatt.metering.metered import Activity, ActivityChange, MeteredSession, Reading
from tallywatt.metering.session import Evidence, PayerKind
from tallywatt.rating.policy import STANDARD
from tallywatt.rating.read import read_tariff
from tallywatt.rating.results import RatedRows, price, rated_rows

if TYPE_CHECKING:
    from tallywatt.rating.tariff import Tariff

START = parse_instant("2018-08-24T14:12:00Z")
MINUTE = 60_000
HOUR = 3_600_000

CITY = PaperParty(
    name="Dundee Charging",
    address=("City Square", "Dundee DD1 3BY", "United Kingdom"),
    tax_id="GB 000 0000 00",
    contact="charging@dundee.example",
)
DRIVER = PaperParty(name="Driver D-0421", address=("12 Perth Road", "Dundee DD1 4LN"))
SITE = PaperSite(
    name="Greenmarket Multi-Storey",
    address=("Greenmarket", "Dundee DD1 4QB"),
    evse_id="GB*TWA*E51266*2",
    connector="2",
    current="ac",
    max_watts=22_000,
)


def day_tariff(currency: str = "GBP", tax_included: str = "YES") -> Tariff:
    """A day and a night price, an evening peak, idle time and a session fee."""
    day = {
        "start_time": "07:00",
        "end_time": "17:00",
        "day_of_week": ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"],
    }
    idle = {"type": "PARKING_TIME", "price": "6.00", "vat": 20, "step_size": 300}
    return read_tariff(
        {
            "id": "CITY-AC",
            "name": "City AC",
            "currency": currency,
            "tax_included": tax_included,
            "elements": [
                {"price_components": [{"type": "ENERGY", "price": "0.45", "vat": 20}], "restrictions": day},
                {
                    "price_components": [{"type": "ENERGY", "price": "0.60", "vat": 20}],
                    "restrictions": {"start_time": "17:00", "end_time": "19:00"},
                },
                {
                    "price_components": [
                        {"type": "ENERGY", "price": "0.35", "vat": 20},
                        {"type": "FLAT", "price": "0.50", "vat": 0},
                        idle,
                    ]
                },
            ],
        }
    )


def an_afternoon() -> MeteredSession:
    """15:12 to 18:40 in Dundee, the vehicle full at 18:05, gone at 18:52."""
    ticks = [(0, 0), (48, 5_120_000), (108, 11_904_000), (173, 18_375_000), (208, 18_375_000)]
    return MeteredSession(
        session_id=SessionId("0198f3c2-7a10-7cc3-9f5e-2a4be1d60421"),
        zone="Europe/London",
        started_at=START,
        energy_ended_at=Instant(START + 173 * MINUTE),
        transaction_ended_at=Instant(START + 208 * MINUTE),
        occupancy_ended_at=Instant(START + 220 * MINUTE),
        readings=tuple(Reading(Instant(START + at * MINUTE), energy) for at, energy in ticks),
        activities=(ActivityChange(Instant(START + 173 * MINUTE), Activity.SUSPENDED_EV),),
    )


def a_long_stay() -> MeteredSession:
    """Three weeks on one plug, charging slowly: a line for every change of price."""
    return MeteredSession(
        session_id=SessionId("0198f3c2-7a10-7cc3-9f5e-2a4be1d60422"),
        zone="Europe/London",
        started_at=START,
        transaction_ended_at=Instant(START + 20 * 24 * HOUR),
        readings=tuple(Reading(Instant(START + hour * HOUR), hour * 411_127) for hour in range(20 * 24 + 1)),
    )


def the_rows(session: MeteredSession, tariff: Tariff) -> RatedRows:
    """The rated rows of a session."""
    rated, amounts = price(session, tariff, STANDARD)
    return rated_rows(RatedId("R1"), session, rated, amounts, created_at=Instant(0), zone_data_version="2026b")


def an_invoice(rows: RatedRows, **changes: Any) -> Invoice:
    """The invoice of rated rows."""
    result = rows.result
    invoice = Invoice(
        invoice_id=InvoiceId("I1"),
        number="INV-2018-000123",
        series="INV",
        year=2018,
        sequence=123,
        kind=InvoiceKind.INVOICE,
        session_id=result.session_id,
        rated_id=result.rated_id,
        payer=PayerKind.CUSTOMER,
        payer_id="C1",
        issue_date="2018-08-24",
        issued_at=START,
        currency=result.currency,
        net_minor=result.net_minor,
        tax_minor=result.tax_minor,
        gross_minor=result.gross_minor,
        corrects_invoice_id=None,
    )
    return replace(invoice, **changes)


def a_document(session: MeteredSession | None = None, tariff: Tariff | None = None, **changes: Any) -> InvoiceDocument:
    """An invoice that was paid by card."""
    metered = session or an_afternoon()
    rows = the_rows(metered, tariff or day_tariff())
    invoice = an_invoice(rows, **changes.pop("invoice", {}))
    paid = PaperPayment("card", metered.ended_at, invoice.gross_minor, "pi_3PqX7f2eZvKYlo2C1gQwHh8a")
    document = InvoiceDocument(
        invoice=invoice,
        rated=rows,
        seller=CITY,
        buyer=DRIVER,
        site=SITE,
        session=PaperSession(
            session_id=metered.session_id,
            zone=metered.zone,
            started_at=metered.started_at,
            energy_ended_at=metered.energy_ended_at,
            transaction_ended_at=metered.transaction_ended_at,
            occupancy_ended_at=metered.occupancy_ended_at,
            milliwatt_hours=metered.milliwatt_hours,
            meter_start=10_234_567_000,
            meter_stop=10_234_567_000 + metered.milliwatt_hours,
            evidence=Evidence.METERED,
            token="Card ending 5C1A",
        ),
        payments=(paid,),
        link="https://charging.dundee.example/s/7HQ2-MX4K",
    )
    return replace(document, **changes)
