"""Pure: operations: each thing asked of a provider, written down before it is asked, under a key that never changes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import OperationId, PaymentId, ProviderAccountId


class OperationKind(StrEnum):
    """What is asked."""

    PREPARE = "prepare"
    """Make a harmless object, so that its id is known before money moves."""
    CHARGE = "charge"
    """Take the whole sum from a stored method, without the driver."""
    HOSTED_PAGE = "hosted_page"
    """Open a page of the provider's where a driver places a hold."""
    PRESENT = "present"
    """Let a reader ask for a card, and hold the sum on whichever is held to it."""
    AUTHORISE = "authorise"
    """Hold something from a stored method without the driver, before a session begins."""
    ADJUST = "adjust"
    """Hold more than was held before: the new sum of the whole hold. It takes nothing, and what it fails at stays as it was."""
    CAPTURE = "capture"
    """Take what is due from a hold; the rest is released, unless it is a part and more is to be taken."""
    VOID = "void"
    """Release a hold or what a capture has left of it, close a page that nobody has paid, or let a reader ask no longer."""
    REFUND = "refund"


class OperationState(StrEnum):
    """How far it is known what became of it."""

    INTENDED = "intended"
    """Written down; perhaps sent."""
    UNKNOWN = "unknown"
    """Sent, and no clear answer: the provider is asked, never sent a new key."""
    PENDING = "pending"
    """The provider has taken it and decides later."""
    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    """The issuer said no."""
    NOT_SENT = "not_sent"
    """Known never to have had an effect."""
    FAILED = "failed"
    """The provider refused it."""


UNRESOLVED = (OperationState.INTENDED, OperationState.UNKNOWN, OperationState.PENDING)
"""While one of a payment's operations is in such a state, there is no other."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing asked of a provider about one payment."""

    operation_id: OperationId
    payment_id: PaymentId
    account_id: ProviderAccountId
    kind: OperationKind
    amount_minor: int
    currency: str
    idempotency_key: str
    request: str
    """Canonical JSON of all that is asked: a resend is made of the same text, so its bytes are the same."""
    request_hash: str
    state: OperationState
    attempts: int
    first_sent_at: Instant | None
    last_sent_at: Instant | None
    provider_ref: str | None
    """The object that the operation made or moved: a payment intent, a refund, a hosted page."""
    code: str | None
    """Why it was declined or failed, in our standard codes."""
    advice: str | None
    error: str | None
    """The provider's own words."""
    created_at: Instant
    """Machine time. Never later than the first sending, so a key's window counted from here is never overrun."""
    resolved_at: Instant | None
    version: int = 1

    @property
    def is_unresolved(self) -> bool:
        """Whether it may still have, or already have had, an effect that we do not know."""
        return self.state in UNRESOLVED

    @property
    def asked(self) -> dict[str, Any]:
        """What is asked, read."""
        read: dict[str, Any] = json.loads(self.request)
        return read

    @property
    def is_final(self) -> bool:
        """Whether its hold has ended when it is done."""
        return self.asked.get("final") is not False

    @property
    def taken_minor(self) -> int:
        """What had been taken of the hold when it was asked for."""
        return int(self.asked.get("taken_minor") or 0)


def request_text(asked: Mapping[str, str | int | None]) -> str:
    """The canonical form of a request: sorted keys, no spaces, absent values left out."""
    present = {key: value for key, value in asked.items() if value is not None}
    return json.dumps(present, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def request_hash(text: str) -> str:
    """The fingerprint of a request: the same key may never come with another one."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
