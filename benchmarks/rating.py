"""What a price costs: rating, fixing amounts, rows, sentences, and the invoice as PDF."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from itertools import count
from typing import Any

from benchmarks.figure import Figure, cpu_microseconds
from tallywatt.adapters.documents.papers import TypstPapers
from tallywatt.kernel.clock import Instant, parse_instant
from tallywatt.kernel.identity import RatedId, SessionId
from tallywatt.metering.metered import MeteredSession, Reading
from tallywatt.rating.amounts import fix_amounts
from tallywatt.rating.explain import sentence
from tallywatt.rating.plan import compile_tariff
from tallywatt.rating.rate import RatedSession, rate
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


def plain_calculation(rated: RatedSession) -> Decimal:
    """What one would write first: dictionaries and Decimals over periods that are ready-made, without a reason."""
    total = Decimal(0)
    names = ("ENERGY", "TIME", "PARKING_TIME")
    for period in rated.periods:
        clock = f"{period.time_of_day // 3_600_000:02d}:{period.time_of_day // 60_000 % 60:02d}"
        volumes = {
            "ENERGY": Decimal(period.energy_to - period.energy_from) / 1_000_000,
            "TIME": Decimal(period.end - period.start) / 3_600_000 if period.use == 0 else Decimal(0),
            "PARKING_TIME": Decimal(period.end - period.start) / 3_600_000 if period.use == 1 else Decimal(0),
        }
        for name in names:
            for element in TARIFF["elements"]:
                restrictions = element.get("restrictions", {})
                if not restrictions.get("start_time", "00:00") <= clock < restrictions.get("end_time", "24:00"):
                    continue
                found = [one for one in element["price_components"] if one["type"] == name]
                if found:
                    amount = volumes[name] * Decimal(str(found[0]["price"]))
                    total += amount.quantize(Decimal("0.0001"), ROUND_HALF_UP)
                    break
    return total


def measure() -> list[Figure]:
    """The figures, CPU time of one core."""
    session, tariff = a_session(), read_tariff(TARIFF)
    rated = rate(session, tariff)
    assert (len(tariff.elements), len(rated.periods), len(rated.lines)) == (3, 4, 6)
    amounts = fix_amounts(rated)
    rows = rated_rows(RatedId("R1"), session, rated, amounts, created_at=Instant(0), zone_data_version="")
    return [
        Figure(
            "price one session, reasons included",
            cpu_microseconds(lambda: rate(session, tariff), times=2000),
            "µs",
            60,
            "dictionaries and Decimal, periods ready-made, no reasons",
            cpu_microseconds(lambda: plain_calculation(rated), times=2000),
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
