"""Pure: an endpoint at which a partner's system listens, and the secrets with which its messages are signed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant


class EndpointState(StrEnum):
    """Whether anything is sent to it."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    """Nothing is sent; what waits for it stays, and what happens meanwhile is sent when it is enabled again."""
    REMOVED = "removed"
    """For good; its log stays."""


class Disabled(StrEnum):
    """Why an endpoint is disabled."""

    BY_PERSON = "by_person"
    GONE = "gone"
    """It answered 410: it does not want to hear from us any more."""
    FAILING = "failing"
    """It took nothing for days."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a partner listens, and for what. Instants are machine time."""

    endpoint_id: str
    url: str
    description: str
    event_types: tuple[str, ...]
    """Names of the catalogue, `session.*` for a family, `*` for all."""
    state: EndpointState
    disabled_because: str | None
    disabled_at: Instant | None
    position: int | None
    """Behind which event it is still to hear, where it does not go along with the others: None while it does."""
    replay_to: int | None
    """Up to which event everything is delivered again, while a replay is being written."""
    failures: int
    """In a row, since something was last delivered."""
    failing_since: Instant | None
    paused_until: Instant | None
    last_delivered_at: Instant | None
    created_at: Instant
    version: int = 1

    @property
    def is_enabled(self) -> bool:
        """Whether messages are sent."""
        return self.state is EndpointState.ENABLED


@dataclass(frozen=True, slots=True)
class EndpointSecret:
    """A secret, sealed. During a rotation several sign; the one without an end is the newest."""

    secret_id: str
    endpoint_id: str
    key_id: str
    """Of the key that sealed it."""
    sealed_secret: bytes
    created_at: Instant
    expires_at: Instant | None
