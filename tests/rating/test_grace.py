"""A grace for idling: our own field, which OCPI cannot say; forgiven or retroactive, and anew after each charging."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput
from tallywatt.metering.metered import Activity, ActivityChange, MeteredSession
from tallywatt.rating import explain
from tallywatt.rating.fields import Version
from tallywatt.rating.offer import price_shown
from tallywatt.rating.rate import rate
from tallywatt.rating.read import read_tariff, read_tariff_text
from tallywatt.rating.tariff import Tariff, to_data
from tallywatt.rating.write import write_tariff
from tests.rating.examples import AN_INSTANT, HOUR, LONDON, MINUTE, a_session, a_tariff, an_element, sessions, tariffs

IDLE = an_element(("PARKING_TIME", "6.00", 20))


def a_graceful_tariff(minutes: int, *, retroactive: bool = False) -> Tariff:
    """Six an hour of idling, after so many minutes."""
    return a_tariff(IDLE, idle_grace={"seconds": minutes * 60, "retroactive": retroactive})


def idling(*minutes: int) -> MeteredSession:
    """Charging and idling in turns, each for so many minutes; the vehicle leaves at the end."""
    changes, at = [], 0
    for turn, length in enumerate(minutes):
        what = Activity.SUSPENDED_EV if turn % 2 else Activity.CHARGING
        changes.append(ActivityChange(Instant(AN_INSTANT + at), what))
        at += length * MINUTE
    return replace(a_session(ended=at), activities=tuple(changes))


def idle_minutes(session: MeteredSession, tariff: Tariff) -> float:
    """What is charged of idling."""
    return sum(line.quantity for line in rate(session, tariff).lines) / MINUTE


@pytest.mark.parametrize(
    ("turns", "forgiven", "retroactive"),
    [
        ((30, 10), 0, 0),
        ((30, 15), 0, 0),
        ((30, 20), 5, 20),
        ((30, 20, 30, 20), 10, 40),
        ((30, 10, 30, 20), 5, 20),
        ((30, 10, 30, 10), 0, 0),
    ],
)
def test_a_grace_begins_anew_after_each_charging(turns: tuple[int, ...], forgiven: int, retroactive: int) -> None:
    """A vehicle that heats itself and charges again is not one that blocks the place."""
    assert idle_minutes(idling(*turns), a_graceful_tariff(15)) == forgiven
    assert idle_minutes(idling(*turns), a_graceful_tariff(15, retroactive=True)) == retroactive


def test_an_outage_neither_counts_nor_begins_anew() -> None:
    """Ten minutes of idling, an outage, ten minutes of idling: twenty, of which fifteen are forgiven."""
    session = replace(
        a_session(ended=HOUR),
        activities=(
            ActivityChange(AN_INSTANT, Activity.SUSPENDED_EV),
            ActivityChange(Instant(AN_INSTANT + 10 * MINUTE), Activity.INTERRUPTED),
            ActivityChange(Instant(AN_INSTANT + 50 * MINUTE), Activity.SUSPENDED_EV),
        ),
    )
    assert idle_minutes(session, a_graceful_tariff(15)) == 5
    assert idle_minutes(session, a_graceful_tariff(15, retroactive=True)) == 20


def test_a_line_begins_where_its_price_begins() -> None:
    """The driver reads from when on it cost something."""
    (line,) = rate(idling(30, 20), a_graceful_tariff(15)).lines
    assert (line.start, line.end) == (AN_INSTANT + 45 * MINUTE, AN_INSTANT + 50 * MINUTE)
    assert line.priced.reason["idle_grace"] == {"seconds": 900, "retroactive": False}


@given(session=sessions(), tariff=tariffs(st.just(0)), seconds=st.integers(1, 8 * 3600), retroactive=st.booleans())
def test_a_grace_never_costs_more(session: MeteredSession, tariff: Tariff, seconds: int, retroactive: bool) -> None:
    """And what is forgiven is never more than what retroactive grace would charge."""
    data = to_data(tariff)
    graceful = read_tariff(data | {"idle_grace": {"seconds": seconds, "retroactive": retroactive}})
    forgiven = read_tariff(data | {"idle_grace": {"seconds": seconds}})
    assert (
        rate(session, forgiven).exact_total <= rate(session, graceful).exact_total <= rate(session, tariff).exact_total
    )


def test_a_grace_is_kept_shown_and_told_to_be_lost() -> None:
    """It is part of the version; OCPI has no word for it."""
    tariff = a_graceful_tariff(15)
    assert read_tariff_text(tariff.canonical) == tariff
    assert tariff.version_id != a_tariff(IDLE).version_id
    assert all(write_tariff(tariff, version).lost[-1] == "idle_grace" for version in Version)
    said = [
        explain.shown_sentence(price_shown(a_graceful_tariff(15, retroactive=late), AN_INSTANT, LONDON).lines[0], "EUR")
        for late in (False, True)
    ]
    assert said[0].endswith("per hour idle, after 15 min without charging")
    assert said[1].endswith("per hour idle, from the start of idling, if it lasts longer than 15 min")


@pytest.mark.parametrize(
    ("grace", "code"),
    [
        (5, "tariff.not_an_object"),
        ({}, "tariff.not_a_number"),
        ({"seconds": 0}, "tariff.not_a_number"),
        ({"seconds": True}, "tariff.not_a_number"),
        ({"seconds": 60, "retroactive": "yes"}, "tariff.not_known"),
    ],
)
def test_a_grace_that_cannot_be_meant_is_refused(grace: object, code: str) -> None:
    """A misread grace is money."""
    with pytest.raises(BadInput) as refused:
        a_tariff(IDLE, idle_grace=grace)
    assert refused.value.code == code
    assert a_tariff(IDLE, idle_grace={"seconds": 60, "minutes": 1}).unread == ("idle_grace.minutes",)
