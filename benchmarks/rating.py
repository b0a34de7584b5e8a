"""What a price costs: rating, fixing amounts, rows, sentences, and the invoice as PDF."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import count, pairwise
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.figure import Figure, cpu_microseconds
from tallywatt.adapters.documents.papers import TypstPapers
from tallywatt.kernel.clock import Instant, parse_instant
from tallywatt.kernel.identity import RatedId, SessionId
from tallywatt.metering.metered import MeteredSession, Reading
from tallywatt.rating.amounts import fix_amounts
from tallywatt.rating.explain import sentence
from tallywatt.rating.plan import compile_tariff
from tallywatt.rating.rate import rate
from tallywatt.rating.read import read_tariff
from tallywatt.rating.results import rated_rows
from tests.invoicing.examples import a_document

TARIFF: dict[str, Any] = {
    "id": "T1",
    "currency": "GBP",
    "tax_included": "YES",
    "elements": [
        {
            "price_components": [
                {"type": "ENERGY", "price": 0.45, "vat": 20},
                {"type": "TIME", "price": 1.2, "vat": 20},
            ],
            "restrictions": {"start_time": "07:00", "end_time": "17:00"},
        },
        {
            "price_components": [{"type": "ENERGY", "price": 0.60, "vat": 20}],
            "restrictions": {"start_time": "17:00", "end_time": "19:00"},
        },
        {
            "price_components": [
                {"type": "ENERGY", "price": 0.35, "vat": 20},
                {"type": "PARKING_TIME", "price": 6, "vat": 20, "step_size": 300},
                {"type": "FLAT", "price": 1, "vat": 20},
            ]
        },
    ],
}
MINUTE = 60_000


def a_session() -> MeteredSession:
    """15:00 to 20:00 and an hour of idling, read at every change of price: 4 periods, 6 lines under TARIFF."""
    start = parse_instant("2026-11-24T15:00:00Z")
    ticks = [(0, 0), (60, 7_000_000), (120, 14_000_000), (240, 28_000_000), (300, 35_000_000)]
    return MeteredSession(
        session_id=SessionId("S1"),
        zone="Europe/London",
        started_at=start,
        transaction_ended_at=Instant(start + 300 * MINUTE),
        occupancy_ended_at=Instant(start + 360 * MINUTE),
        readings=tuple(Reading(Instant(start + at * MINUTE), energy) for at, energy in ticks),
    )


def plain_calculation(session: MeteredSession) -> Decimal:
    """The same job as one would write it first: dictionaries, aware datetimes and Decimals, and not a reason kept."""
    there = ZoneInfo(session.zone)
    start, stop, end = (
        datetime.fromtimestamp(at / 1000, UTC)
        for at in (session.started_at, session.transaction_ended_at, session.ended_at)
    )
    moments = {start, stop, end}
    day = start.astimezone(there).date()
    while day <= end.astimezone(there).date():
        for clock in ("07:00", "17:00", "19:00"):
            moment = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=there).astimezone(UTC)
            if start < moment < end:
                moments.add(moment)
        day += timedelta(days=1)
    total, parked = Decimal(0), Decimal(0)
    for here, until in pairwise(sorted(moments)):
        hours = Decimal((until - here).total_seconds()) / 3600
        idle = here >= stop
        parked += hours if idle else 0
        kwh = _energy_at(session, until) - _energy_at(session, here)
        total += kwh * price_at("ENERGY", here.astimezone(there)) if kwh else 0
        total += hours * price_at("PARKING_TIME" if idle else "TIME", here.astimezone(there))
    rest = -(parked * 3600) % 300 / 3600
    total += rest * price_at("PARKING_TIME", end.astimezone(there)) + price_at("FLAT", start.astimezone(there))
    return total.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _energy_at(session: MeteredSession, moment: datetime) -> Decimal:
    at = int(moment.timestamp() * 1000)
    for before, after in pairwise(session.readings):
        if before.at <= at <= after.at:
            share = Decimal(at - before.at) / (after.at - before.at)
            return (before.milliwatt_hours + (after.milliwatt_hours - before.milliwatt_hours) * share) / 1_000_000
    return Decimal(session.milliwatt_hours) / 1_000_000


def price_at(name: str, local: datetime) -> Decimal:
    """What TARIFF asks for a dimension at a local time, by the first element that matches."""
    clock = f"{local:%H:%M}"
    for element in TARIFF["elements"]:
        restrictions = element.get("restrictions", {})
        if restrictions.get("start_time", "00:00") <= clock < restrictions.get("end_time", "24:00"):
            for component in element["price_components"]:
                if component["type"] == name:
                    return Decimal(str(component["price"]))
    return Decimal(0)


def measure() -> list[Figure]:
    """The figures, CPU time of one core."""
    session, tariff = a_session(), read_tariff(TARIFF)
    rated = rate(session, tariff)
    assert (len(tariff.elements), len(rated.periods), len(rated.lines)) == (3, 4, 6)
    amounts = fix_amounts(rated)
    assert plain_calculation(session) == amounts.total.decimal, "both do the same job"
    rows = rated_rows(RatedId("R1"), session, rated, amounts, created_at=Instant(0), zone_data_version="")
    return [
        Figure(
            "price one session, reasons included",
            cpu_microseconds(lambda: rate(session, tariff), times=2000),
            "µs",
            60,
            "dictionaries, datetime and Decimal, no reasons",
            cpu_microseconds(lambda: plain_calculation(session), times=500),
        ),
        Figure("fix its amounts as integers", cpu_microseconds(lambda: fix_amounts(rated), times=2000), "µs"),
        Figure(
            "its rows, with the canonical input",
            cpu_microseconds(
                lambda: rated_rows(RatedId("R1"), session, rated, amounts, created_at=Instant(0), zone_data_version=""),
                times=2000,
            ),
            "µs",
        ),
        Figure(
            "its sentences",
            cpu_microseconds(lambda: [sentence(line, "Europe/London") for line in rows.lines], times=1000),
            "µs",
        ),
        Figure(
            "read and compile a tariff", cpu_microseconds(lambda: compile_tariff(read_tariff(TARIFF)), times=500), "µs"
        ),
        _paper(),
    ]


def _paper() -> Figure:
    papers, document, numbers = TypstPapers(), a_document(), count(1)
    papers.pdf(document)

    def print_another() -> None:
        number = next(numbers)
        invoice = replace(document.invoice, number=f"INV-2018-{number:06d}")
        site = replace(document.site, name=f"Greenmarket {number}")
        papers.pdf(replace(document, invoice=invoice, site=site, link=f"https://charging.example/s/{number}"))

    return Figure("an invoice as PDF/A-3", cpu_microseconds(print_another, times=10) / 1000, "ms", 60)
