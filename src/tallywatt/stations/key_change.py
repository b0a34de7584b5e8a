"""Pure: a station's key is replaced over its own line: drawn by us, sealed, and the old one holds until the new one was shown.

Nothing here holds the key itself but the moment at which it goes out: rows have it sealed, and a digest of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from tallywatt.stations.configuration import HIDDEN
from tallywatt.stations.messages import OLD

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import CommandId, StationId

KIND: Final = "station_key"
"""The class of sealed data to which such keys belong; in a command, what is put in its place when it goes out."""
HIDES: Final = "hides"
"""In a command on its way out, in memory alone: the key that is in it."""
KEY_BYTES: Final = 20
"""OCPP 1.6 takes 16 to 20 in hex, and OCPP 2.x has room for 40 letters."""
COMPONENT: Final = "SecurityCtrlr"
VARIABLE: Final = "BasicAuthPassword"
KEY: Final = "AuthorizationKey"


class KeyState(StrEnum):
    """Where the replacement of a key stands."""

    WAITING = "waiting"
    """It goes out when the station is connected; or its answer has not come yet."""
    ACCEPTED = "accepted"
    """The station has said yes, and has not shown the new key yet."""
    REFUSED = "refused"
    """It has said no. Both keys open the door, in case that it has taken it all the same."""
    UNKNOWN = "unknown"
    """Its answer never came. Both keys open the door."""
    DONE = "done"
    """It has connected with the new key; the old one opens nothing any more."""
    ENDED = "ended"
    """Given up by a person, or another key was set by hand: only the station's own key opens the door."""


OPEN_STATES: Final = frozenset({KeyState.WAITING, KeyState.ACCEPTED, KeyState.REFUSED, KeyState.UNKNOWN})
"""While one of these holds, both keys open the door."""


@dataclass(frozen=True, slots=True)
class KeyChange:
    """The last replacement of a station's key. Moments are machine time."""

    station_id: StationId
    state: KeyState
    key_id: str | None
    """Of the vault."""
    sealed_key: bytes | None
    """None: it is needed no more."""
    key_hash: str | None
    """None: it has not gone out yet, and opens nothing; or it is needed no more."""
    command_id: CommandId
    requested_at: Instant
    changed_at: Instant
    reason: str | None
    """The station's own word."""
    requested_by: str
    version: int = 1

    @property
    def is_open(self) -> bool:
        """Whether it may still become the station's key."""
        return self.state in OPEN_STATES


def bound_to(operator_id: str, station_id: str) -> str:
    """What a key is sealed with: copied into another row it opens nothing."""
    return f"{operator_id}/{KIND}/{station_id}"


def key_of(drawn: str) -> str:
    """The key in the letters that every version takes, from what was drawn."""
    return hashlib.blake2b(drawn.encode(), digest_size=KEY_BYTES, person=b"station key").hexdigest()


def replacing(protocol: str | None, key: str = HIDDEN) -> tuple[str, dict[str, Any]]:
    """The message that sets a key; without one it is as it may be kept and shown."""
    if protocol == OLD:
        return "ChangeConfiguration", {"key": KEY, "value": key}
    place = {"component": {"name": COMPONENT}, "variable": {"name": VARIABLE}}
    return "SetVariables", {"setVariableData": [{"attributeValue": key, **place}]}


def without(key: str, told: Any) -> Any:
    """What a station said, without the key: some repeat in their refusal what they refuse."""
    match told:
        case str():
            return told.replace(key, HIDDEN) if key else told
        case list():
            return [without(key, one) for one in told]
        case dict():
            return {without(key, name): without(key, one) for name, one in told.items()}
        case _:
            return told
