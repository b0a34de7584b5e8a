"""Tests of the price of a running session: told reading by reading, it ends at the price of the whole, to the last digit."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant
from tallywatt.metering.metered import Activity, ActivityChange, MeteredSession, Reading
from tallywatt.rating.live import LiveRating
from tallywatt.rating.policy import Interpolation, Policy, StepSize, UnknownSignal, WithheldTime
from tallywatt.rating.rate import RatedSession, rate
from tallywatt.rating.tariff import Tariff
from tests.rating.examples import (
    AN_INSTANT,
    HOUR,
    MINUTE,
    a_session,
    a_tariff,
    an_element,
    limited_tariffs,
    sessions,
    tariffs,
)

POLICIES = st.builds(
    Policy,
    interpolation=st.sampled_from(Interpolation),
    step_size=st.sampled_from(StepSize),
    unknown_signal=st.sampled_from(UnknownSignal),
    withheld_time=st.sampled_from(WithheldTime),
)


def without_periods(rated: RatedSession) -> RatedSession:
    """A price with all that it says of money; how finely it was cut is no part of it."""
    return replace(rated, periods=())


def told(session: MeteredSession) -> list[Reading | ActivityChange]:
    """All that is heard of a session, in order of time."""
    return sorted([*session.readings, *session.activities], key=lambda one: one.at)


def hear(live: LiveRating, one: Reading | ActivityChange) -> None:
    """Tell the session one thing."""
    if isinstance(one, Reading):
        live.hear([one])
    else:
        live.hear(activities=[one])


def so_far(session: MeteredSession, heard: list[Reading | ActivityChange], at: Instant) -> MeteredSession:
    """The session as it is known at a moment."""
    return replace(
        session,
        transaction_ended_at=at,
        energy_ended_at=None,
        occupancy_ended_at=None,
        readings=tuple(one for one in heard if isinstance(one, Reading)),
        activities=tuple(one for one in heard if isinstance(one, ActivityChange)),
    )


@settings(max_examples=60)
@given(session=sessions(), tariff=st.one_of(tariffs(), limited_tariffs()), policy=POLICIES, often=st.integers(1, 3))
def test_fed_reading_by_reading_the_end_is_the_price_of_the_whole(
    session: MeteredSession, tariff: Tariff, policy: Policy, often: int
) -> None:
    """The driver saw a figure grow; the invoice must not come from another sum, whatever was shown in between."""
    live = LiveRating(replace(session, readings=(), activities=()), tariff, policy)
    heard: list[Reading | ActivityChange] = []
    for place, one in enumerate(told(session)):
        hear(live, one)
        heard.append(one)
        if place % often == 0:
            known = so_far(session, heard, live.heard_until)
            assert without_periods(live.so_far()) == without_periods(rate(known, tariff, policy))
    assert without_periods(live.ended(session)) == without_periods(rate(session, tariff, policy))


@settings(max_examples=40)
@given(session=sessions(), tariff=tariffs(), policy=POLICIES, seed=st.integers())
def test_whatever_comes_late_the_end_is_the_same(
    session: MeteredSession, tariff: Tariff, policy: Policy, seed: int
) -> None:
    """Stations tell statuses after the readings they belong to, and queues give everything at once."""
    facts = told(session)
    heard = [one for one in facts if isinstance(one, Reading)]
    others = [one for one in facts if isinstance(one, ActivityChange)]
    chance = Random(seed)
    live = LiveRating(replace(session, readings=(), activities=()), tariff, policy)
    while heard or others:
        hear(live, heard.pop(0) if heard and (not others or chance.random() < 1 / 2) else others.pop(0))
        live.so_far()
    assert without_periods(live.ended(session)) == without_periods(rate(session, tariff, policy))


@settings(max_examples=40)
@given(session=sessions(), prices=st.lists(st.integers(0, 100), min_size=3, max_size=3))
def test_the_price_of_energy_never_falls_while_it_runs(session: MeteredSession, prices: list[int]) -> None:
    """True of what is sold and of fees, where no price is below zero. Time may become idle time afterwards, so not of time."""
    dear, late, plain = prices
    tariff = a_tariff(
        an_element(("ENERGY", dear), start_time="17:00", end_time="21:00"),
        an_element(("ENERGY", late), min_kwh=10),
        an_element(("ENERGY", plain), ("FLAT", 1)),
    )
    live = LiveRating(replace(session, readings=(), activities=()), tariff)
    before = live.so_far().exact_total
    for one in told(session):
        hear(live, one)
        now = live.so_far().exact_total
        assert before <= now
        before = now
    assert before <= live.ended(session).exact_total


NIGHT = a_tariff(
    an_element(("ENERGY", "0.25"), start_time="22:00", end_time="06:00"),
    an_element(("ENERGY", "0.45"), ("TIME", "1.20")),
)
BY_POWER = a_tariff(an_element(("ENERGY", "0.59"), min_power=20), an_element(("ENERGY", "0.45")))


def a_long_night(minutes: int) -> MeteredSession:
    """A reading each minute, and power that goes up and down now and then."""
    readings = tuple((minute * MINUTE, minute * 150_000) for minute in range(1, minutes + 1))
    session = a_session(*readings, ended=minutes * MINUTE)
    told = (replace(one, watts=9_000 + 15_000 * (place // 200 % 2)) for place, one in enumerate(session.readings))
    return replace(session, readings=tuple(told))


def test_what_is_cut_again_does_not_grow_with_the_session() -> None:
    """A night has a thousand readings and thousands of drivers look: each look must cost what is new, not all that was."""
    session = a_long_night(1200)
    for tariff in (NIGHT, BY_POWER):
        live = LiveRating(replace(session, readings=()), tariff)
        kept = []
        for reading in session.readings:
            live.hear([reading])
            kept.append(len(live.so_far().periods))
        assert without_periods(live.ended(session)) == without_periods(rate(session, tariff))
        assert max(kept) <= 12
        assert len(rate(session, BY_POWER).periods) == len(session.readings)


def test_what_is_told_of_the_past_is_priced_as_if_it_had_come_in_time() -> None:
    """A status of an hour ago arrives with the queue of a station that was offline."""
    session = a_session((20 * MINUTE, 4_000_000), (40 * MINUTE, 8_000_000), (HOUR, 9_000_000))
    live = LiveRating(replace(session, readings=()), NIGHT)
    live.hear(session.readings[::2])
    live.so_far()
    live.hear(session.readings[1:2])
    late = ActivityChange(Instant(AN_INSTANT + 10 * MINUTE), Activity.INTERRUPTED)
    live.hear(activities=[late])
    whole = replace(session, activities=(late,))
    assert without_periods(live.so_far()) == without_periods(rate(whole, NIGHT))
    assert live.readings == 3
    assert live.activities == (late,)


def test_an_end_before_the_last_energy_is_priced_from_the_start() -> None:
    """Stops are told late and with clocks of their own: then the readings after it count at the end."""
    session = a_session((20 * MINUTE, 4_000_000), (40 * MINUTE, 8_000_000), ended=30 * MINUTE)
    live = LiveRating(replace(session, readings=()), NIGHT)
    live.hear(session.readings)
    live.so_far()
    assert without_periods(live.ended(session)) == without_periods(rate(session, NIGHT))


def test_after_the_transaction_idle_time_runs_until_the_vehicle_leaves() -> None:
    """The driver who stays for dinner sees the fee grow before the invoice comes."""
    tariff = a_tariff(an_element(("ENERGY", "0.45"), ("PARKING_TIME", "6")))
    session = a_session((HOUR, 10_000_000))
    live = LiveRating(session, tariff)
    live.end_transaction(session.transaction_ended_at)
    assert float(live.so_far().exact_total) == 4.5
    assert float(live.so_far(Instant(AN_INSTANT + HOUR + 30 * MINUTE)).exact_total) == 7.5
    live.end_occupancy(Instant(AN_INSTANT + 2 * HOUR))
    assert without_periods(live.so_far()) == without_periods(
        rate(replace(session, occupancy_ended_at=Instant(AN_INSTANT + 2 * HOUR)), tariff)
    )


def test_no_power_is_told_before_the_first_reading_and_while_it_is_withheld() -> None:
    """A page must not show kilowatts that nobody has measured."""
    withheld = (ActivityChange(Instant(AN_INSTANT + HOUR), Activity.SUSPENDED_EVSE),)
    flowing = a_session((HOUR, 10_000_000))

    assert LiveRating(a_session(), a_tariff(an_element(("ENERGY", "0.3")))).watts == 0
    assert LiveRating(flowing, a_tariff(an_element(("ENERGY", "0.3")))).watts == 10_000
    told_so = replace(flowing, readings=(Reading(Instant(AN_INSTANT + HOUR), 10_000_000, 7_400),))
    assert LiveRating(told_so, a_tariff(an_element(("ENERGY", "0.3")))).watts == 7_400
    assert LiveRating(replace(flowing, activities=withheld), a_tariff(an_element(("ENERGY", "0.3")))).watts == 0
