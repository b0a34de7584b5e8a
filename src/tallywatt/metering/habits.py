"""Pure: how a model of stations writes its registers, whatever it says: data, by which its figures are read aright."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tallywatt.metering.session import MeterReading

MOST_SCALE = 1_000_000


class Counts(StrEnum):
    """From when on a register counts."""

    LIFETIME = "lifetime"
    """It never falls: what falls is a dropout, or another meter."""
    BOOT = "boot"
    """It may fall to zero within a session, when the station restarts, and counts on from there."""
    SESSION = "session"
    """It begins at zero with each session: its figure is the session's energy, whatever the start says."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What is known of a model. The defaults are what the specification says."""

    counts: Counts = Counts.LIFETIME
    values_since_start: bool = False
    """Sampled values count from the session's start, while start and stop tell the register of the meter."""
    values_times: int = 1
    """Sampled values are to be multiplied by this: 1000 where kWh are called Wh."""
    values_over: int = 1
    """Sampled values are to be divided by this: 1000 where Wh are called kWh."""
    ends_times: int = 1
    """The same for the registers of start and stop."""
    ends_over: int = 1
    zero_is_nothing: bool = False
    """A register of zero was not read: a dropout, also as the first or the last one."""

    def __post_init__(self) -> None:
        factors = (self.values_times, self.values_over, self.ends_times, self.ends_over)
        assert all(0 < one <= MOST_SCALE for one in factors), "a scale is a whole number above zero"


AS_SPECIFIED = Habits()


@dataclass(frozen=True, slots=True)
class Profile:
    """To which stations habits belong: patterns of what they say at boot; the narrowest pattern wins."""

    vendor: str
    model: str
    firmware: str
    habits: Habits

    def fits(self, vendor: str | None, model: str | None, firmware: str | None) -> bool:
        """Whether a station is one of these."""
        pairs = ((self.vendor, vendor), (self.model, model), (self.firmware, firmware))
        return all(fnmatchcase((told or "").casefold(), pattern.casefold()) for pattern, told in pairs)

    @property
    def width(self) -> tuple[int, int]:
        """How much it leaves open: the fewer stars and the more letters, the narrower."""
        text = self.vendor + self.model + self.firmware
        return text.count("*"), -len(text)


def read_habits(told: Mapping[str, Any]) -> Habits:
    """Habits from their stored form; BadInput for what cannot be meant."""
    known = {one.name: one for one in fields(Habits)}
    unknown = sorted(told.keys() - known.keys())
    if unknown:
        msg = f"there is no habit {unknown[0]!r}"
        raise BadInput(msg, code="profiles.bad_habit", remedy=f"known are: {', '.join(known)}")
    values: dict[str, Any] = {}
    for name, value in told.items():
        default = known[name].default
        if isinstance(default, Counts):
            fits = value in {one.value for one in Counts}
            values[name] = Counts(value) if fits else None
        elif isinstance(default, bool):
            fits, values[name] = isinstance(value, bool), value
        else:
            fits = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST_SCALE
            values[name] = value
        if not fits:
            msg = f"{name} cannot be {value!r}"
            raise BadInput(msg, code="profiles.bad_habit")
    return Habits(**values)


def habits_of(profiles: Iterable[Profile], vendor: str | None, model: str | None, firmware: str | None) -> Habits:
    """The habits of a station; those of the specification where nobody knows better."""
    fitting = [one for one in profiles if one.fits(vendor, model, firmware)]
    return min(fitting, key=lambda one: one.width).habits if fitting else AS_SPECIFIED


@dataclass(frozen=True, slots=True)
class Registers:
    """What a session's registers say."""

    start: int | None
    readings: tuple[MeterReading, ...]
    stop: int | None


def read_aright(told: Registers, habits: Habits) -> Registers:
    """The registers as they are meant, by what is known of the model."""
    start = _scaled(told.start, habits.ends_times, habits.ends_over)
    stop = _scaled(told.stop, habits.ends_times, habits.ends_over)
    readings = tuple(_reading(one, habits) for one in told.readings)
    if habits.zero_is_nothing:
        readings = tuple(one for one in readings if one.register != 0)
        start, stop = start or None, stop or None
    if habits.counts is Counts.SESSION:
        return Registers(0, readings, stop)
    if habits.values_since_start and start is not None:
        readings = tuple(replace(one, register=one.register + start) for one in readings)
    return Registers(start, readings, stop)


def _reading(one: MeterReading, habits: Habits) -> MeterReading:
    register = _scaled(one.register, habits.values_times, habits.values_over)
    return one if register == one.register else replace(one, register=register or 0)


def _scaled(register: int | None, times: int, over: int) -> int | None:
    return None if register is None else register * times // over
