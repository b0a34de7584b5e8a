"""Pure: messages, their deliveries to endpoints, and every attempt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant

LONGEST_ANSWER = 1000
"""Characters of a receiver's answer that are kept."""


class DeliveryState(StrEnum):
    """Where the delivery of one message to one endpoint stands."""

    BLOCKED = "blocked"
    """An earlier event of the same aggregate is still on its way to this endpoint."""
    READY = "ready"
    SENDING = "sending"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


OPEN_STATES = (DeliveryState.BLOCKED, DeliveryState.READY, DeliveryState.SENDING)


class Outcome(StrEnum):
    """How an attempt ended."""

    DELIVERED = "delivered"
    """Any 2xx."""
    REFUSED = "refused"
    """An answer that is none of the others."""
    REDIRECTED = "redirected"
    """Never followed: the other place was not checked, and was not asked for."""
    GONE = "gone"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    FORBIDDEN = "forbidden"
    """The name leads to an address that messages may not be sent to."""


@dataclass(frozen=True, slots=True)
class Message:
    """The bytes of one event, made once: every attempt and every replay sends exactly these."""

    message_id: str
    """The event's own id; receivers see it as webhook-id, always the same."""
    position: int
    type: str
    schema_version: int
    body: str
    created_at: Instant


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one endpoint. Instants are machine time."""

    delivery_id: str
    endpoint_id: str
    message_id: str
    position: int
    type: str
    aggregate: str
    aggregate_id: str
    aggregate_version: int
    state: DeliveryState
    due_at: Instant
    failures: int
    """Since it was last asked for: these are what the schedule counts."""
    attempts: int
    """In all."""
    lease_until: Instant | None
    leased_by: str | None
    last_status: int | None
    last_error: str | None
    created_at: Instant
    ended_at: Instant | None

    @property
    def is_open(self) -> bool:
        """Whether it is still to be delivered."""
        return self.state in OPEN_STATES


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request and what came of it."""

    attempt_id: str
    delivery_id: str
    endpoint_id: str
    number: int
    outcome: Outcome
    status: int | None
    error: str | None
    answer: str | None
    """The beginning of the body that came back."""
    milliseconds: int
    started_at: Instant


@dataclass(frozen=True, slots=True)
class Reply:
    """What a sender brings back from one attempt."""

    outcome: Outcome
    status: int | None = None
    error: str | None = None
    answer: str | None = None
    wait_seconds: int | None = None
    """What the receiver asked for (Retry-After)."""
    milliseconds: int = 0
