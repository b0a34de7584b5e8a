"""Two councils' real sessions, priced end to end under three tariffs, against a sheet that shares nothing with the engine.

The sheet knows of each session three figures: its start and its end in UTC minutes, and its energy. It has its own calendar,
its own rounding and no idea of periods. `python -m tests.rating.test_real_sessions` compares every session; the tests take
every twenty-fifth, from both files and all of the year.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.adapters.imports.read import read_sessions
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import SessionId
from tallywatt.metering.metered import MeteredSession, Reading
from tallywatt.rating.batch import price_records
from tallywatt.rating.cdr import ChargeRecord, RecordPeriod
from tallywatt.rating.columns import Terms, records_of
from tallywatt.rating.fields import Version
from tallywatt.rating.lint import lint
from tallywatt.rating.policy import STANDARD
from tallywatt.rating.rate import RatedSession
from tallywatt.rating.read import read_tariff
from tallywatt.rating.results import price

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tallywatt.adapters.imports.rows import NormalisedSession
    from tallywatt.rating.amounts import FixedAmounts
    from tallywatt.rating.tariff import Tariff

FOLDER = Path(__file__).with_name("real")
FILES = {"dundee-2018-06_2018-09": (19_227, 17_800), "perth-kinross-2018-09_2019-08": (32_711, 30_000)}
"""Rows of each file, and how many of them are sessions at least."""
EVERY = 25
MINUTE = 60_000

# --- the tariffs, as an operator would write them ---


def component(kind: str, amount: str, step: int = 1) -> dict[str, Any]:
    """A price component with British tax."""
    return {"type": kind, "price": amount, "vat": 20, "step_size": step}


def tariff(reference: str, *elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A British tariff with prices that include tax."""
    return {"id": reference, "currency": "GBP", "tax_included": "YES", "elements": list(elements), **more}


PLAIN = tariff("plain", {"price_components": [component("ENERGY", "0.45"), component("FLAT", "1.00")]})
PEAK = tariff(
    "peak",
    {
        "price_components": [component("ENERGY", "0.55")],
        "restrictions": {
            "start_time": "07:00",
            "end_time": "20:00",
            "day_of_week": ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"],
        },
    },
    {"price_components": [component("ENERGY", "0.35")]},
)
TIERS = tariff(
    "tiers",
    {"price_components": [component("ENERGY", "0.60")], "restrictions": {"max_kwh": 20}},
    {"price_components": [component("ENERGY", "0.50")]},
    {"price_components": [component("TIME", "1.20", 900)], "restrictions": {"min_duration": 7200}},
    max_price={"after_taxes": 18},
)

# --- the sheet ---

FIRST = int(datetime(2018, 1, 1, tzinfo=UTC).timestamp()) // 60
MINUTES = 2 * 366 * 24 * 60
SUMMER = [("2018-03-25", "2018-10-28"), ("2019-03-31", "2019-10-27")]
"""British summer time, from a printed calendar: it begins and ends at 01:00 UTC."""


def utc_minute(day: str) -> int:
    """01:00 UTC of a day, in minutes since the sheet begins."""
    return int(datetime.fromisoformat(f"{day}T01:00:00+00:00").timestamp()) // 60 - FIRST


def peak_minutes() -> list[int]:
    """For each minute of two years: how many minutes before it were between 07:00 and 20:00 from Monday to Friday."""
    summers = [(utc_minute(begins), utc_minute(ends)) for begins, ends in SUMMER]
    peak = bytearray(MINUTES)
    for minute in range(MINUTES):
        local = minute + 60 if any(begins <= minute < ends for begins, ends in summers) else minute
        # The first of January 2018 was a Monday.
        peak[minute] = local // 1440 % 7 < 5 and 7 * 60 <= local % 1440 < 20 * 60
    return list(accumulate(peak, initial=0))


@dataclass(frozen=True)
class Row:
    """A line of the sheet."""

    start: int
    end: int
    kwh: Fraction


def plain(row: Row, _: list[int]) -> Fraction:
    """Energy and a fee."""
    return row.kwh * Fraction(45, 100) + 1


def peak(row: Row, before: list[int]) -> Fraction:
    """Energy, spread evenly over its minutes; a session of no length is priced by its first one."""
    length = row.end - row.start
    dear = Fraction(before[row.end] - before[row.start], length) if length else before[row.end + 1] - before[row.end]
    return row.kwh * (dear * Fraction(55, 100) + (1 - dear) * Fraction(35, 100))


