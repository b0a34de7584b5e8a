"""Pure: who may do what. Callers, scopes, and the records of what they did."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tallywatt.kernel.errors import NotAllowed

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant


class Scope(StrEnum):
    """What a caller may do. A person's session on the console carries them all in this version."""

    READ = "read"
    """See sessions, stations, payments, invoices, figures."""
    OPERATE = "operate"
    """Command stations, adopt them, work the inbox."""
    SELL = "sell"
    """Locations, stations, tariffs, customers, tokens."""
    COLLECT = "collect"
    """Payments: retry, void, refund."""
    SESSIONS = "sessions"
    """Bring sessions from elsewhere."""
    ADMIN = "admin"
    """Keys and links of others."""


ALL_SCOPES = tuple(scope.value for scope in Scope)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever stands at a door: a person's session, an API key, the command line, or the house itself."""

    operator_id: str
    kind: str
    id: str
    scopes: tuple[str, ...]


def authorise(caller: Caller, scope: Scope, operator_id: str) -> None:
    """Let the caller through or raise NotAllowed: the one place where this is decided."""
    if caller.operator_id != operator_id or scope.value not in caller.scopes:
        msg = f"this {caller.kind} may not {scope.value} here"
        raise NotAllowed(msg)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key for a program: shown once, kept as a hash, found by its prefix."""

    api_key_id: str
    name: str
    prefix: str
    secret_hash: str
    scopes: tuple[str, ...]
    created_at: Instant
    expires_at: Instant | None
    last_used_at: Instant | None
    revoked_at: Instant | None


@dataclass(frozen=True, slots=True)
class ConsoleLink:
    """A link that opens the console once."""

    link_id: str
    secret_hash: str
    created_at: Instant
    expires_at: Instant
    used_at: Instant | None


@dataclass(frozen=True, slots=True)
class ConsoleSession:
    """A person's session on the console, behind a signed cookie."""

    console_session_id: str
    secret_hash: str
    created_at: Instant
    expires_at: Instant
    revoked_at: Instant | None


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """Who did what to what, when, and what it was before and after. Written in the transaction of the action."""

    action_id: str
    caller_kind: str
    caller_id: str
    action: str
    subject_kind: str
    subject_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    recorded_at: Instant
    booked_at: Instant


@dataclass(frozen=True, slots=True)
class AnsweredRequest:
    """The answer to a write under an idempotency key: the same request gets it again."""

    caller_id: str
    idempotency_key: str
    request_hash: str
    status: int
    body: str
    created_at: Instant


def secret_hash(secret: str) -> str:
    """How secrets of 32 random bytes are kept: plain SHA-256 is enough for what cannot be guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def matches(secret: str, stored_hash: str) -> bool:
    """Whether a secret is the one whose hash is stored, in constant time."""
    return hmac.compare_digest(secret_hash(secret), stored_hash)
