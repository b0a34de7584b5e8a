"""Pure: a tariff made ready to rate, once: whole-number weights, restrictions as plain tests, and where to cut periods.

Prices are exact without fractions: every amount of a tariff is a whole number over one denominator, because kWh in
milliwatt-hours and hours in milliseconds have the common multiple 18,000,000.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tallywatt.rating.period import DAY, ELAPSED, ENERGY, MILLIAMPS, TIME_OF_DAY, WATTS, ChargingPeriod
from tallywatt.rating.records import Dimension, Unit
from tallywatt.rating.tariff import MINUTES_PER_DAY, Restrictions, Tariff, restriction_data

if TYPE_CHECKING:
    from decimal import Decimal

MS_PER_MINUTE: Final = 60_000
MS_PER_DAY: Final = MINUTES_PER_DAY * MS_PER_MINUTE
COMMON: Final = 18_000_000
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_FOR_EVER: Final = 1 << 62
_EVERY_DAY: Final = 0b111_1111

_UNITS: Final = {
    Dimension.ENERGY: (Unit.MILLIWATT_HOURS, COMMON // 1_000_000, 1_000),
    Dimension.TIME: (Unit.MILLISECONDS, COMMON // 3_600_000, 1_000),
    Dimension.PARKING_TIME: (Unit.MILLISECONDS, COMMON // 3_600_000, 1_000),
    Dimension.FLAT: (Unit.TIMES, COMMON, 1),
}
"""Of each dimension: what a quantity counts, the common parts that one of it weighs, and how many a step of 1 has."""

Test = tuple[int, int, int, bool]
"""A fact's place in a period, the lowest value, the value that is too high, and whether to be within or outside of them."""


class Priced(NamedTuple):
    """One price component, ready to rate."""

    dimension: Dimension
    element_index: int
    price: Decimal
    tax_rate: Decimal | None
    tax: tuple[int, int] | None
    """The tax rate as a fraction of the net amount."""
    weight: int
    """The amount of one unit of quantity, in parts of the plan's denominator."""
    step: int
    """Block size in units of quantity; 0: by the unit."""
    tests: tuple[Test, ...]
    weekdays: int
    """Bit n: applies on weekday n."""
    unit: Unit
    reason: dict[str, Any]
    """The restrictions under which it applies, and its block: the parameters of the reason code."""
    always: bool
    """Whether it applies at any time."""


@dataclass(frozen=True, slots=True)
class Cuts:
    """At what a new period must begin for this tariff."""

    wall_clock: tuple[int, ...] = ()
    """Milliseconds since local midnight."""
    energy: tuple[int, ...] = ()
    elapsed: tuple[int, ...] = ()
    signals: bool = False
    """Whether power or current decide: then every reading begins a period."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A tariff, ready to rate."""

    energy: tuple[Priced, ...]
    time: tuple[Priced, ...]
    parking: tuple[Priced, ...]
    flat: tuple[Priced, ...]
    denominator: int
    cuts: Cuts


@lru_cache(maxsize=4096)
def plan_of(tariff: Tariff) -> Plan:
    """The plan of a tariff, compiled once for each version."""
    return compile_tariff(tariff)


def compile_tariff(tariff: Tariff) -> Plan:
    """Make a tariff ready to rate. What is priced for a reservation alone never applies to charging."""
    elements = [element for element in tariff.elements if element.restrictions.reservation is None]
    places = max((_places(one.price) for element in elements for one in element.components), default=0)
    priced: dict[Dimension, list[Priced]] = {dimension: [] for dimension in Dimension}
    for element in elements:
        tests = tuple(_tests(element.restrictions))
        weekdays = sum(1 << day for day in element.restrictions.days) or _EVERY_DAY
        for component in element.components:
            unit, factor, multiplier = _UNITS[component.dimension]
            reason = restriction_data(element.restrictions)
            if component.step_size > 1:
                reason["step_size"] = component.step_size
            priced[component.dimension].append(
                Priced(
                    dimension=component.dimension,
                    element_index=element.index,
                    price=component.price,
                    tax_rate=component.tax_rate,
                    tax=_tax_fraction(component.tax_rate),
                    weight=int(component.price.scaleb(places)) * factor,
                    step=component.step_size * multiplier,
                    tests=tests,
                    weekdays=weekdays,
                    unit=unit,
                    reason=reason,
                    always=not tests and weekdays == _EVERY_DAY,
                )
            )
    return Plan(
        energy=tuple(priced[Dimension.ENERGY]),
        time=tuple(priced[Dimension.TIME]),
        parking=tuple(priced[Dimension.PARKING_TIME]),
        flat=tuple(priced[Dimension.FLAT]),
        denominator=COMMON * 10**places,
        cuts=_cuts([element.restrictions for element in elements]),
    )


