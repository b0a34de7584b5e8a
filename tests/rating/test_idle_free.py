"""Tests of windows in which idling costs nothing: nights, what they do to a grace, and what the bill says of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant, parse_instant
from tallywatt.kernel.identity import RatedId
from tallywatt.metering.metered import Activity, ActivityChange, MeteredSession
from tallywatt.rating.explain import conditions, sentence, title
from tallywatt.rating.fields import BadField, Version
from tallywatt.rating.live import LiveRating
from tallywatt.rating.outlook import outlook
from tallywatt.rating.policy import STANDARD
from tallywatt.rating.rate import Reason, rate
from tallywatt.rating.read import read_tariff_text
from tallywatt.rating.results import price, rated_rows
from tallywatt.rating.tariff import Tariff
from tallywatt.rating.write import write_tariff
from tests.rating.examples import HOUR, LONDON, MINUTE, a_session, a_tariff, an_element, sessions

NIGHT = {"start_time": "22:00", "end_time": "06:00"}
SIX_IN_THE_EVENING = parse_instant("2026-11-24T18:00:00Z")


def by_night(*windows: dict[str, Any], grace: str = "pauses", seconds: int | None = None, **more: Any) -> Tariff:
    """6 an hour for idling, but not in the windows."""
    graced: dict[str, Any] = {} if seconds is None else {"idle_grace": {"seconds": seconds, **more}}
    return a_tariff(
        an_element(("ENERGY", "0.40"), ("PARKING_TIME", "6", "20")),
        idle_free={"windows": list(windows or (NIGHT,)), "grace": grace},
        **graced,
    )


def idling(since: int, until: int) -> MeteredSession:
    """From six in the evening: charging until `since`, plugged in until `until`, in hours."""
    session = a_session((since * HOUR, 10_000_000), ended=until * HOUR)
    return replace(
        session,
        started_at=SIX_IN_THE_EVENING,
        transaction_ended_at=Instant(SIX_IN_THE_EVENING + until * HOUR),
        readings=tuple(replace(one, at=Instant(SIX_IN_THE_EVENING + since * HOUR)) for one in session.readings),
        activities=(ActivityChange(Instant(SIX_IN_THE_EVENING + since * HOUR), Activity.SUSPENDED_EV),),
    )


def minutes_charged(session: MeteredSession, tariff: Tariff) -> float:
    """For how long idling is charged."""
    return sum(line.quantity for line in rate(session, tariff).lines if line.reason is Reason.IDLE_TIME) / MINUTE


def test_a_night_costs_nothing_and_the_evening_and_the_morning_do() -> None:
    """Idle from 20:00 to 08:00: two hours before the night and two after it."""
    rated = rate(idling(2, 14), by_night())
    assert [(line.reason, line.measured // MINUTE, float(rated.exact(line))) for line in rated.lines[1:]] == [
        (Reason.IDLE_TIME, 240, 24.0),
        (Reason.IDLE_TIME_FREE, 480, 0.0),
    ]


def test_days_bound_a_window_too() -> None:
    """Free on Wednesdays alone: from the midnight after that Tuesday evening on."""
    assert minutes_charged(idling(2, 14), by_night({"day_of_week": ["WEDNESDAY"]})) == 240
    assert minutes_charged(idling(2, 14), by_night({"day_of_week": ["TUESDAY"]}, NIGHT)) == 120


@pytest.mark.parametrize(("grace", "charged"), [("pauses", 75), ("runs", 120), ("begins_anew", 15)])
def test_what_the_night_does_to_a_grace_is_said_by_the_tariff(grace: str, charged: int) -> None:
    """Idle from 21:00 to 08:00 with an hour and three quarters of grace: one hour of it is used before the night.

    It pauses: 45 minutes are left at six. It runs: none. It begins anew: all of it, but for the first.
    """
    tariff = by_night(grace=grace, seconds=105 * 60)
    assert minutes_charged(idling(3, 14), tariff) == charged


def test_whoever_stays_longer_than_a_retroactive_grace_pays_for_the_day_and_not_for_the_night() -> None:
    """Three hours outside of the night are more than the grace; inside of it nothing is charged in any case."""
    tariff = by_night(seconds=105 * 60, retroactive=True)
    assert minutes_charged(idling(3, 14), tariff) == 180
    assert minutes_charged(idling(3, 6), tariff) == 0


@settings(max_examples=40)
@given(session=sessions(), grace=st.sampled_from(["pauses", "runs", "begins_anew"]), seconds=st.integers(1, 20_000))
def test_a_free_window_never_makes_a_session_dearer(session: MeteredSession, grace: str, seconds: int) -> None:
    """It is a promise; and the live figure keeps it, to the last digit."""
    tariff = by_night(grace=grace, seconds=seconds)
    without = replace(tariff, idle_free=None)
    whole = rate(session, tariff)
    assert whole.exact_total <= rate(session, without).exact_total
    live = LiveRating(replace(session, readings=(), activities=()), tariff)
    for reading in session.readings:
        live.hear([reading])
        live.so_far()
    live.hear(activities=session.activities)
    assert replace(live.ended(session), periods=()) == replace(whole, periods=())


def test_the_end_of_the_night_is_told_to_whoever_looks() -> None:
    """At midnight nothing is charged; from six on it is."""
    seen = outlook(LiveRating(idling(2, 6), by_night()), Instant(SIX_IN_THE_EVENING + 6 * HOUR))
    assert seen.now.prices == ()
    assert seen.change is not None
    assert seen.change.at == SIX_IN_THE_EVENING + 12 * HOUR


def test_windows_are_explained_where_they_are_used_and_where_they_are_shown() -> None:
    """The bill says that the night was seen and cost nothing."""
    session, tariff = idling(2, 14), by_night()
    rated, fixed = price(session, tariff, STANDARD)
    rows = rated_rows(RatedId("R1"), session, rated, fixed, created_at=session.ended_at, zone_data_version="")
    idle, free = rows.lines[1:]
    assert (title(free.reason_code), free.gross_minor) == ("Idle time, free of charge", 0)
    assert "when that costs nothing" in sentence(free, LONDON)
    assert "not 22:00 to 06:00" in sentence(idle, LONDON)
    assert conditions(idle.reason, "de") == "nicht 22:00 bis 06:00 Uhr"


def test_a_tariff_with_windows_is_the_same_after_it_was_stored_and_loses_them_in_ocpi() -> None:
    """OCPI has no words for it: whoever sends the tariff is told."""
    tariff = by_night({**NIGHT, "day_of_week": ["MONDAY"]}, grace="runs")
    assert read_tariff_text(tariff.canonical) == tariff
    assert "idle_free" in write_tariff(tariff, Version.OCPI_2_3_0).lost


@pytest.mark.parametrize(
    ("given_windows", "path"),
    [
        ("nights", "idle_free"),
        ({"windows": []}, "idle_free.windows"),
        ({"windows": [{}]}, "idle_free.windows[0]"),
        ({"windows": [{"min_kwh": 3}]}, "idle_free.windows[0]"),
        ({"windows": [NIGHT], "grace": "sleeps"}, "idle_free.grace"),
    ],
)
def test_windows_that_cannot_be_meant_are_refused(given_windows: Any, path: str) -> None:
    """A window without times would make all idling free."""
    with pytest.raises(BadField) as refused:
        a_tariff(an_element(("PARKING_TIME", "6")), idle_free=given_windows)
    assert refused.value.path == path


def test_a_place_that_charges_no_idling_has_no_lines_of_free_idling() -> None:
    """Windows say nothing where there is nothing to be free of."""
    tariff = a_tariff(
        an_element(("PARKING_TIME", "6"), start_time="08:00", end_time="09:00"), idle_free={"windows": [NIGHT]}
    )
    assert rate(idling(2, 8), tariff).lines == ()
