"""Limits of power: what is asked for fits the official schema of each version, and whatever a station answers is read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput
from tallywatt.stations import charging
from tallywatt.stations.charging import Limit, Unit
from tallywatt.stations.command import Asked
from tallywatt.stations.messages import NEW, NEWEST, OLD
from tallywatt.wiring import check_message

NOW = Instant(1_795_000_000_000)
VERSIONS = pytest.mark.parametrize("protocol", [OLD, NEW, NEWEST])
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "chargingProfile", "chargingSchedule", "chargingSchedulePeriod", "limit", "startPeriod", "validTo",
                 "schedule", "scheduleStart", "csChargingProfiles", "chargingProfileId", "evseId"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)  # fmt: skip


def said(number: int, name: str, content: dict[str, Any], state: str = "completed") -> Asked:
    """A command, as it is stored."""
    return Asked(str(number), name, state, content, Instant(NOW + number))


@VERSIONS
@pytest.mark.parametrize("place", [None, 1, 2])
@pytest.mark.parametrize(("amount", "unit"), [("11", Unit.KW), ("7.4", Unit.KW), ("13.7", Unit.A), ("0", Unit.A)])
def test_what_is_asked_for_fits_the_official_schema(protocol: str, place: int | None, amount: str, unit: Unit) -> None:
    """A limit, its end, and the questions about it."""
    for minutes in (None, 90):
        wanted = Limit(place, Decimal(amount), unit, NOW, minutes)
        for name, content in (
            charging.limiting(protocol, wanted),
            charging.clearing(protocol, 8400),
            charging.clearing(protocol, None),
            charging.asking_schedule(protocol, place or 0, 60, unit),
        ):
            check_message(protocol, name, content)


def test_what_cannot_be_kept_is_refused() -> None:
    """Too much, and for no time or too long."""
    for amount, minutes in (("-1", None), ("20000", None), ("11", 0), ("11", 10**6)):
        with pytest.raises(BadInput):
            charging.limiting(OLD, Limit(None, Decimal(amount), Unit.KW, NOW, minutes))
    with pytest.raises(BadInput):
        charging.asking_schedule(OLD, 0, 0, Unit.A)


@VERSIONS
def test_what_a_station_has_follows_from_what_it_said_yes_to(protocol: str) -> None:
    """A second limit of one place replaces the first; refused ones and cleared ones are not there; each ends by its time."""

    def limit(place: int | None, amount: int, minutes: int | None = None) -> dict[str, Any]:
        return charging.limiting(protocol, Limit(place, Decimal(amount), Unit.KW, NOW, minutes))[1]

    asked = [
        said(1, charging.SET, limit(None, 40)),
        said(2, charging.SET, limit(1, 11, 60)),
        said(3, charging.SET, limit(1, 7, 60)),
        said(4, charging.SET, limit(2, 5)),
        said(5, charging.SET, limit(2, 22), "rejected"),
    ]
    found = charging.profiles_of(asked, [], None, NOW)
    assert [(one.evse_number, one.limit) for one in found] == [
        (0, Decimal(40_000)),
        (1, Decimal(7000)),
        (2, Decimal(5000)),
    ]
    after_an_hour = charging.profiles_of(asked, [], None, Instant(NOW + 3_600_001))
    assert [one.evse_number for one in after_an_hour] == [0, 2]
    cleared = [*asked, said(6, charging.CLEAR, charging.clearing(protocol, 8400)[1])]
    assert [one.evse_number for one in charging.profiles_of(cleared, [], None, NOW)] == [1, 2]
    emptied = [*cleared, said(7, charging.CLEAR, charging.clearing(protocol, None)[1])]
    assert charging.profiles_of(emptied, [], None, NOW) == []


def test_a_report_of_the_station_counts_from_its_moment_on() -> None:
    """What it had said yes to before is in it, or is gone; who else has set something there is named."""
    before = said(1, charging.SET, charging.limiting(NEW, Limit(1, Decimal(7), Unit.KW, NOW, None))[1])
    content = charging.limiting(NEW, Limit(None, Decimal(32), Unit.A, NOW, None))[1]
    part = {"evseId": 0, "chargingLimitSource": "EMS", "chargingProfile": [content["chargingProfile"]]}
    [found] = charging.profiles_of([before], charging.with_told([part]), Instant(NOW + 5), NOW)
    assert (found.source, found.limit, found.unit) == ("EMS", Decimal(32), "A")


@given(told=ANY_JSON, content=st.dictionaries(st.text(max_size=8), ANY_JSON, max_size=4))
def test_whatever_a_station_tells_is_read_or_left_out(told: Any, content: dict[str, Any]) -> None:
    """No answer of a station makes a page fail."""
    found = charging.composite_of(told, content, NOW)
    assert found is None or all(step.limit >= 0 for step in found.steps)
    parts = [one for one in (told, content) if isinstance(one, dict)]
    assert all(one.number >= 0 for one in charging.profiles_of([], charging.with_told(parts), NOW, NOW))
    assert charging.profiles_of([said(1, charging.CLEAR, content)], [], None, NOW) == []
