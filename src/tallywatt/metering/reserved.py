"""Pure: what was metered in a session, with the time for which its place was kept before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tallywatt.stations.reservation import ReservationState

if TYPE_CHECKING:
    from tallywatt.metering.metered import MeteredSession
    from tallywatt.stations.reservation import Reservation


def with_reserved_time(meter: MeteredSession, held: Reservation | None) -> MeteredSession:
    """The same with the reservation that the session has used, or by which it is charged; None: it has none."""
    if held is None or held.kept_from is None:
        return meter
    # A start that is told late may be earlier than the event by which its session was opened.
    since = min(held.kept_from, meter.started_at)
    return replace(meter, reserved_at=since, reservation_expired=held.state is ReservationState.EXPIRED)