def tiers(row: Row, _: list[int]) -> Fraction:
    """Twenty kilowatt-hours dearer, the rest cheaper, quarter hours after two, and never more than eighteen pounds."""
    energy = min(row.kwh, Fraction(20)) * Fraction(60, 100) + max(row.kwh - 20, Fraction(0)) * Fraction(50, 100)
    late = max(0, row.end - row.start - 120)
    return min(Fraction(18), energy + -(-late // 15) * Fraction(30, 100))


SHEETS: dict[str, tuple[Tariff, Callable[[Row, list[int]], Fraction]]] = {
    "plain": (read_tariff(PLAIN), plain),
    "peak": (read_tariff(PEAK), peak),
    "tiers": (read_tariff(TIERS), tiers),
}


def pence(pounds: Fraction) -> int:
    """Rounded, half a penny up."""
    return int(pounds * 100 + Fraction(1, 2))


# --- both beside each other ---


def sessions_of(name: str) -> tuple[NormalisedSession, ...]:
    """The sessions of a file."""
    return read_sessions(FOLDER / f"{name}.csv.gz").sessions


def metered(one: NormalisedSession) -> MeteredSession:
    """As the house meters it: all energy at the end, since nobody read the meter in between."""
    return MeteredSession(
        session_id=SessionId(one.upstream_id),
        zone=one.zone,
        started_at=one.started_at,
        transaction_ended_at=one.ended_at,
        readings=(Reading(one.ended_at, one.milliwatt_hours),),
    )


def row_of(one: NormalisedSession) -> Row:
    """As the sheet has it."""
    start, end = (at // MINUTE - FIRST for at in (one.started_at, one.ended_at))
    return Row(start, end, Fraction(one.milliwatt_hours, 1_000_000))


def difference(name: str, one: NormalisedSession, before: list[int]) -> str | None:
    """How the engine and the sheet differ about a session; None if they agree.

    Energy at a change of price is whole milliwatt-hours in the engine and a fraction in the sheet: less than a
    thousandth of a penny, which tells only where the sheet stands right at half a penny.
    """
    tariff_read, sheet = SHEETS[name]
    rated, amounts = price(metered(one), tariff_read, STANDARD)
    wanted = sheet(row_of(one), before)
    near = abs(rated.exact_total - wanted) < Fraction(1, 100_000)
    at_half = abs((wanted * 100) % 1 - Fraction(1, 2)) < Fraction(1, 1000)
    if near and (amounts.gross_minor == pence(wanted) or at_half) and adds_up(rated, amounts):
        return None
    return f"{one.upstream_id}: {rated.exact_total} and {amounts.gross_minor} p, the sheet has {wanted}"


def by_columns(name: str, sessions: Sequence[NormalisedSession]) -> list[str]:
    """How the prices by columns differ from the engine's: the same periods as the records of a partner."""
    terms = Terms(SHEETS[name][0], STANDARD, "Europe/London")
    rated = [price(metered(one), terms.tariff, STANDARD) for one in sessions]
    found = price_records(records_of([_record(one) for one, _ in rated]), [terms])
    assert found.priced_one_by_one == 0, "these are the usual tariffs"
    return [
        one.upstream_id
        for place, (one, (exact, amounts)) in enumerate(zip(sessions, rated, strict=True))
        if (found.price(place).total.after_taxes, found.price(place).gross_minor)
        != (exact.exact_after_taxes, amounts.gross_minor)
    ]


def _record(rated: RatedSession) -> ChargeRecord:
    """The periods of a session as those of a record."""
    periods = tuple(
        RecordPeriod(Instant(one.start), (), None, one.energy_to - one.energy_from, 0, one.end - one.start, *[None] * 6)
        for one in rated.periods
    )
    start, end = rated.periods[0].start, rated.periods[-1].end
    return ChargeRecord(rated.session_id, Version.OCPI_2_3_0, Instant(start), Instant(end), rated.currency, periods)


def adds_up(rated: RatedSession, amounts: FixedAmounts) -> bool:
    """Lines, taxes and total are one sum, and the tax is a sixth of the gross, rounded."""
    tax = int(Fraction(amounts.gross_minor, 6) + Fraction(1, 2))
    return (
        sum(line.gross_minor for line in amounts.lines) == amounts.gross_minor == amounts.net_minor + amounts.tax_minor
        and sum(line.tax_minor for line in amounts.lines) == amounts.tax_minor == tax
        and rated.priced_milliwatt_hours == rated.milliwatt_hours
    )


@pytest.fixture(scope="module")
def before() -> list[int]:
    return peak_minutes()


@pytest.mark.parametrize("name", FILES)
def test_real_sessions_cost_what_the_sheet_says(name: str, before: list[int]) -> None:
    """Each tariff asks something else of the engine: a sum, the clock and the calendar, tiers with blocks and a limit."""
    rows, least = FILES[name]
    found = read_sessions(FOLDER / f"{name}.csv.gz")
    assert len(found.rows) == rows
    assert len(found.sessions) > least
    differing = [
        said
        for one in found.sessions[::EVERY]
        for sheet in SHEETS
        if (said := difference(sheet, one, before)) is not None
    ]
    assert differing == []
    assert [one for sheet in SHEETS for one in by_columns(sheet, found.sessions[::EVERY])] == []


def test_the_three_tariffs_are_as_an_operator_would_write_them() -> None:
    """Lint has nothing to say against them."""
    assert [one.code for data in (PLAIN, PEAK, TIERS) for one in lint(data)] == []


def test_the_sheet_knows_the_days_on_which_the_clocks_change(before: list[int]) -> None:
    """07:00 in London is 06:00 UTC in summer; a Sunday has no peak at all."""
    monday, sunday = (utc_minute(day) - 60 for day in ("2018-10-29", "2018-10-28"))
    assert before[monday + 1440] - before[monday] == 13 * 60
    assert before[monday + 7 * 60] - before[monday] == 0
    assert before[sunday + 1440] - before[sunday] == 0
    summer = utc_minute("2018-06-11") - 60
    assert before[summer + 7 * 60] - before[summer] == 60


def main() -> None:
    """Compare every session of both files."""
    years = peak_minutes()
    for name in FILES:
        told = sessions_of(name)
        for sheet in SHEETS:
            differing = [said for one in told if (said := difference(sheet, one, years)) is not None]
            total = sum((Decimal(one.milliwatt_hours) for one in told), Decimal(0)) / 1_000_000
            print(f"{name}, {sheet}: {len(told)} sessions, {total} kWh, {len(differing)} differ")  # noqa: T201 - a tool for the terminal
            print(*differing[:20], sep="\n")  # noqa: T201 - the same
            print(f"  by columns: {len(by_columns(sheet, told))} differ")  # noqa: T201 - the same


if __name__ == "__main__":
    main()
