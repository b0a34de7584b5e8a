"""Pure: what a session costs while it runs: each reading is taken once, and the end is the price of `rate` to the last digit.

Cuts behind the last energy are settled: nothing that is heard later moves them. Periods up to there are kept, joined where
one price follows itself, and only what came after them is cut again. What is heard late, or ends earlier than it seemed, lets
everything be cut anew: dearer, and right.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.clock import Instant
from tallywatt.metering.metered import Activity, Reading
from tallywatt.rating.before import NOTHING, Before
from tallywatt.rating.plan import idles_free, pick, plan_of
from tallywatt.rating.policy import STANDARD, Interpolation, Policy, UnknownSignal
from tallywatt.rating.rate import RatedSession, price_periods
from tallywatt.rating.segment import reserved_periods, segment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tallywatt.metering.metered import ActivityChange, MeteredSession
    from tallywatt.rating.period import ChargingPeriod
    from tallywatt.rating.segment import Knot
    from tallywatt.rating.tariff import Tariff

_NO_POWER: Final = frozenset({Activity.SUSPENDED_EV, Activity.SUSPENDED_EVSE, Activity.INTERRUPTED, Activity.FINISHING})


class LiveRating:
    """The price of one session while it grows."""

    def __init__(
        self, begun: MeteredSession, tariff: Tariff, policy: Policy = STANDARD, before: Before = NOTHING
    ) -> None:
        """`begun`: all that is known so far; its ends do not matter yet. `before`: what the payer had before it."""
        self.before = before
        self.begun = replace(begun, readings=(), activities=(), energy_ended_at=None, occupancy_ended_at=None)
        self._transaction_ended_at: Instant | None = None
        self._occupancy_ended_at: Instant | None = None
        self.tariff = tariff
        self.policy = policy
        self.plan = plan_of(tariff)
        self._reserved = reserved_periods(begun, self.plan) if begun.reserved_at is not None else []
        self._readings: list[Reading] = []
        self._activities: list[ActivityChange] = []
        self._start_over()
        self.hear(begun.readings, begun.activities)

    @property
    def started_at(self) -> Instant:
        """When the session began."""
        return self.begun.started_at

    @property
    def heard_until(self) -> Instant:
        """The last moment that anything is known of."""
        told = [self.begun.started_at, *(one[-1].at for one in (self._readings, self._activities) if one)]
        return max([*told, *(one for one in (self._transaction_ended_at, self._occupancy_ended_at) if one is not None)])

    @property
    def readings(self) -> int:
        """How many were heard."""
        return len(self._readings)

    @property
    def activities(self) -> tuple[ActivityChange, ...]:
        """Those that were heard, in order of time."""
        return tuple(self._activities)

    @property
    def milliwatt_hours(self) -> int:
        """What was delivered by the last reading."""
        return self._readings[-1].milliwatt_hours if self._readings else 0

    @property
    def watts(self) -> int:
        """The power now: as told with the last reading, else the mean since the one before; none while it is withheld."""
        if not self._readings or (self._activities and self._activities[-1].activity in _NO_POWER):
            return 0
        last = self._readings[-1]
        if last.watts is not None:
            return max(0, last.watts)
        before = self._readings[-2] if len(self._readings) > 1 else Reading(self.begun.started_at, 0)
        passed = last.at - before.at
        return (last.milliwatt_hours - before.milliwatt_hours) * 3600 // passed if passed > 0 else 0

    def hear(self, readings: Iterable[Reading] = (), activities: Iterable[ActivityChange] = ()) -> None:
        """Take in what is new, in any order; energy never falls."""
        for reading in readings:
            if self._readings and _knot(reading) < _knot(self._readings[-1]):
                self._start_over()
            insort(self._readings, reading, key=_knot)
        for change in activities:
            is_late = change.at < self._anchor[0] or (self._activities and change.at < self._activities[-1].at)
            if is_late or (self.plan.idle_below is not None and change.activity is Activity.SUSPENDED_EV):
                # From a station that tells of idling, power says nothing: also not of what was before.
                self._start_over()
            insort(self._activities, change, key=lambda one: one.at)
        self._is_cut = False

    def end_transaction(self, at: Instant, energy_ended_at: Instant | None = None) -> None:
        """Charging is over; the vehicle may stay. When its energy ended is known only now."""
        self._transaction_ended_at = at
        self.begun = replace(self.begun, energy_ended_at=energy_ended_at)
        if min(at, at if energy_ended_at is None else energy_ended_at) < self._anchor[0]:
            self._start_over()

    def end_occupancy(self, at: Instant) -> None:
        """The vehicle has left."""
        self._occupancy_ended_at = at

    def so_far(self, at: Instant | None = None) -> RatedSession:
        """The price of what is known, as if the vehicle left at the last word, or at a later moment."""
        session = self._until(self.heard_until if at is None else max(at, self.heard_until))
        periods = self._cut(session)
        rated = self._price(session, periods)
        self._settle(periods)
        return rated

    def ended(self, session: MeteredSession) -> RatedSession:
        """The final price. `session` tells the ends; its readings and activities are those that were heard."""
        self.end_transaction(session.transaction_ended_at, session.energy_ended_at)
        bare = replace(session, readings=(), activities=())
        return self._price(bare, self._cut(bare))

    def imagined(self, until: Instant, watts: int) -> tuple[RatedSession, list[ChargingPeriod]]:
        """The price, and its periods, if all goes on as it does now until then at that power. Nothing is kept of it."""
        if not self._is_cut:
            self.so_far()
        session = self._until(until)
        energy = self.milliwatt_hours + watts * (until - self.heard_until) // 3600
        more = (Reading(until, energy, watts),) if watts else ()
        periods = self._cut(session, more)
        return self._price(session, periods, more), [*self._settled, *periods]

    def _until(self, until: Instant) -> MeteredSession:
        if self._transaction_ended_at is None:
            return replace(self.begun, transaction_ended_at=until)
        left = until if self._occupancy_ended_at is None else self._occupancy_ended_at
        return replace(self.begun, transaction_ended_at=self._transaction_ended_at, occupancy_ended_at=left)

    # How it is done

    def _start_over(self) -> None:
        start = self.begun.started_at
        self._settled: list[ChargingPeriod] = []
        self._keys: list[object] = []
        self._since: Knot = (start, 0)
        """The last settled cut."""
        self._anchor: Knot = (start, 0)
        """The last energy when it was settled, and since when it was known; it is the reading at `_place`."""
        self._place = 0
        self._is_cut = False

    def _cut(self, session: MeteredSession, more: tuple[Reading, ...] = ()) -> list[ChargingPeriod]:
        """The periods after what is settled, of a session without readings and activities."""
        since, signals = self._since, self.plan.cuts.signals
        if self.plan.idle_below is not None:
            # How long the power has been low may reach back behind any cut.
            readings, first, signals = self._readings, int(self.begun.started_at), True
        elif not self._settled and self._anchor == since:
            readings, first = self._readings, since[0]
        elif signals:
            place = max(bisect_right(self._readings, since, key=_knot) - 1, 0)
            readings = self._readings[place:]
            first = min(readings[0].at, since[0]) if readings else since[0]
        else:
            # The curve between the cut and the last energy has no cuts; a straight line does for it.
            readings = [Reading(Instant(since[0]), since[1]), *self._from_anchor()]
            first = since[0]
        place = max(bisect_right(self._activities, first, key=lambda one: one.at) - 1, 0)
        tail = replace(session, readings=(*readings, *more), activities=tuple(self._activities[place:]))
        known = 0 if signals else self._anchor[1]
        return segment(tail, self.plan, self.policy, since=since, known=known, month=self.before.month_milliwatt_hours)

    def _from_anchor(self) -> list[Reading]:
        """The reading that told the last settled energy, and what came after it; of a plateau its end is enough."""
        if self.milliwatt_hours == self._anchor[1]:
            return [self._readings[self._place], self._readings[-1]]
        return self._readings[self._place :]

    def _settle(self, periods: list[ChargingPeriod]) -> None:
        """Keep the periods that nothing can change any more: those before the last energy, but for the one that goes on."""
        self._is_cut = True
        if not self.milliwatt_hours:
            return
        self._place = bisect_left(self._readings, self.milliwatt_hours, key=lambda one: one.milliwatt_hours)
        self._anchor = max(self._readings[self._place].at, self.begun.started_at), self.milliwatt_hours
        for period in periods[:-1]:
            # Another reading of the same instant may still tell another power for what begins with it.
            if (period.end, period.energy_to) > self._anchor or period.start >= self._readings[-1].at:
                break
            self._keep(period)
            self._since = period.end, period.energy_to

    def _keep(self, period: ChargingPeriod) -> None:
        key = self._key(period)
        if self._settled and self._keys[-1] == key and self.policy.interpolation is Interpolation.ALLOWED:
            self._settled[-1] = self._settled[-1]._replace(end=period.end, energy_to=period.energy_to)
        else:
            self._settled.append(period)
            self._keys.append(key)

    def _key(self, period: ChargingPeriod) -> object:
        """What two periods must share to be priced alike as one and as two."""
        unknown = self.policy.unknown_signal is UnknownSignal.MATCHES
        plan = self.plan
        return (
            *(id(pick(one, period, unknown)) for one in (plan.energy, plan.time, plan.parking, plan.flat)),
            period.use,
            idles_free(plan, period),
            period.assumed,
            period.day,
            period.energy_to > period.energy_from,
            *(one is None for one in (period.watts, period.milliamps, period.most_watts, period.most_milliamps)),
        )

    def _price(
        self, session: MeteredSession, periods: list[ChargingPeriod], more: tuple[Reading, ...] = ()
    ) -> RatedSession:
        all_periods = [] if session.reservation_expired else [*self._settled, *periods]
        told = replace(session, readings=(*self._that_matter(), *more))
        return price_periods(told, self.tariff, self.policy, all_periods, self._reserved, self.before)

    def _that_matter(self) -> tuple[Reading, ...]:
        """The readings next to a cut, and those that came after all cuts: the others tell pricing nothing."""
        readings = self._readings
        places: set[int] = set()
        for period in self._settled:
            at = bisect_left(readings, period.end, key=lambda one: one.at)
            low = bisect_left(readings, period.energy_to, key=lambda one: one.milliwatt_hours)
            places.update((at, low - 1, low))
        places.update(range(self._place, len(readings)))
        return tuple(readings[place] for place in sorted(places) if 0 <= place < len(readings))


def _knot(reading: Reading) -> Knot:
    return reading.at, reading.milliwatt_hours
