"""Pure: a station is moved to a higher security profile over its own line: told step by step, and followed until it is back.

It is never moved to a lower one, and the way back to the old one stays open until it has come with the new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.errors import BadInput
from tallywatt.stations.configuration import Place, reading, writing
from tallywatt.stations.messages import NEW, OLD

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import CommandId, StationId

CONTROLLER: Final = "OCPPCommCtrlr"
PRIORITY: Final = "NetworkConfigurationPriority"
KEY: Final = "SecurityProfile"
"""Of the security extensions of OCPP 1.6; where it connects it works out itself."""
SET: Final = "SetNetworkProfile"
INTERFACES: Final = (
    "Wired0", "Wired1", "Wired2", "Wired3", "Wireless0", "Wireless1", "Wireless2", "Wireless3", "Any",
)  # fmt: skip
LARGEST_SLOT: Final = 100
LONGEST_URL: Final = 512
ANSWER_SECONDS: Final = 30
"""How long a station waits for our answers on the new line."""


class ProfileState(StrEnum):
    """Where the move to another profile stands."""

    ASKING = "asking"
    """Which connections it has, and in which order it tries them."""
    WRITING = "writing"
    ORDERING = "ordering"
    """The new connection is to be tried first, those that it has after it."""
    RESETTING = "resetting"
    RETURNING = "returning"
    """It starts anew, and has not come back yet."""
    DONE = "done"
    """It has come with the new profile, and is let in with no lower one any more."""
    WENT_BACK = "went_back"
    """It has started anew with the old one."""
    REFUSED = "refused"
    SILENT = "silent"
    """A step was never answered, or it has not come back."""
    ENDED = "ended"
    """Given up by a person."""


UNDER_WAY: Final = frozenset(
    {
        ProfileState.ASKING,
        ProfileState.WRITING,
        ProfileState.ORDERING,
        ProfileState.RESETTING,
        ProfileState.RETURNING,
    }
)
OVER: Final = frozenset({ProfileState.DONE, ProfileState.ENDED})
"""In every other state it may still come with the new profile, and is believed then."""


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """The last move of a station to another profile. Moments are machine time."""

    station_id: StationId
    wanted: int
    state: ProfileState
    url: str | None
    """Where it is to connect (OCPP 2.x)."""
    slot: int | None
    interface: str | None
    priority: str | None
    """In which order it tried its connections before."""
    command_id: CommandId
    requested_at: Instant
    changed_at: Instant
    reason: str | None
    """The station's own word."""
    requested_by: str
    shown: int | None = None
    """With which profile it has connected last."""
    shown_at: Instant | None = None
    version: int = 1

    @property
    def may_come(self) -> bool:
        """Whether it is believed if it comes with the new profile."""
        return self.state not in OVER


def first_state(protocol: str) -> ProfileState:
    """OCPP 1.6 has one connection, and only its profile is written."""
    return ProfileState.WRITING if protocol == OLD else ProfileState.ASKING


def next_state(protocol: str, state: ProfileState) -> ProfileState:
    """What follows on a yes."""
    if state is ProfileState.WRITING and protocol == OLD:
        return ProfileState.RESETTING
    return {
        ProfileState.ASKING: ProfileState.WRITING,
        ProfileState.WRITING: ProfileState.ORDERING,
        ProfileState.ORDERING: ProfileState.RESETTING,
    }.get(state, ProfileState.RETURNING)


def message(protocol: str, row: ProfileChange) -> tuple[str, dict[str, Any]]:
    """What a station is told in a state."""
    match row.state:
        case ProfileState.ASKING:
            return reading(protocol, [Place(PRIORITY, CONTROLLER)])
        case ProfileState.WRITING if protocol == OLD:
            return writing(OLD, [(Place(KEY), str(row.wanted))])[0]
        case ProfileState.WRITING:
            return SET, {"configurationSlot": row.slot, "connectionData": _connection(protocol, row)}
        case ProfileState.ORDERING:
            return writing(protocol, [(Place(PRIORITY, CONTROLLER), order(row.slot, row.priority))])[0]
        case _:
            return "Reset", {"type": "Soft" if protocol == OLD else "OnIdle"}


def _connection(protocol: str, row: ProfileChange) -> dict[str, Any]:
    interface = row.interface or ("Wired0" if protocol == NEW else "Any")
    return {
        "ocppVersion": "OCPP20" if protocol == NEW else "OCPP21",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": row.url,
        "messageTimeout": ANSWER_SECONDS,
        "securityProfile": row.wanted,
        "ocppInterface": interface,
    }


def slots_of(priority: str | None) -> list[int]:
    """The connections that a station tries, in order; where it does not say, the first."""
    found = [int(one) for one in (priority or "").replace(" ", "").split(",") if one.isascii() and one.isdigit()]
    return [one for one in found if one <= LARGEST_SLOT] or [1]


def free_slot(priority: str | None) -> int:
    """One that is not in use: the old connection stays as it is, as the way back."""
    used = slots_of(priority)
    return next(number for number in range(1, LARGEST_SLOT + 1) if number not in used)


def order(slot: int | None, priority: str | None) -> str:
    """The new connection first, those that it has after it."""
    others = [one for one in slots_of(priority) if one != slot]
    return ",".join(str(one) for one in [*([] if slot is None else [slot]), *others])


def checked_url(protocol: str, url: str | None) -> str | None:
    """The address within TLS at which a station of OCPP 2.x is to connect; nothing in OCPP 1.6."""
    if protocol == OLD:
        return None
    told = (url or "").strip()
    host = told.removeprefix("wss://").partition("/")[0]
    if not told.startswith("wss://") or not host or len(told) > LONGEST_URL or not told.isprintable() or " " in told:
        msg = "a station of OCPP 2.x is told where to connect: an address that begins with wss://"
        raise BadInput(msg, code="profiles.bad_url", remedy="the address without the station's identity at its end")
    return told
