"""Charging periods: cut where the price may change, and nowhere else; nothing is lost between them."""

from __future__ import annotations

from dataclasses import replace

from tallywatt.kernel.clock import Instant, parse_instant
from tallywatt.metering.metered import Activity, ActivityChange, MeteredSession, Reading
from tallywatt.rating.period import ChargingPeriod, Use
from tallywatt.rating.plan import compile_tariff, plan_of
from tallywatt.rating.policy import STANDARD
from tallywatt.rating.segment import segment
from tallywatt.rating.tariff import Tariff
from tests.rating.examples import AN_INSTANT, HOUR, MINUTE, a_session, a_tariff, an_element

ENERGY_ONLY = a_tariff(an_element(("ENERGY", 1)))
BY_POWER = a_tariff(an_element(("ENERGY", 1), max_power=16), an_element(("ENERGY", 2)))


def periods_of(session: MeteredSession, tariff: Tariff = ENERGY_ONLY) -> list[ChargingPeriod]:
    """The periods under the standard policy."""
    return segment(session, plan_of(tariff), STANDARD)


def uses(session: MeteredSession) -> list[tuple[int, Use]]:
    """Minutes since the start, and what the time is from then on."""
    return [((one.start - session.started_at) // MINUTE, one.use) for one in periods_of(session)]


def changes(*activities: tuple[int, Activity]) -> tuple[ActivityChange, ...]:
    """Activities by minutes since the start."""
    return tuple(ActivityChange(Instant(AN_INSTANT + minutes * MINUTE), what) for minutes, what in activities)


def test_a_price_that_never_changes_needs_one_period() -> None:
    """Readings alone cut nothing: a station that reports every second must not make a thousand lines."""
    ticks = [(minute * MINUTE, minute * 1000) for minute in range(61)]
    assert len(periods_of(a_session(*ticks))) == 1


def test_after_the_transaction_the_vehicle_is_idle_until_it_leaves() -> None:
    """OCPP 1.6 says Finishing, and some stations say nothing at all."""
    assert uses(a_session(ended=HOUR, left=HOUR + 5 * MINUTE)) == [(0, Use.CHARGING), (60, Use.PARKING)]


def test_the_energys_end_makes_a_vehicle_idle_only_if_nothing_else_was_told() -> None:
    """A status that came at the same time, or later, knows better."""
    ended = replace(a_session(), energy_ended_at=Instant(AN_INSTANT + 40 * MINUTE))
    assert uses(ended) == [(0, Use.CHARGING), (40, Use.PARKING)]
    assert periods_of(ended)[1].assumed
    withheld = replace(ended, activities=changes((30, Activity.SUSPENDED_EVSE)))
    assert uses(withheld) == [(0, Use.CHARGING), (30, Use.CHARGING)]
    resumed = replace(ended, activities=changes((40, Activity.CHARGING)))
    assert uses(resumed) == [(0, Use.CHARGING)]


def test_activities_outside_the_session_count_from_its_ends() -> None:
    """A status from before the start holds at the start; one after the end is nobody's business."""
    session = replace(
        a_session(),
        activities=changes((-5, Activity.SUSPENDED_EV), (30, Activity.CHARGING), (90, Activity.INTERRUPTED)),
    )
    assert uses(session) == [(0, Use.PARKING), (30, Use.CHARGING)]


def test_activities_that_come_out_of_order_are_put_in_order() -> None:
    """Offline queues are emptied in any order."""
    orderly = changes((10, Activity.SUSPENDED_EV), (20, Activity.CHARGING))
    assert uses(replace(a_session(), activities=orderly[::-1])) == uses(replace(a_session(), activities=orderly))


def test_power_that_is_not_told_is_the_mean_until_the_next_reading() -> None:
    """10 kWh in half an hour are 20 kW; after the last reading nothing is known."""
    session = a_session((0, 0), (30 * MINUTE, 10_000_000))
    assert [one.watts for one in periods_of(session, BY_POWER)] == [20_000, None]
    assert [one.watts for one in periods_of(a_session(), BY_POWER)] == [None]


def test_two_readings_at_one_instant_tell_no_power() -> None:
    """A resend with another value must not divide by zero."""
    session = a_session((0, 0), (0, 5_000_000), (30 * MINUTE, 5_000_000))
    assert [one.watts for one in periods_of(session, BY_POWER)] == [0, None]
    at_the_end = a_session((HOUR, 1_000_000), (HOUR, 2_000_000))
    assert [one.watts for one in periods_of(at_the_end, BY_POWER)] == [None]


def test_before_its_first_reading_a_station_that_tells_power_is_believed() -> None:
    """The first reading often comes a minute after the start."""
    session = replace(a_session(), readings=(Reading(Instant(AN_INSTANT + MINUTE), 1000, watts=7400),))
    assert [one.watts for one in periods_of(session, BY_POWER)] == [7400, 7400]


def test_energy_between_readings_flows_evenly_when_no_time_of_flow_is_known() -> None:
    """The meter moved although the station called itself suspended: the energy is still all there."""
    session = replace(
        a_session((HOUR, 6_000_000)), activities=changes((-1, Activity.SUSPENDED_EV), (30, Activity.INTERRUPTED))
    )
    assert [one.energy_to for one in periods_of(session)] == [3_000_000, 6_000_000]


def test_a_session_of_a_year_is_cut_at_each_change_of_time() -> None:
    """A vehicle that is forgotten on the plug: 24 hours a day but for two."""
    tariff = a_tariff(an_element(("TIME", 1), start_time="12:00"))
    session = MeteredSession(
        session_id=a_session().session_id,
        zone="Europe/London",
        started_at=parse_instant("2026-01-01T00:00:00Z"),
        transaction_ended_at=parse_instant("2027-01-01T00:00:00Z"),
    )
    periods = periods_of(session, tariff)
    afternoons = [one for one in periods if one.time_of_day >= 12 * HOUR]
    assert sum(one.end - one.start for one in afternoons) == 365 * 12 * HOUR
    assert sum(one.end - one.start for one in periods) == 365 * 24 * HOUR


def test_a_tariff_is_compiled_once_for_each_version() -> None:
    """Reading the same tariff again from the database costs nothing."""
    again = a_tariff(an_element(("ENERGY", 1)))
    assert again is not ENERGY_ONLY
    assert plan_of(again) is plan_of(ENERGY_ONLY)
    assert compile_tariff(again) == plan_of(again)
