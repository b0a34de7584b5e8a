"""Pure: whether a session's registers can be believed, what breaks the rules, and what may be billed instead.

`judge` never bills more by guessing than by reading: a proposal is the reading that is consistent with everything else the
station said, and the smallest of those; where none is, it is what was seen beyond doubt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from tallywatt.kernel.energy import wh
from tallywatt.metering.habits import AS_SPECIFIED, Counts, Habits, Registers, read_aright
from tallywatt.metering.measure import Flag, Measured, is_plausible, measure
from tallywatt.metering.metered import Reading as CurvePoint

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.metering.session import MeterReading

UNSEEN_MILLISECONDS = 5 * 60_000
"""A last value this near to the end is the end: stations sample once in five minutes at the longest."""
NO_CHARGE_MILLISECONDS = 60_000
"""A transaction this short may well have taken nothing that any register shows."""
STRONGEST_WATTS = 1_000_000
"""No EVSE of which the power is not known delivers more."""
POWER_DISAGREES_TIMES = 20
"""A register that shows so much less than the power that was told is in another unit."""
NOISE = 100_000
"""Milliwatt-hours that broken values may seem to count."""
LEAST_TO_DISAGREE = 500_000
"""Milliwatt-hours by power below which nothing follows from that."""


class Rule(StrEnum):
    """What a session must keep to."""

    NEVER_FALLS = "never_falls"
    """A register counts up; one that falls and stays down was reset, exchanged, or is in another unit."""
    WITHIN_POWER = "within_power"
    """No more than the EVSE can deliver in the time."""
    AGREES_WITH_POWER = "agrees_with_power"
    """About as much as the power that was told would give."""
    IS_MEASURED = "is_measured"
    """There is a register at the end, or near to it."""


class Reading(StrEnum):
    """How a proposal reads the registers."""

    AS_TOLD = "as_told"
    HABITS = "habits"
    """As this model is known to write them."""
    VALUES_SINCE_START = "values_since_start"
    VALUES_ARE_WH = "values_are_wh"
    """Called kWh, and are Wh."""
    VALUES_ARE_KWH = "values_are_kwh"
    ALL_ARE_KWH = "all_are_kwh"
    ALL_ARE_WH = "all_are_wh"
    ZERO_IS_NOTHING = "zero_is_nothing"
    PER_SESSION = "per_session"
    BEYOND_DOUBT = "beyond_doubt"
    """No reading is consistent: what was seen to flow without a break in the register, within the EVSE's power."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that a session breaks, in a sentence with the figures."""

    rule: Rule
    says: str


@dataclass(frozen=True, slots=True)
class Told:
    """All that is known of a session's energy."""

    started_at: Instant
    ended_at: Instant
    registers: Registers
    max_watts: int | None
    clock_is_usable: bool = True

    @property
    def milliseconds(self) -> int:
        """How long it was."""
        return self.ended_at - self.started_at


@dataclass(frozen=True, slots=True)
class Judged:
    """What the meter shows, which rules that breaks, and what is proposed to be billed."""

    measured: Measured
    """By the registers as they were told: what the audit finds too."""
    proposed: Measured
    by: Reading
    breaches: tuple[Breach, ...]
    """Of the reading that would be billed without a person; none: it may be."""
    undisputed: Measured
    """What flowed whichever way the registers are read: no more than was proposed, measured, or seen beyond doubt."""


def judge(told: Told, habits: Habits = AS_SPECIFIED) -> Judged:
    """Measure a session, and say whether that can be believed."""
    measured = _measured(told, told.registers)
    if habits != AS_SPECIFIED:
        aright = read_aright(told.registers, habits)
        believed, by = _measured(told, aright), Reading.HABITS
        breaches = _breaches(told, aright, believed, may_fall=habits.counts is Counts.BOOT)
    else:
        believed, by = measured, Reading.AS_TOLD
        breaches = _breaches(told, told.registers, believed)
    if not breaches:
        return Judged(measured, believed, by, (), believed)
    proposed, how = _proposal(told, believed, breaches)
    ways = [proposed, measured]
    if any(one.rule is not Rule.IS_MEASURED for one in breaches):
        ways.append(_beyond_doubt(told))
        if told.registers.stop is None:
            ways.append(_before_it_fell(told))
    return Judged(measured, proposed, how, breaches, min(ways, key=lambda one: one.milliwatt_hours))


