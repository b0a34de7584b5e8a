"""Pure: an EVSE that is kept for one driver until a moment, and the messages that ask a station for it in every version."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.clock import Instant, rfc3339
from tallywatt.stations.messages import OLD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tallywatt.kernel.identity import CommandId, EvseId, SessionId, StationId
    from tallywatt.stations.reports import Variable

RESERVE: Final = "ReserveNow"
CANCEL: Final = "CancelReservation"
COMPONENT: Final = "ReservationCtrlr"
LONGEST_OLD: Final = 20
"""Of a token's number, and of its group's, in OCPP 1.6."""
LONGEST_NEW: Final = 36
GRACE_MS: Final = 5 * 60_000
"""How long after its end a station may still say how a reservation ended, or that it was used in time."""


class ReservationState(StrEnum):
    """Where a reservation stands."""

    REQUESTED = "requested"
    """The station has not answered yet; what it does with it is not known."""
    ACTIVE = "active"
    """The station has said yes."""
    REFUSED = "refused"
    USED = "used"
    """A session came of it."""
    EXPIRED = "expired"
    """Nobody came in time."""
    CANCELLED = "cancelled"
    """Given up by whoever asked for it."""
    REMOVED = "removed"
    """Given up by the station: a fault, or it was made unavailable."""


OPEN: Final = frozenset({ReservationState.REQUESTED, ReservationState.ACTIVE})


@dataclass(frozen=True, slots=True)
class Reservation:
    """An EVSE, or any of a station's, for a token and its group until a moment. All moments are machine time but one."""

    reservation_id: str
    station_id: StationId
    number: int
    """The reservationId on the wire; unique per station."""
    evse_id: EvseId | None
    """None: any EVSE of the station."""
    connector_type: str | None
    """OCPP 2.x: any EVSE with a connector of this type."""
    token_id: str
    customer_id: str | None
    state: ReservationState
    is_watched: bool
    """Whether a start may still be told that uses it; stations without a line tell late."""
    command_id: CommandId
    cancel_command_id: CommandId | None
    requested_at: Instant
    reserved_at: Instant | None
    """When the station said yes."""
    expires_at: Instant
    ended_at: Instant | None
    kept_from: Instant | None
    """Of a used one, by its session's clock: from when on it was kept. What its price counts from."""
    session_id: SessionId | None
    reason: str | None
    requested_by: str
    version: int = 1

    @property
    def is_open(self) -> bool:
        """Whether the place is kept, or may be."""
        return self.state in OPEN

    def is_for(self, evse_id: str | None) -> bool:
        """Whether it may be used at that EVSE."""
        return self.evse_id is None or self.evse_id == evse_id


def covers(held: Reservation, started_at: Instant, received_at: Instant) -> bool:
    """Whether a start can be of the time of a reservation, by either clock.

    A station's may be wrong, and what it tells may come late. Where it says that the start came before the request, it is
    wrong for sure, and ours does not know when the start was: one that is heard soon after the end is taken as in time.
    """
    if received_at < held.requested_at:
        return False
    if started_at < held.requested_at:
        return received_at <= held.expires_at + GRACE_MS
    return min(started_at, received_at) <= held.expires_at


def kept_from(held: Reservation, started_at: Instant, received_at: Instant) -> Instant | None:
    """From when on a place was kept until a session's start, by that session's clock; None: the station never said yes.

    A station's clock may be years from ours, and an offline start is heard hours later: the shortest time that is credible
    counts, and never more than the reservation could last.
    """
    if held.reserved_at is None:
        return None
    longest = max(0, held.expires_at - held.reserved_at)
    heard = max(0, received_at - held.reserved_at)
    told = started_at - held.reserved_at
    lasted = min(longest, heard, told) if told >= 0 else min(longest, heard)
    return Instant(started_at - lasted)


@dataclass(frozen=True, slots=True)
class Capability:
    """What a station says of reservations; None: it has not told."""

    is_on: bool | None
    any_evse: bool | None


def capability_of(protocol: str | None, variables: Iterable[Variable]) -> Capability:
    """What a station has told of its reservations."""
    if protocol == OLD:
        old = {one.name: one.value or "" for one in variables}
        profiles = old.get("SupportedFeatureProfiles")
        names = None if profiles is None else {one.strip().lower() for one in profiles.split(",")}
        is_on = None if not names else "reservation" in names
        return Capability(is_on, _truth(old.get("ReserveConnectorZeroSupported")))
    told = {one.name: one.value for one in variables if one.component == COMPONENT}
    on, there = _truth(told.get("Enabled")), _truth(told.get("Available"))
    return Capability(False if there is False else on, _truth(told.get("NonEvseSpecific")))


def _truth(value: str | None) -> bool | None:
    text = (value or "").strip().lower()
    return text == "true" if text in {"true", "false"} else None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a station is asked for."""

    number: int
    expires_at: Instant
    uid: str
    token_type: str
    group: str | None
    evse_number: int | None
    connector_type: str | None


def fits(protocol: str | None, uid: str) -> bool:
    """Whether this version has room for the token's number."""
    return 0 < len(uid) <= (LONGEST_OLD if protocol == OLD else LONGEST_NEW)


def reserving(protocol: str | None, wanted: Wanted) -> dict[str, Any]:
    """The content of ReserveNow."""
    if protocol == OLD:
        content: dict[str, Any] = {
            "connectorId": wanted.evse_number or 0,
            "expiryDate": rfc3339(wanted.expires_at),
            "idTag": wanted.uid,
            "reservationId": wanted.number,
        }
        if wanted.group is not None and len(wanted.group) <= LONGEST_OLD:
            content["parentIdTag"] = wanted.group
        return content
    content = {
        "id": wanted.number,
        "expiryDateTime": rfc3339(wanted.expires_at),
        "idToken": {"idToken": wanted.uid, "type": wanted.token_type},
    }
    if wanted.evse_number is not None:
        content["evseId"] = wanted.evse_number
    if wanted.connector_type is not None:
        content["connectorType"] = wanted.connector_type
    if wanted.group is not None and len(wanted.group) <= LONGEST_NEW:
        content["groupIdToken"] = {"idToken": wanted.group, "type": "Central"}
    return content
