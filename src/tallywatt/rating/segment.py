"""Pure: from readings and activities to charging periods, cut at every moment that matters to the price.

Energy is known as one rising curve through the readings. A period's energy is the difference of the curve at its two
ends, so the periods always add up to the whole, to the milliwatt-hour, wherever they are cut.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from tallywatt.kernel.clock import zone
from tallywatt.metering.metered import Activity
from tallywatt.rating.period import Assumed, ChargingPeriod, Use
from tallywatt.rating.plan import MS_PER_DAY
from tallywatt.rating.policy import WithheldTime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.metering.metered import MeteredSession, Reading
    from tallywatt.rating.plan import Plan
    from tallywatt.rating.policy import Policy
    from tallywatt.rating.tariff import IdleBelow

_QUARTER: Final = 15 * 60_000
_MS_PER_HOUR: Final = 3_600_000
_SECOND: Final = timedelta(seconds=1)


class Stretch(NamedTuple):
    """From this instant on, until the next stretch."""

    at: int
    use: Use
    flows: bool
    """Whether energy flows: between two readings it is spread over these stretches."""
    assumed: Assumed
    """From what parking is concluded, because no status told it."""


Knot = tuple[int, int]
"""A point of the energy curve: an instant, and the milliwatt-hours delivered until then."""


def segment(
    session: MeteredSession, plan: Plan, policy: Policy, *, since: Knot | None = None, known: int = 0, month: int = 0
) -> list[ChargingPeriod]:
    """The charging periods of a session under a tariff, in order; at least one, even for a session of no length.

    `since`: only those from this cut on, what came before is settled. `known`: below this energy there are no cuts after
    it, though the readings that told so may be left out of the session (`live`). `month`: what the payer took before it in the
    calendar month, in milliwatt-hours.
    """
    start, end = session.started_at, session.ended_at
    stretches = _stretches(session, policy)
    knots = _curve(session, stretches)
    if plan.idle_below is not None:
        stretches = _by_power(session, stretches, knots, plan.idle_below)
    cuts = plan.cuts
    moments = {stretch.at for stretch in stretches if start < stretch.at < end}
    offsets = offsets_between(session.zone, start, end) if cuts.wall_clock else _UTC_ONLY
    if cuts.wall_clock:
        moments.update(_wall_clock_moments(cuts.wall_clock, offsets, start, end))
    if cuts.elapsed:
        moments.update(start + elapsed for elapsed in cuts.elapsed if start + elapsed < end)
    if cuts.instants:
        moments.update(cuts.instants[bisect_right(cuts.instants, start) : bisect_left(cuts.instants, end)])
    if cuts.signals:
        moments.update(reading.at for reading in session.readings if start < reading.at < end)
    energy = cuts.energy if not cuts.month else tuple(sorted({*cuts.energy, *(one - month for one in cuts.month)}))
    if since is None:
        points = _points(knots, sorted(moments), energy)
    else:
        thresholds = tuple(one for one in energy if one > since[1] and one >= known)
        points = [since, *(point for point in _points(knots, sorted(moments), thresholds) if point > since)]
        if since == knots[-1] == knots[0]:
            points.append(since)
    signals = _Signals(session) if cuts.signals else None
    periods = _periods(points, stretches, offsets, signals, start)
    return periods if not cuts.month else [one._replace(month_from=month + one.energy_from) for one in periods]


def reserved_periods(session: MeteredSession, plan: Plan) -> list[ChargingPeriod]:
    """The time for which the station was kept, until the session's start; cut where a reservation's price may change.

    Its clock is its own: durations count from the moment of the reservation.
    """
    start, end, cuts = session.reserved_at, session.started_at, plan.reservation_cuts
    if start is None or not plan.reserved or start > end:
        return []
    offsets = offsets_between(session.zone, start, end) if cuts.wall_clock else _UTC_ONLY
    moments = {start + elapsed for elapsed in cuts.elapsed if start + elapsed < end}
    if cuts.wall_clock:
        moments.update(_wall_clock_moments(cuts.wall_clock, offsets, start, end))
    points = [(at, 0) for at in (start, *sorted(moments), end)]
    return _periods(points, [Stretch(start, Use.RESERVED, False, Assumed.NOTHING)], offsets, None, start)


def _periods(
    points: list[Knot],
    stretches: list[Stretch],
    offsets: list[tuple[int, int]],
    signals: _Signals | None,
    first: int,
) -> list[ChargingPeriod]:
    periods: list[ChargingPeriod] = []
    stretch = zone_part = 0
    last_stretch, last_part = len(stretches) - 1, len(offsets) - 1
    watts = milliamps = None
    for (start, energy_from), (end, energy_to) in pairwise(points):
        while stretch < last_stretch and stretches[stretch + 1].at <= start:
            stretch += 1
        while zone_part < last_part and offsets[zone_part + 1][0] <= start:
            zone_part += 1
        _, use, _, assumed = stretches[stretch]
        day, time_of_day = divmod(start + offsets[zone_part][1], MS_PER_DAY)
        if signals is not None:
            watts, milliamps = signals.at(start)
        facts = (start, end, energy_from, energy_to, use, assumed, time_of_day, day, start - first)
        periods.append(ChargingPeriod(*facts, watts, milliamps, watts, milliamps))
    return periods


def _stretches(session: MeteredSession, policy: Policy) -> list[Stretch]:
    """How time is used, from the session's start. Without a status the vehicle charges until the energy's end."""
    start, end = session.started_at, session.ended_at
    transaction_end = session.transaction_ended_at
    energy_end = transaction_end if session.energy_ended_at is None else max(session.energy_ended_at, start)
    if not session.activities and energy_end >= transaction_end:
        plugged = [Stretch(start, Use.CHARGING, True, Assumed.NOTHING)]
        if end > transaction_end:
            plugged.append(Stretch(transaction_end, Use.PARKING, False, Assumed.NOTHING))
        return plugged
    changes = sorted(session.activities, key=lambda change: change.at)
    moments = {start, energy_end, transaction_end, *(change.at for change in changes)}
    stretches: list[Stretch] = []
    place, activity, since = 0, Activity.CHARGING, start - 1
    for moment in sorted(moments):
        while place < len(changes) and changes[place].at <= moment:
            activity, since = changes[place].activity, changes[place].at
            place += 1
        if not start <= moment <= end:
            continue
        stretch = _stretch(moment, activity, moment >= transaction_end, since < energy_end <= moment, policy)
        if not stretches or stretches[-1][1:] != stretch[1:]:
            stretches.append(stretch)
    return stretches


def _stretch(moment: int, activity: Activity, after_transaction: bool, energy_is_over: bool, policy: Policy) -> Stretch:
    if activity is Activity.INTERRUPTED:
        return Stretch(moment, Use.NOTHING, False, Assumed.NOTHING)
    if after_transaction or activity in _IDLE:
        return Stretch(moment, Use.PARKING, False, Assumed.NOTHING)
    if activity is Activity.SUSPENDED_EVSE:
        free = policy.withheld_time is WithheldTime.FREE
        return Stretch(moment, Use.NOTHING if free else Use.CHARGING, False, Assumed.NOTHING)
    if energy_is_over:
        return Stretch(moment, Use.PARKING, False, Assumed.ENERGY_ENDED)
    return Stretch(moment, Use.CHARGING, True, Assumed.NOTHING)


_IDLE: Final = frozenset({Activity.SUSPENDED_EV, Activity.FINISHING})


def _by_power(session: MeteredSession, stretches: list[Stretch], knots: list[Knot], rule: IdleBelow) -> list[Stretch]:
    """The stretches with what low power tells of idling, where the station does not tell it.

    A vehicle idles once it has taken less than the rule's power for as long as the rule says, until it takes more. A station
    that has told SuspendedEV once is believed for the whole session. Time in which power is withheld, or the station is out
    of order, says nothing about the vehicle: after it the wait begins anew. Where no reading follows, what was goes on.
    """
    if any(change.activity is Activity.SUSPENDED_EV for change in session.activities):
        return stretches
    found: list[Stretch] = []

    def tell(stretch: Stretch) -> None:
        if not found or found[-1][1:] != stretch[1:]:
            found.append(stretch)

    low_since: int | None = None
    ends = [*(one.at for one in stretches[1:]), session.ended_at]
    for stretch, end in zip(stretches, ends, strict=True):
        if not stretch.flows and not stretch.assumed:
            low_since = None
            tell(stretch)
            continue
        parts = list(_powers(session, knots, stretch, end, rule.watts, low_since is not None))
        if not parts:
            tell(stretch)
        for start, until, is_low in parts:
            low_since = (start if low_since is None else low_since) if is_low else None
            idle_at = until if low_since is None else max(low_since + rule.seconds * 1000, start)
            if start < idle_at or start == until:
                tell(Stretch(start, Use.CHARGING, True, Assumed.NOTHING))
            if idle_at < until:
                tell(Stretch(idle_at, Use.PARKING, False, Assumed.POWER_FELL))
    return found


def _powers(
    session: MeteredSession, knots: list[Knot], stretch: Stretch, end: int, watts: int, was_low: bool
) -> Iterator[tuple[int, int, bool]]:
    """The parts of a stretch between two readings, and whether the power was low in each: its mean, and what was told."""
    last = session.readings[-1].at if session.readings else session.started_at
    is_over = stretch.assumed is Assumed.ENERGY_ENDED
    for (at, energy), (next_at, next_energy) in pairwise(knots):
        start, until = max(at, stretch.at), min(next_at, end)
        if until < start or (until == start and next_energy == energy):
            continue
        if at >= last and next_energy == energy:
            was_low = was_low or is_over
        else:
            is_little = (next_energy - energy) * _MS_PER_HOUR < watts * (next_at - at) * 1000
            was_low = is_little and not _tells_more(session, at, next_at, watts)
        yield start, until, was_low


def _tells_more(session: MeteredSession, at: int, next_at: int, watts: int) -> bool:
    """Whether the station told as much power at either end of a part."""
    readings = session.readings
    before = bisect_right(readings, at, key=_moment_of) - 1
    after = bisect_left(readings, next_at, key=_moment_of)
    told = [readings[before].watts] if before >= 0 else []
    if after < len(readings) and readings[after].at == next_at:
        told.append(readings[after].watts)
    return any(one is not None and one >= watts for one in told)


def _moment_of(reading: Reading) -> int:
    return reading.at


def _curve(session: MeteredSession, stretches: list[Stretch]) -> list[Knot]:
    """The energy curve from the session's start to its end; a reading outside of them counts at the nearer end."""
    at, end, energy = session.started_at, session.ended_at, 0
    knots: list[Knot] = [(at, 0)]
    for reading in session.readings:
        if reading.at > at:
            at = min(reading.at, end)
        energy = reading.milliwatt_hours
        knots.append((at, energy))
    knots.append((end, energy))
    for stretch in stretches[1:]:
        place = bisect_left(knots, (stretch.at,))
        if knots[place][0] != stretch.at and knots[place][1] > knots[place - 1][1]:
            return _bend(knots, stretches)
    return knots


