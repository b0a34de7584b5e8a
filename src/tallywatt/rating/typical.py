"""Pure: what typical sessions would cost under a tariff, by the one price function, whenever in a day they begin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel import clock
from tallywatt.kernel.money import currency
from tallywatt.rating.before import NOTHING, Before
from tallywatt.rating.example import Example, price_example
from tallywatt.rating.tariff import clock_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from tallywatt.rating.policy import Policy
    from tallywatt.rating.results import RatedRows
    from tallywatt.rating.tariff import Tariff

MILLIWATT_HOURS_PER_KWH: Final = 1_000_000
HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class Typical:
    """A session as many have it."""

    code: str
    """Which one it is; `own` for one that somebody made up."""
    start_minute: int
    """Of the local day."""
    milliwatt_hours: int
    charging_minutes: int
    idle_minutes: int = 0

    def example(self, day: date, zone: str, start_minute: int | None = None) -> Example:
        """It on a day, at its usual time or at another one."""
        minute = self.start_minute if start_minute is None else start_minute
        local = datetime.combine(day, time(minute // 60, minute % 60), clock.zone(zone))
        return Example(clock.instant(local), self.milliwatt_hours, self.charging_minutes, self.idle_minutes)


def _kwh(kilowatt_hours: int) -> int:
    return kilowatt_hours * MILLIWATT_HOURS_PER_KWH


TYPICAL: Final = (
    Typical("short_stop", 12 * 60, _kwh(8), 60),
    Typical("evening", 18 * 60, _kwh(20), 120, 30),
    Typical("overnight", 20 * 60, _kwh(40), 240, 420),
    Typical("workday", 8 * 60 + 30, _kwh(25), 150, 330),
    Typical("fast", 14 * 60, _kwh(30), 30),
    Typical("fast_and_stays", 14 * 60, _kwh(30), 30, 60),
    Typical("long_trip", 11 * 60, _kwh(55), 40, 5),
    Typical("broken_off", 9 * 60, MILLIWATT_HOURS_PER_KWH // 10, 2),
)
"""From a socket at the kerb to a fast charger at the motorway, and one that was given up at once."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """What a typical session would cost: at its usual time, and at the least and the most in the course of the day."""

    typical: Typical
    rows: RatedRows
    least_minor: int
    least_at: int
    """The first full hour at which it costs the least, in minutes of the day."""
    most_minor: int
    most_at: int


def simulate(
    tariff: Tariff,
    policy: Policy,
    zone: str,
    day: date,
    sessions: Iterable[Typical] = TYPICAL,
    before: Before = NOTHING,
) -> tuple[Simulated, ...]:
    """Each typical session on a day: priced, not estimated; for somebody who had `before` already."""
    found = []
    for one in sessions:
        by_hour = [
            (
                price_example(one.example(day, zone, hour * 60), tariff, policy, zone, before).result.gross_minor,
                hour * 60,
            )
            for hour in range(HOURS)
        ]
        rows = price_example(one.example(day, zone), tariff, policy, zone, before)
        least, most = min(by_hour), min(by_hour, key=lambda at: (-at[0], at[1]))
        found.append(Simulated(one, rows, *least, *most))
    return tuple(found)


def simulated_data(simulated: Iterable[Simulated]) -> list[dict[str, Any]]:
    """Simulated sessions as data: money in minor units beside its currency."""
    return [
        {
            "session": one.typical.code,
            "begins": clock_text(one.typical.start_minute),
            "kwh": _kwh_text(one.typical.milliwatt_hours),
            "charging_minutes": one.typical.charging_minutes,
            "idle_minutes": one.typical.idle_minutes,
            "currency": one.rows.result.currency,
            "gross_minor": one.rows.result.gross_minor,
            "net_minor": one.rows.result.net_minor,
            "gross_per_kwh": _per_kwh(one),
            "least_minor": one.least_minor,
            "least_at": clock_text(one.least_at),
            "most_minor": one.most_minor,
            "most_at": clock_text(one.most_at),
            "parts": [{"reason": line.reason_code, "gross_minor": line.gross_minor} for line in one.rows.lines],
            "warnings": list(one.rows.result.warnings),
        }
        for one in simulated
    ]


def _kwh_text(milliwatt_hours: int) -> str:
    whole, part = divmod(milliwatt_hours, MILLIWATT_HOURS_PER_KWH)
    return f"{whole}.{part:06d}".rstrip("0").rstrip(".")


def _per_kwh(one: Simulated) -> str | None:
    """All that is paid for each kilowatt-hour, in major units, to a tenth of a minor unit: to compare with, not to bill."""
    if not one.typical.milliwatt_hours:
        return None
    exponent = currency(one.rows.result.currency).exponent
    tenths = one.rows.result.gross_minor * 10 * MILLIWATT_HOURS_PER_KWH
    rounded = (2 * abs(tenths) + one.typical.milliwatt_hours) // (2 * one.typical.milliwatt_hours)
    whole, part = divmod(rounded, 10 ** (exponent + 1))
    return f"{'-' if tenths < 0 else ''}{whole}.{part:0{exponent + 1}d}"
