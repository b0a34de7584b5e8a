"""Pure: where an element applies, as a set that can be compared: the minutes of a week, and bounds on what else counts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tallywatt.rating.tariff import DAYS, MINUTES_PER_DAY, clock_text, plain

if TYPE_CHECKING:
    from tallywatt.rating.tariff import Restrictions

WEEK: Final = (1 << 7 * MINUTES_PER_DAY) - 1
"""A bit for each minute of a week, from Monday 00:00 on."""
_DAY: Final = (1 << MINUTES_PER_DAY) - 1
_FAR: Final = 1 << 62
EVERYWHERE: Final = (0, _FAR)
"""The bounds of what is not restricted."""
AXES: Final = ("date", "energy", "seconds", "milliamps", "watts", "month")
_SIGNALS: Final = (3, 4)
Bounds = tuple[tuple[int, int], ...]
"""Of each axis the lowest value and the one that is too high."""


class Reach(NamedTuple):
    """When an element applies."""

    week: int
    bounds: Bounds

    @property
    def is_everywhere(self) -> bool:
        """Whether it always applies."""
        return self.week == WEEK and not any(map(_limits, self.bounds))

    @property
    def asks_for_signals(self) -> bool:
        """Whether power or current decide, which not every station tells."""
        return any(_limits(self.bounds[axis]) for axis in _SIGNALS)

    def covers_bounds_of(self, other: Reach) -> bool:
        """Whether its bounds hold wherever the other's do; the week is not looked at."""
        return self.holds_in(other.bounds)

    def holds_in(self, cell: Bounds) -> bool:
        """Whether its bounds hold in all of a cell."""
        return all(low <= one and other <= high for (low, high), (one, other) in zip(self.bounds, cell, strict=True))

    def covers(self, other: Reach) -> bool:
        """Whether it applies wherever the other does."""
        return not other.week & ~self.week and self.covers_bounds_of(other)

    def meets(self, other: Reach) -> bool:
        """Whether there is a place where both apply."""
        return bool(self.week & other.week) and all(
            max(low, one) < min(high, two) for (low, high), (one, two) in zip(self.bounds, other.bounds, strict=True)
        )

    def shared_with(self, other: Reach) -> dict[str, Any]:
        """Where both apply, as restrictions in OCPI's words: the first window of it."""
        bounds = tuple(
            (max(low, one), min(high, two)) for (low, high), (one, two) in zip(self.bounds, other.bounds, strict=True)
        )
        return hole(bounds, self.week & other.week)


def _limits(bound: tuple[int, int]) -> bool:
    return bound != EVERYWHERE


def reach_of(limits: Restrictions) -> Reach:
    """Where restrictions let an element apply."""
    dates = (
        limits.start_date.toordinal() if limits.start_date else None,
        limits.end_date.toordinal() if limits.end_date else None,
    )
    pairs = (
        dates,
        (limits.min_milliwatt_hours, limits.max_milliwatt_hours),
        (limits.min_seconds, limits.max_seconds),
        (limits.min_milliamps, limits.max_milliamps),
        (limits.min_watts, limits.max_watts),
        (limits.min_month_milliwatt_hours, limits.max_month_milliwatt_hours),
    )
    return Reach(_week(limits), tuple((low or 0, _FAR if high is None else high) for low, high in pairs))


def _week(limits: Restrictions) -> int:
    day = _DAY
    if limits.start_time is not None or limits.end_time is not None:
        start = limits.start_time or 0
        end = MINUTES_PER_DAY if limits.end_time is None else limits.end_time
        window = _minutes(min(start, end), max(start, end))
        # A window that ends before it begins goes around midnight; one that ends when it begins is the whole day.
        day = window if start < end else _DAY & ~window
    return sum(day << number * MINUTES_PER_DAY for number in (limits.days or range(7)))


def _minutes(start: int, end: int) -> int:
    return (1 << end) - (1 << start)


def hole(cell: Bounds, week: int) -> dict[str, Any]:
    """A cell of bounds and a set of minutes as restrictions in OCPI's words: the first window, on all days that have it."""
    said: dict[str, Any] = {}
    if week != WEEK:
        days = [week >> number * MINUTES_PER_DAY & _DAY for number in range(7)]
        first = next(day for day in days if day)
        start = (first & -first).bit_length() - 1
        end = start + (~(first >> start) & (first >> start) + 1).bit_length() - 1
        window = _minutes(start, end)
        alike = [DAYS[number] for number, day in enumerate(days) if day & window == window]
        if len(alike) < 7:
            said["day_of_week"] = alike
        if (start, end) != (0, MINUTES_PER_DAY):
            said |= {"start_time": clock_text(start), "end_time": clock_text(end)}
    names = (("start_date", "end_date"), ("min_kwh", "max_kwh"), ("min_duration", "max_duration"),
             ("min_current", "max_current"), ("min_power", "max_power"), ("min_month_kwh", "max_month_kwh"))  # fmt: skip
    for axis, ((low, high), (least, most)) in enumerate(zip(cell, names, strict=True)):
        if low > 0:
            said[least] = _value(axis, low)
        if high < _FAR:
            said[most] = _value(axis, high)
    return said


def _value(axis: int, value: int) -> Any:
    match AXES[axis]:
        case "date":
            return date.fromordinal(value).isoformat()
        case "seconds":
            return value
        case "energy" | "month":
            return plain(Decimal(value).scaleb(-6))
        case _:
            return plain(Decimal(value).scaleb(-3))