def _bend(knots: list[Knot], stretches: list[Stretch]) -> list[Knot]:
    """Spread the energy between two readings over the time in which it flows; over all of it where none is known to."""
    bent = [knots[0]]
    for before, after in pairwise(knots):
        (at, energy), (next_at, next_energy) = before, after
        inside = [one for one in stretches if at < one.at < next_at] if next_energy > energy else []
        if inside:
            flows = next(one.flows for one in reversed(stretches) if one.at <= at)
            spans = pairwise([(at, flows), *((one.at, one.flows) for one in inside), (next_at, False)])
            flowing = [(there, there - here if runs else 0) for (here, runs), (there, _) in spans]
            whole = sum(milliseconds for _, milliseconds in flowing)
            run = 0
            for there, milliseconds in flowing[:-1] if whole else ():
                run += milliseconds
                bent.append((there, energy + (next_energy - energy) * run // whole))
        bent.append(after)
    return bent


def _points(knots: list[Knot], moments: list[int], thresholds: tuple[int, ...]) -> list[Knot]:
    """Where to cut: every moment with the energy at it, every energy threshold with its moment, both ends."""
    first, last = knots[0], knots[-1]
    points: list[Knot] = []
    place = 0
    for moment in moments:
        while knots[place + 1][0] <= moment:
            place += 1
        (at, energy), (next_at, next_energy) = knots[place], knots[place + 1]
        points.append((moment, energy + (next_energy - energy) * (moment - at) // (next_at - at)))
    if thresholds:
        crossings = [_crossing(knots, threshold) for threshold in thresholds if 0 < threshold < last[1]]
        points = sorted({*points, *crossings})
    return [first, *(point for point in points if first != point != last), last]


def _crossing(knots: list[Knot], threshold: int) -> Knot:
    """When the curve reaches a threshold, at the latest in the millisecond in which it does."""
    (at, energy), (next_at, next_energy) = next(pair for pair in pairwise(knots) if pair[1][1] >= threshold)
    return at + (next_at - at) * (threshold - energy) // (next_energy - energy), threshold


# The location's wall clock

_UTC_ONLY: Final = [(0, 0)]


@lru_cache(maxsize=65_536)
def _offset(zone_name: str, quarter: int) -> int:
    """A zone's distance from UTC in a quarter of an hour, in milliseconds; no zone changes it in between."""
    there = datetime.fromtimestamp(quarter * 900, UTC).astimezone(zone(zone_name)).utcoffset()
    assert there is not None, "a zone has an offset at any time"
    return there // _SECOND * 1000


def local_time(zone_name: str, at: int) -> tuple[int, int]:
    """An instant on a zone's wall clock: the day since 1970-01-01, and milliseconds since midnight."""
    return divmod(at + _offset(zone_name, at // _QUARTER), MS_PER_DAY)


def offsets_between(zone_name: str, start: int, end: int) -> list[tuple[int, int]]:
    """From which instant on which offset holds: two across a change to or from summer time, one otherwise."""
    offsets = [(start, _offset(zone_name, start // _QUARTER))]
    before = start
    while before < end:
        after = min(before + MS_PER_DAY, end)
        offset = _offset(zone_name, after // _QUARTER)
        if offset != offsets[-1][1]:
            low, high = before // _QUARTER, after // _QUARTER
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if _offset(zone_name, middle) == offset else (middle, high)
            offsets.append((high * _QUARTER, offset))
        before = after
    return offsets


def _wall_clock_moments(times: tuple[int, ...], offsets: list[tuple[int, int]], start: int, end: int) -> list[int]:
    """The instants at which a local clock shows one of these times, and those at which it is put forward or back.

    In the hour that comes twice a time is met twice; in the hour that is left out it is passed at the change itself.
    """
    moments = [at for at, _ in offsets[1:]]
    ends = [at for at, _ in offsets[1:]] + [end]
    for (since, offset), until in zip(offsets, ends, strict=True):
        first_day, last_day = (since + offset) // MS_PER_DAY, (until + offset) // MS_PER_DAY
        for day in range(first_day, last_day + 1):
            for time in times:
                moment = day * MS_PER_DAY + time - offset
                if since <= moment < until:
                    moments.append(moment)
    return [moment for moment in moments if start < moment < end]


# Power and current


class _Signals:
    """Power and current as they were last told; power that was not told is the mean between two readings."""

    def __init__(self, session: MeteredSession) -> None:
        self._readings = session.readings
        self._place = -1

    def at(self, moment: int) -> tuple[int | None, int | None]:
        """Watts and milliamperes from this moment on; moments are asked in order."""
        readings = self._readings
        while self._place + 1 < len(readings) and readings[self._place + 1].at <= moment:
            self._place += 1
        if not readings:
            return None, None
        here = readings[max(self._place, 0)]
        watts = here.watts
        if watts is None and 0 <= self._place < len(readings) - 1:
            there = readings[self._place + 1]
            watts = (there.milliwatt_hours - here.milliwatt_hours) * 3600 // (there.at - here.at)
        return watts, here.milliamps
