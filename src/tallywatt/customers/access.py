"""Pure: who may do what. Callers, scopes, and the records of what they did."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tallywatt.kernel.errors import NotAllowed, NotFound

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant


class Scope(StrEnum):
    """What a caller may do. A role is a set of these (`customers/roles.py`), and so is an API key."""

    READ = "read"
    """See sessions, stations, payments, invoices, figures."""
    OPERATE = "operate"
    """Command stations, adopt them, try jobs again."""
    ASSIST = "assist"
    """Help a driver on the phone: start and stop a session, unlock a connector."""
    INBOX = "inbox"
    """Work the inbox."""
    SELL = "sell"
    """Locations, stations, tariffs, customers, tokens."""
    COLLECT = "collect"
    """Payments: retry, let go, give back."""
    REFUND = "refund"
    """Give money back, alone as far as the limit of the role goes; beyond it another person approves."""
    APPROVE = "approve"
    """Be the second pair of eyes: decide about what goes beyond somebody else's limit."""
    SESSIONS = "sessions"
    """Bring sessions from elsewhere."""
    AUDIT = "audit"
    """Have everything recomputed and compared."""
    ADMIN = "admin"
    """People, keys and links of others, settings."""
    OWN = "own"
    """See and do what concerns one's own customers alone: drivers, and managers of a fleet."""


ALL_SCOPES = tuple(scope.value for scope in Scope if scope is not Scope.OWN)
"""All that an operator's own people and programs may do. `own` makes sense only for somebody who is bound to customers."""

_IMPLIED: dict[str, frozenset[str]] = {
    Scope.OPERATE.value: frozenset((Scope.ASSIST.value, Scope.INBOX.value)),
    Scope.COLLECT.value: frozenset((Scope.REFUND.value,)),
}
"""The wide scopes hold the narrow ones, so that a key goes on opening what it opened before those were told apart."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever stands at a door: a person's session, an API key, the command line, or the house itself."""

    operator_id: str
    kind: str
    id: str
    """As it is written down with what the caller does: a person's id, not the session's."""
    scopes: tuple[str, ...]
    session_id: str | None = None
    """The session at a page, if the caller came with its cookie."""
    role: str | None = None
    customers: tuple[str, ...] | None = None
    """The only customers whose things the caller may see; None: those of the whole operator."""

    def has(self, scope: Scope) -> bool:
        """Whether the caller's scopes hold this one: for what a page shows. Whether it may is decided by `authorise`."""
        return any(scope.value == own or scope.value in _IMPLIED.get(own, ()) for own in self.scopes)


def authorise(caller: Caller, scope: Scope, operator_id: str, customer_id: str | None = None) -> None:
    """Let the caller through, or raise: the one place where this is decided.

    What belongs to another operator, or to a customer whom the caller may not see, is not found: not even that it is there is
    told. `customer_id` is whose thing it is; None when it is nobody's in particular.
    """
    if caller.operator_id != operator_id:
        msg = "there is no such thing here"
        raise NotFound(msg)
    # Who is bound to customers never gets what is the operator's, and `own` opens nothing for who is bound to none.
    if not caller.has(scope) or (scope is Scope.OWN) != (caller.customers is not None):
        msg = f"this {caller.kind} may not {scope.value} here"
        raise NotAllowed(msg)
    if caller.customers is not None and customer_id is not None and customer_id not in caller.customers:
        msg = "there is no such thing here"
        raise NotFound(msg)


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
    """To the minute: it is not written with every request."""
    revoked_at: Instant | None
    rotated_at: Instant | None = None
    old_secret_hash: str | None = None
    """The secret before the last rotation, and until when it goes on opening."""
    old_valid_until: Instant | None = None


@dataclass(frozen=True, slots=True)
class ConsoleLink:
    """A link that opens the pages once: for a member, or for whoever runs the command line."""

    link_id: str
    secret_hash: str
    created_at: Instant
    expires_at: Instant
    used_at: Instant | None
    membership_id: str | None = None
    """As whom it lets in; None: as whoever owns the machine, with all scopes and no name."""
    browser_hash: str | None = None
    """The browser that asked for it; no other may use it. None: any browser."""
    tries: int = 0
    """How often a wrong code was typed for it."""


@dataclass(frozen=True, slots=True)
class ConsoleSession:
    """A person's session at the pages, behind a signed cookie."""

    console_session_id: str
    secret_hash: str
    created_at: Instant
    expires_at: Instant
    revoked_at: Instant | None
    membership_id: str | None = None
    """As whom; None: a first-run link was opened, and nobody has said who it is."""
    person_id: str | None = None
    way: str | None = None
    """How the person came in: link, email, passkey, sso, invitation."""
    label: str | None = None
    """The browser in two words, so that a person knows it again: Firefox on Linux."""
    seen_at: Instant | None = None
    """When it was last used, to the nearest minutes."""


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
    """The answer in JSON; sealed, in base64, where it tells a secret; empty once that was forgotten."""
    created_at: Instant
    key_id: str | None = None
    """The key under which the body is sealed."""
    forget_at: Instant | None = None
    """When an answer that tells a secret is forgotten, in machine time; None: it stays."""


def secret_hash(secret: str) -> str:
    """How secrets of 32 random bytes are kept: plain SHA-256 is enough for what cannot be guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def matches(secret: str, stored_hash: str) -> bool:
    """Whether a secret is the one whose hash is stored, in constant time."""
    return hmac.compare_digest(secret_hash(secret), stored_hash)
