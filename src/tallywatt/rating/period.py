"""Pure: the charging period, which the segmenter makes and the pricer reads."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple


class Use(IntEnum):
    """What kind of time it is."""

    CHARGING = 0
    PARKING = 1
    NOTHING = 2
    """Time that nobody is charged for: the station was out of order, or withheld power (by policy)."""
    RESERVED = 3
    """Time in which the station was kept for somebody who had not come yet."""


class Assumed(IntEnum):
    """From what it is concluded that a vehicle asks for no power, where no status told it."""

    NOTHING = 0
    """Nothing is concluded: a status told what kind of time it is, or it is charging time."""
    ENERGY_ENDED = 1
    POWER_FELL = 2
    """It had taken less than the tariff says for as long as the tariff says."""


class ChargingPeriod(NamedTuple):
    """A stretch of a session in which nothing changes that matters to the price.

    It is also the facts against which restrictions are tested: a test names the place of its fact in this tuple.
    """

    start: int
    end: int
    energy_from: int
    """Milliwatt-hours delivered before it, since the session's start."""
    energy_to: int
    use: Use
    assumed: Assumed
    """From what parking is concluded."""
    time_of_day: int
    """Milliseconds since local midnight, at its start; in UTC where the tariff does not ask for the time."""
    day: int
    """Local days since 1970-01-01."""
    elapsed: int
    """Milliseconds since the session's start, at its start."""
    watts: int | None
    """The least in it; restrictions with a lower bound ask for this one."""
    milliamps: int | None
    most_watts: int | None = None
    """The most in it; restrictions with an upper bound ask for this one."""
    most_milliamps: int | None = None
    fed_back: int = 0
    """Milliwatt-hours that the vehicle gave; counted apart from what it took."""
    tariff: int = 0
    """Which of several tariffs holds in it; below zero: none."""
    month_from: int = 0
    """Milliwatt-hours that the payer took before it in the calendar month; told where the tariff asks for it."""


START: Final = ChargingPeriod._fields.index("start")
ENERGY: Final = ChargingPeriod._fields.index("energy_from")
TIME_OF_DAY: Final = ChargingPeriod._fields.index("time_of_day")
DAY: Final = ChargingPeriod._fields.index("day")
ELAPSED: Final = ChargingPeriod._fields.index("elapsed")
WATTS: Final = ChargingPeriod._fields.index("watts")
MILLIAMPS: Final = ChargingPeriod._fields.index("milliamps")
MOST_WATTS: Final = ChargingPeriod._fields.index("most_watts")
MOST_MILLIAMPS: Final = ChargingPeriod._fields.index("most_milliamps")
MONTH_ENERGY: Final = ChargingPeriod._fields.index("month_from")
TARIFF: Final = ChargingPeriod._fields.index("tariff")
SIGNALS: Final = frozenset({WATTS, MILLIAMPS, MOST_WATTS, MOST_MILLIAMPS})