def _measured(told: Told, registers: Registers) -> Measured:
    return measure(told.started_at, registers.start, registers.readings, told.ended_at, registers.stop)


def _breaches(told: Told, registers: Registers, measured: Measured, *, may_fall: bool = False) -> tuple[Breach, ...]:
    found: list[Breach] = []
    if Flag.METER_RESET in measured.flags and not may_fall:
        found.append(Breach(Rule.NEVER_FALLS, f"the register fell and stayed down; both counts show {_wh(measured)}"))
    elif told.clock_is_usable and not may_fall and (counted := _counted_below(told, registers)) > NOISE:
        says = f"the register fell below its first value, counted {wh(counted)} Wh there, and came above where it had fallen"
        found.append(Breach(Rule.NEVER_FALLS, says))
    watts = told.max_watts or STRONGEST_WATTS
    if told.clock_is_usable and not is_plausible(measured.milliwatt_hours, told.milliseconds, watts):
        minutes = told.milliseconds // 60_000
        says = f"{_wh(measured)} in {minutes} minutes is more than {watts} W can deliver"
        found.append(Breach(Rule.WITHIN_POWER, says))
    if (by_power := _by_power(registers)) > max(measured.milliwatt_hours * POWER_DISAGREES_TIMES, LEAST_TO_DISAGREE):
        says = f"the register shows {_wh(measured)}, and the power that was told about {wh(by_power)} Wh"
        found.append(Breach(Rule.AGREES_WITH_POWER, says))
    if (unseen := _unseen(told, registers)) is not None:
        found.append(Breach(Rule.IS_MEASURED, unseen))
    return tuple(found)


def _counted_below(told: Told, registers: Registers) -> int:
    """What the register counted after it had fallen to its first value or below, if it came back: a dropout counts nothing.

    One that is below from the beginning is written in another way than the ends, and these say enough.
    """
    points = [register for _, register in _points(replace(told, registers=registers))]
    if not points:
        return 0
    first = highest = points[0]
    counted, most, below = 0, 0, None
    for register in points[1:]:
        if register >= highest:
            most, counted, below, highest = max(most, counted), 0, None, register
        elif below is None:
            below = register if register <= first < highest else None
        elif register > below:
            counted, below = counted + register - below, register
    return most


def _wh(measured: Measured) -> str:
    return f"{wh(measured.milliwatt_hours)} Wh"


