"""Pure: commands to stations. Accepted is not started: a command is followed to its end, with a deadline."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import CommandId, EvseId, PaymentId, SessionId, StationId


class Action(StrEnum):
    """What a station can be asked to do, whatever its OCPP version."""

    START = "start"
    STOP = "stop"
    RESET = "reset"
    UNLOCK = "unlock"
    AVAILABILITY = "availability"
    TRANSACTION_STATUS = "transaction_status"
    """OCPP 2.x: does a transaction go on, and does the station still hold messages of it?"""
    MESSAGE = "message"
    """Any message that a platform may send in the station's version, by its own name, checked against its schema."""


class CommandState(StrEnum):
    """Where a command stands."""

    REQUESTED = "requested"
    SENT = "sent"
    ACCEPTED = "accepted"
    """The station has said yes; what was asked for has not happened yet."""
    COMPLETED = "completed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    """Its deadline passed without an answer, or without what the answer promised."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A message that was sent by its name, as much of it as tells what a station has now."""

    command_id: str
    name: str
    state: str
    content: Mapping[str, Any]
    ended_at: Instant
    """The present, while it goes on."""


OPEN_STATES = (CommandState.REQUESTED, CommandState.SENT, CommandState.ACCEPTED)


@dataclass(frozen=True, slots=True)
class StationCommand:
    """One command. `payload` holds what the action needs: `tag`, `transaction_id`, `type`, `operative`, `connector`."""

    command_id: CommandId
    station_id: StationId
    action: Action
    payload: dict[str, Any]
    state: CommandState
    evse_id: EvseId | None
    session_id: SessionId | None
    payment_id: PaymentId | None
    remote_start_id: int | None
    """OCPP 2.0.1's number of a remote start; unique per station."""
    requested_at: Instant
    deadline_at: Instant
    """Machine time."""
    ended_at: Instant | None
    reason: str | None
    requested_by: str
    name: str | None = None
    """Of a message by its own name."""
    request_number: int | None = None
    """The requestId under which a station reports; unique per station."""
    sent_at: Instant | None = None
    answered_at: Instant | None = None
    answer: dict[str, Any] | None = None
    """What the station said, without keys."""
    version: int = 1

    @property
    def is_open(self) -> bool:
        """Whether it may still come to something."""
        return self.state in OPEN_STATES
