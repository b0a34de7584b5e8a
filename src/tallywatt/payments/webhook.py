"""Pure: what a provider told us by itself, kept once per account and event."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import PaymentId, ProviderAccountId


class WebhookState(StrEnum):
    """What was done with it, in the transaction that wrote it down."""

    APPLIED = "applied"
    IGNORED = "ignored"
    """It tells nothing about an object of ours: others may use the same account at the provider."""
    UNMATCHED = "unmatched"
    """It tells about a payment that we do not know: it is in the inbox."""


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """An event of a provider. Its row and its effect are one transaction, so a redelivery finds both or neither."""

    account_id: ProviderAccountId
    event_id: str
    type: str
    payment_id: PaymentId | None
    state: WebhookState
    said_at: Instant
    received_at: Instant
    key_id: str | None
    """The key of its month and class that sealed the body."""
    sealed: bytes | None
