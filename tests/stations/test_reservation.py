"""A reservation's pure state: the time that is kept is never longer than credible, and each message fits its schema."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import CommandId, StationId
from tallywatt.stations.messages import NEW, NEWEST, OLD
from tallywatt.stations.reports import Variable
from tallywatt.stations.reservation import (
    GRACE_MS,
    OPEN,
    RESERVE,
    Reservation,
    ReservationState,
    Wanted,
    capability_of,
    covers,
    fits,
    kept_from,
    reserving,
)
from tallywatt.wiring import check_message

MOMENT = st.integers(min_value=0, max_value=4_000_000_000_000).map(Instant)
NOW = Instant(1_795_000_000_000)
LONG_AGO = Instant(0)


def held(
    reserved_at: Instant | None, expires_at: Instant, state: ReservationState, requested_at: Instant = LONG_AGO
) -> Reservation:
    """A reservation of the first EVSE."""
    return Reservation(
        "R1", StationId("S1"), 1, None, None, "T1", "C1", state, True, CommandId("K1"), None, requested_at, reserved_at,
        expires_at, None, None, None, None, "test",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("started", "received", "expected"),
    [
        (30, 31, True),
        (30, 3600, True),
        (60, 60, True),
        (61, 61, False),
        (61, 59, True),
        (-900, 30, True),
        (-840, 69, True),
        (-840, 60 + GRACE_MS // 1000, True),
        (-840, 61 + GRACE_MS // 1000, False),
        (30, -1, False),
    ],
    ids=[
        "in time", "offline", "last moment", "after its end", "its clock is ahead", "its clock is behind",
        "its clock is behind and it was heard a moment too late", "soon after", "long after", "before it was asked for",
    ],
)  # fmt: skip
def test_a_start_is_of_the_time_of_a_reservation_by_either_clock(started: int, received: int, expected: bool) -> None:
    """Seconds from the request, of a reservation of a minute."""
    one = held(NOW, Instant(NOW + 60_000), ReservationState.ACTIVE, requested_at=NOW)
    assert covers(one, Instant(NOW + started * 1000), Instant(NOW + received * 1000)) is expected


@given(
    reserved_at=st.none() | MOMENT,
    expires_at=MOMENT,
    started_at=MOMENT,
    received_at=MOMENT,
    state=st.sampled_from(list(ReservationState)),
)
def test_no_time_is_charged_that_no_clock_allows(
    reserved_at: Instant | None, expires_at: Instant, started_at: Instant, received_at: Instant, state: ReservationState
) -> None:
    """Whatever clocks say: it ends with the start, is no longer than what was promised, nor than what has passed here."""
    one = held(reserved_at, expires_at, state)
    since = kept_from(one, started_at, received_at)
    assert one.is_open == (state in OPEN)
    if reserved_at is None:
        assert since is None
        return
    assert since is not None
    lasted = started_at - since
    assert 0 <= lasted <= max(0, expires_at - reserved_at)
    assert lasted <= max(0, received_at - reserved_at)
    if started_at >= reserved_at:
        assert lasted <= started_at - reserved_at


@given(
    evse=st.none() | st.integers(min_value=1, max_value=64),
    uid=st.text("0123456789ABCDEF", min_size=1, max_size=40),
    group=st.none() | st.text("ABCDEF", min_size=1, max_size=40),
    number=st.integers(min_value=1, max_value=2**31 - 1),
    protocol=st.sampled_from([OLD, NEW, NEWEST]),
)
def test_what_is_asked_for_fits_the_official_schema(
    evse: int | None, uid: str, group: str | None, number: int, protocol: str
) -> None:
    """A token that a version has room for makes a message that it knows; a group that it has no room for is left out."""
    if not fits(protocol, uid):
        assert len(uid) > (20 if protocol == OLD else 36)
        return
    kind = None if protocol == OLD or evse is not None else "cCCS2"
    content = reserving(protocol, Wanted(number, NOW, uid, "ISO14443", group, evse, kind))
    check_message(protocol, RESERVE, content)
    assert ("parentIdTag" in content or "groupIdToken" in content) == (
        group is not None and len(group) <= (20 if protocol == OLD else 36)
    )


@given(value=st.none() | st.text(max_size=30), protocol=st.sampled_from([OLD, NEW]))
def test_what_a_station_says_of_itself_is_read_whatever_it_is(value: str | None, protocol: str) -> None:
    """Only true and false are answers; a station that says anything else has not told."""
    names = (("", "ReserveConnectorZeroSupported"),) if protocol == OLD else (("ReservationCtrlr", "NonEvseSpecific"),)
    told = [
        Variable(StationId("S1"), component, "", 0, 0, name, "", "Actual", value, None, NOW)
        for component, name in names
    ]
    said = (value or "").strip().lower()
    assert capability_of(protocol, told).any_evse is (said == "true" if said in {"true", "false"} else None)


@pytest.mark.parametrize(("profiles", "is_on"), [("Core,Reservation", True), ("Core", False), (None, None)])
def test_an_old_station_names_what_it_can(profiles: str | None, is_on: bool | None) -> None:
    """Feature profiles of OCPP 1.6; one that names none is asked."""
    told = [Variable(StationId("S1"), "", "", 0, 0, "SupportedFeatureProfiles", "", "Actual", profiles, None, NOW)]
    assert capability_of(OLD, told if profiles is not None else []).is_on is is_on