def _by_power(registers: Registers) -> int:
    """Milliwatt-hours that the lower of two neighbouring powers would have given."""
    told = sorted((one.occurred_at, one.watts) for one in registers.readings if one.watts is not None and one.watts > 0)
    return sum(min(first[1], then[1]) * (then[0] - first[0]) // 3600 for first, then in pairwise(told))


def _unseen(told: Told, registers: Registers) -> str | None:
    """What is said when nobody has seen how the energy went on to the end."""
    if registers.stop is not None and registers.stop >= 0:
        return None
    if told.milliseconds <= NO_CHARGE_MILLISECONDS:
        return None
    good = [one for one in registers.readings if one.register >= 0]
    if not good:
        return "no register was told but the first" if registers.start is not None else "no register was told at all"
    newest = max(good, key=lambda one: one.occurred_at)
    silent = told.ended_at - newest.occurred_at
    if silent <= UNSEEN_MILLISECONDS or newest.watts == 0:
        return None
    return f"no register was told for the last {silent // 60_000} minutes"


_ANOTHER_SHAPE: tuple[tuple[Reading, Habits], ...] = (
    (Reading.ZERO_IS_NOTHING, Habits(zero_is_nothing=True)),
    (Reading.VALUES_SINCE_START, Habits(values_since_start=True)),
    (Reading.VALUES_ARE_WH, Habits(values_over=1000)),
    (Reading.VALUES_ARE_KWH, Habits(values_times=1000)),
    (Reading.PER_SESSION, Habits(counts=Counts.SESSION)),
)
_HYPOTHESES: dict[Rule, tuple[tuple[Reading, Habits], ...]] = {
    Rule.NEVER_FALLS: _ANOTHER_SHAPE,
    Rule.WITHIN_POWER: (*_ANOTHER_SHAPE, (Reading.ALL_ARE_WH, Habits(values_over=1000, ends_over=1000))),
    Rule.AGREES_WITH_POWER: ((Reading.ALL_ARE_KWH, Habits(values_times=1000, ends_times=1000)),),
    Rule.IS_MEASURED: (),
}
"""What may be the matter when a rule is broken. A smaller unit makes everything plausible: it explains too much power alone."""


def _proposal(told: Told, believed: Measured, breaches: tuple[Breach, ...]) -> tuple[Measured, Reading]:
    """The consistent reading that shows the least; where only the end is missing, what was told; else what is beyond doubt."""
    if all(one.rule is Rule.IS_MEASURED for one in breaches):
        return believed, Reading.AS_TOLD
    for breach in breaches:
        consistent = [
            (found, by)
            for by, habits in _HYPOTHESES[breach.rule]
            if (found := _if_consistent(told, habits)) is not None
        ]
        if consistent:
            return min(consistent, key=lambda one: one[0].milliwatt_hours)
    return _beyond_doubt(told), Reading.BEYOND_DOUBT


def _if_consistent(told: Told, habits: Habits) -> Measured | None:
    """The session as it is if its registers are written like this, and all rules are kept then."""
    aright = read_aright(told.registers, habits)
    if aright == told.registers:
        return None
    found = _measured(told, aright)
    return None if Flag.METER_DROPOUT in found.flags or _breaches(told, aright, found) else found


def _beyond_doubt(told: Told) -> Measured:
    """The longest stretch in which the register never falls and never outruns the EVSE; nothing, when there is none."""
    watts = told.max_watts or STRONGEST_WATTS
    points = _points(told)
    first = 0
    best, begin, end = 0, 0, 0
    for place in range(1, len(points)):
        (before, low), (at, register) = points[place - 1], points[place]
        if register < low or not is_plausible(register - low, at - before, watts):
            first = place
        elif register - points[first][1] > best:
            best, begin, end = register - points[first][1], first, place
    if best == 0 or not is_plausible(best, told.milliseconds, watts):
        return Measured(0, (), (), None)
    base = points[begin][1]
    curve = tuple(CurvePoint(at, register - base) for at, register in points[begin : end + 1])
    return Measured(best, curve, (), points[end][0])


def _before_it_fell(told: Told) -> Measured:
    """What the register shows if it comes back with a value that is still to come: then it was never reset."""
    highest = told.registers.start or 0
    kept: list[MeterReading] = []
    for one in sorted(told.registers.readings, key=lambda one: (one.occurred_at, one.register)):
        if one.register >= highest:
            kept.append(one)
            highest = one.register
    return _measured(told, replace(told.registers, readings=tuple(kept)))


def _points(told: Told) -> list[tuple[Instant, int]]:
    """Every register that was told, in order of time."""
    registers = told.registers
    points = [(one.occurred_at, one.register) for one in registers.readings if one.register >= 0]
    points.sort()
    if registers.start is not None and registers.start >= 0:
        points.insert(0, (told.started_at, registers.start))
    if registers.stop is not None and registers.stop >= 0:
        points.append((told.ended_at, registers.stop))
    return points
