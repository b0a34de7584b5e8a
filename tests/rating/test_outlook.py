"""Tests of what is ahead of a running session: its next minute, the next price, and when a limit is reached."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant
from tallywatt.metering.metered import Activity, ActivityChange, MeteredSession
from tallywatt.rating.amounts import fix_amounts
from tallywatt.rating.live import LiveRating
from tallywatt.rating.outlook import HORIZON, Limit, outlook, reaches
from tallywatt.rating.rate import rate
from tallywatt.rating.records import Dimension
from tallywatt.rating.tariff import Tariff
from tests.rating.examples import AN_INSTANT, HOUR, MINUTE, a_session, a_tariff, an_element, sessions, tariffs

TARIFF = a_tariff(
    an_element(("ENERGY", "0.30"), start_time="22:00", end_time="06:00"),
    an_element(("ENERGY", "0.60"), ("TIME", "1.20"), min_kwh=20),
    an_element(("ENERGY", "0.45"), ("TIME", "1.20")),
    an_element(("PARKING_TIME", "6")),
)
AT_TEN_KILOWATTS = a_session((HOUR, 10_000_000))


def idle(session: MeteredSession, at: int) -> MeteredSession:
    """The session whose vehicle asks for no power from then on."""
    return replace(session, activities=(ActivityChange(Instant(AN_INSTANT + at), Activity.SUSPENDED_EV),))


def test_the_next_minute_costs_its_energy_and_its_time() -> None:
    """10 kW for a minute at 0.45, and a sixtieth of 1.20."""
    seen = outlook(LiveRating(AT_TEN_KILOWATTS, TARIFF))
    assert seen.watts == 10_000
    assert seen.next_minute_rounded == Decimal("0.0950")
    assert [one.price for one in seen.now.prices] == [Decimal("0.45"), Decimal("1.20")]


def test_the_next_price_is_found_where_the_energy_will_reach_it() -> None:
    """At 10 kW the second ten kilowatt-hours take an hour."""
    seen = outlook(LiveRating(AT_TEN_KILOWATTS, TARIFF))
    assert seen.change is not None
    assert seen.change.at == AN_INSTANT + 2 * HOUR
    assert seen.change.milliwatt_hours == 20_000_000
    assert [one.price for one in seen.change.prices] == [Decimal("0.60"), Decimal("1.20")]


def test_more_power_brings_the_next_price_nearer() -> None:
    """Somebody asks what would be if the vehicle took more."""
    seen = outlook(LiveRating(AT_TEN_KILOWATTS, TARIFF), watts=20_000)
    assert seen.change is not None
    assert seen.change.at == AN_INSTANT + HOUR + HOUR // 2


def test_without_power_the_clock_alone_changes_the_price() -> None:
    """An idle vehicle pays for its place: 6 an hour, at any time."""
    seen = outlook(LiveRating(idle(AT_TEN_KILOWATTS, HOUR), TARIFF))
    assert (seen.watts, seen.next_minute_rounded, seen.change) == (0, Decimal("0.1"), None)
    assert [one.dimension for one in seen.now.prices] == [Dimension.PARKING_TIME]


def test_while_a_grace_lasts_nothing_is_charged_and_its_end_is_told() -> None:
    """The driver has so long to come back: the one figure that they want to know."""
    for retroactive in (False, True):
        graceful = a_tariff(an_element(("PARKING_TIME", "6")), idle_grace={"seconds": 900, "retroactive": retroactive})
        seen = outlook(LiveRating(idle(AT_TEN_KILOWATTS, 50 * MINUTE), graceful))
        assert seen.now.prices == ()
        assert seen.change is not None
        assert seen.change.at == AN_INSTANT + HOUR + 5 * MINUTE
        assert [one.price for one in seen.change.prices] == [Decimal(6)]


def test_elements_of_equal_price_are_no_change() -> None:
    """Two elements may say the same: nobody is told of a change that they would not notice."""
    twice = a_tariff(an_element(("ENERGY", "0.45"), max_kwh=20), an_element(("ENERGY", "0.45")))
    assert outlook(LiveRating(AT_TEN_KILOWATTS, twice)).change is None


def test_time_for_which_nobody_pays_has_no_price() -> None:
    """A station that is out of order charges nothing."""
    broken = replace(AT_TEN_KILOWATTS, activities=(ActivityChange(Instant(AN_INSTANT + HOUR), Activity.INTERRUPTED),))
    seen = outlook(LiveRating(broken, TARIFF))
    assert not seen.now.prices
    assert seen.next_minute == 0
    assert seen.change is None


def test_the_first_limit_that_is_reached_is_told() -> None:
    """10 kWh cost 5.70 by now; each further kilowatt-hour takes six minutes and costs 0.57."""
    live = LiveRating(AT_TEN_KILOWATTS, TARIFF)
    money = reaches(live, Limit(gross_minor=684))
    assert money is not None
    # 684 is shown as soon as 683.5 is passed: half a cent before.
    assert money == (AN_INSTANT + HOUR + 12 * MINUTE - 3157, "gross_minor")
    assert reaches(live, Limit(milliwatt_hours=12_000_000)) == (AN_INSTANT + HOUR + 12 * MINUTE, "milliwatt_hours")
    assert reaches(live, Limit(684, 12_000_000, 65 * MINUTE)) == (AN_INSTANT + 65 * MINUTE, "milliseconds")


def test_a_limit_that_is_passed_is_reached_now_and_one_beyond_the_horizon_never() -> None:
    """Whoever asks for less than there is already has it."""
    live = LiveRating(AT_TEN_KILOWATTS, TARIFF)
    assert reaches(live, Limit(gross_minor=1)) == (AN_INSTANT + HOUR, "gross_minor")
    assert reaches(live, Limit(milliseconds=HORIZON + 3 * HOUR)) is None
    assert reaches(live, Limit()) is None


@settings(max_examples=30)
@given(session=sessions(), tariff=tariffs(), minor=st.integers(1, 3_000), watts=st.integers(0, 50_000))
def test_a_limit_is_not_reached_a_moment_before(
    session: MeteredSession, tariff: Tariff, minor: int, watts: int
) -> None:
    """Whoever stops at that moment pays what they wanted to pay, by the price function itself."""
    live = LiveRating(replace(session, reserved_at=None), tariff)
    found = reaches(live, Limit(gross_minor=minor), watts=watts)
    if found is not None and found.at > live.heard_until:
        for at, is_reached in ((found.at, True), (Instant(found.at - 1), False)):
            assert (fix_amounts(live.imagined(at, watts)[0]).gross_minor >= minor) is is_reached


@settings(max_examples=30)
@given(session=sessions(), tariff=tariffs(), watts=st.integers(1, 50_000), later=st.integers(0, 10 * HOUR))
def test_what_is_imagined_is_the_price_of_such_a_session(
    session: MeteredSession, tariff: Tariff, watts: int, later: int
) -> None:
    """The outlook is no estimate beside the tariff: it is the price of a session that goes on like this."""
    live = LiveRating(session, tariff)
    seen, _ = live.imagined(Instant(live.heard_until + later), watts)
    more = replace(session.readings[-1], at=Instant(live.heard_until + later)) if session.readings else None
    readings = [*session.readings]
    if more is not None:
        readings.append(replace(more, milliwatt_hours=more.milliwatt_hours + watts * later // 3600, watts=watts))
        known = replace(
            session,
            readings=tuple(readings),
            transaction_ended_at=more.at,
            energy_ended_at=None,
            occupancy_ended_at=None,
        )
        assert replace(seen, periods=()) == replace(rate(known, tariff), periods=())


def test_a_price_that_changes_while_the_grace_lasts_changes_nothing_until_it_ends() -> None:
    """Both idle prices lie within the grace: nothing is charged before its end, and then what holds there."""
    tariff = a_tariff(
        an_element(("PARKING_TIME", "6"), max_duration=4200),
        an_element(("PARKING_TIME", "9")),
        idle_grace={"seconds": 1800, "retroactive": False},
    )
    seen = outlook(LiveRating(idle(AT_TEN_KILOWATTS, 50 * MINUTE), tariff))

    assert seen.now.prices == ()
    assert seen.change is not None
    assert (seen.change.at, [one.price for one in seen.change.prices]) == (AN_INSTANT + 80 * MINUTE, [Decimal(9)])
