"""Pure: when a station is looked at each night: by the clock of its location, each at its own moment, never all at once."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.clock import instant, moment, zone
from tallywatt.kernel.identity import natural_key

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import StationId

FIRST_HOUR: Final = 1
SECONDS: Final = 4 * 3600
"""From one o'clock to five: few charge then, and whoever looks at drift finds it in the morning."""


def next_night(station_id: StationId, zone_name: str, now: Instant) -> Instant:
    """The first moment after now that is this station's own. It stays the same from night to night."""
    own = int(natural_key("nightly check", station_id)[:8], 16) % SECONDS
    there = zone(zone_name)
    today = moment(now, there).date()
    # Yesterday's is never ahead; tomorrow's always is, also in a night of 23 hours.
    for days in (0, 1):
        midnight = datetime.combine(today + timedelta(days=days), time(FIRST_HOUR), tzinfo=there)
        at = instant(midnight + timedelta(seconds=own))
        if at > now:
            return at
    msg = "a moment of tomorrow lies behind now"
    raise AssertionError(msg)
