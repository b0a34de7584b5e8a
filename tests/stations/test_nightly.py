"""Each station is looked at once a night, by the clock of its place, and never all at the same moment."""

from __future__ import annotations

import pytest

from tallywatt.kernel.clock import Instant, moment, parse_instant, zone
from tallywatt.kernel.identity import StationId
from tallywatt.stations.nightly import next_night

DAY_MS = 86_400_000


@pytest.mark.parametrize("place", ["Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata"])
@pytest.mark.parametrize("now", ["2026-06-01T12:00:00Z", "2026-03-28T22:00:00Z", "2026-10-24T22:00:00Z"])
def test_the_moment_lies_in_the_night_of_the_place(place: str, now: str) -> None:
    """Also in the nights in which clocks are moved: an hour of grace for those."""
    for number in range(40):
        at = next_night(StationId(f"station-{number}"), place, parse_instant(now))
        assert parse_instant(now) < at <= parse_instant(now) + 2 * DAY_MS
        assert 1 <= moment(at, zone(place)).hour <= 5


def test_each_night_has_one_moment_for_a_station() -> None:
    """Whoever plans right after it gets the next night's, not the same one again."""
    first = next_night(StationId("one"), "Europe/Berlin", parse_instant("2026-06-01T12:00:00Z"))
    second = next_night(StationId("one"), "Europe/Berlin", first)
    assert second - first == DAY_MS
    assert next_night(StationId("one"), "Europe/Berlin", Instant(first - 1)) == first


def test_stations_are_spread_over_the_night() -> None:
    """A thousand stations of one place: none of the 240 minutes has more than a few of them."""
    now = parse_instant("2026-06-01T12:00:00Z")
    minutes: dict[int, int] = {}
    for number in range(1000):
        at = next_night(StationId(f"station-{number}"), "Europe/Berlin", now)
        minutes[at // 60_000] = minutes.get(at // 60_000, 0) + 1
    assert max(minutes.values()) <= 20
    assert len(minutes) > 200