def pick(candidates: tuple[Priced, ...], period: ChargingPeriod, unknown_matches: bool) -> Priced | None:
    """The first component whose restrictions all hold; what is not known matches or not, as the policy says."""
    for one in candidates:
        if one.always:
            return one
        # 1970-01-01 was a Thursday, the fourth day of the week.
        if one.weekdays >> (period.day + 3) % 7 & 1:
            for place, low, high, within in one.tests:
                value = period[place]
                if (unknown_matches if value is None else low <= value < high) is not within:
                    break
            else:
                return one
    return None


def _tax_fraction(rate: Decimal | None) -> tuple[int, int] | None:
    return None if rate is None else (rate / 100).as_integer_ratio()


def _places(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int), "a price is a finite number"
    return max(0, -exponent)


def _tests(restrictions: Restrictions) -> list[Test]:
    tests: list[Test] = []
    window = _window(restrictions)
    if window is not None:
        start, end = window
        tests.append((TIME_OF_DAY, start, end, True) if start < end else (TIME_OF_DAY, end, start, False))
    if restrictions.start_date is not None or restrictions.end_date is not None:
        first = restrictions.start_date.toordinal() - _EPOCH_DAY if restrictions.start_date else -_FOR_EVER
        end_day = restrictions.end_date.toordinal() - _EPOCH_DAY if restrictions.end_date else _FOR_EVER
        tests.append((DAY, first, end_day, True))
    for place, low, high, scale in (
        (ENERGY, restrictions.min_milliwatt_hours, restrictions.max_milliwatt_hours, 1),
        (ELAPSED, restrictions.min_seconds, restrictions.max_seconds, 1000),
        (WATTS, restrictions.min_watts, restrictions.max_watts, 1),
        (MILLIAMPS, restrictions.min_milliamps, restrictions.max_milliamps, 1),
    ):
        if low is not None or high is not None:
            tests.append(
                (place, -_FOR_EVER if low is None else low * scale, _FOR_EVER if high is None else high * scale, True)
            )
    return tests


def _window(restrictions: Restrictions) -> tuple[int, int] | None:
    """The daily window in milliseconds; a missing bound is midnight; equal bounds mean the whole day."""
    start = restrictions.start_time or 0
    end = MINUTES_PER_DAY if restrictions.end_time is None else restrictions.end_time
    if start == end or (start == 0 and end == MINUTES_PER_DAY):
        return None
    return start * MS_PER_MINUTE, end * MS_PER_MINUTE


def _cuts(all_restrictions: list[Restrictions]) -> Cuts:
    wall_clock: set[int] = set()
    energy: set[int] = set()
    elapsed: set[int] = set()
    signals = False
    for one in all_restrictions:
        wall_clock.update(bound % MS_PER_DAY for bound in _window(one) or ())
        if one.days or one.start_date or one.end_date:
            wall_clock.add(0)
        energy.update(bound for bound in (one.min_milliwatt_hours, one.max_milliwatt_hours) if bound)
        elapsed.update(bound * 1000 for bound in (one.min_seconds, one.max_seconds) if bound)
        bounds = (one.min_watts, one.max_watts, one.min_milliamps, one.max_milliamps)
        signals = signals or any(bound is not None for bound in bounds)
    return Cuts(tuple(sorted(wall_clock)), tuple(sorted(energy)), tuple(sorted(elapsed)), signals)
