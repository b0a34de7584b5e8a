"""Pure: where collected money belongs. Every captured minor unit is allocated once, in rows that are never edited."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import OperationId, PaymentId


class Target(StrEnum):
    """What collected money is for."""

    INVOICE = "invoice"
    BALANCE = "balance"
    """The customer's own money with us."""
    REFUND_DUE = "refund_due"
    """On its way back, or back already."""
    SUSPENSE = "suspense"
    """Nobody knows yet; it is listed in the inbox."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """A part of a payment and what it is for.

    The rows of a payment always add up to what the provider holds of it, captured and in suspense; money given back is
    moved from what it was for to `refund_due`, by a row below zero and one above.
    """

    allocation_id: str
    payment_id: PaymentId
    target: Target
    target_id: str
    amount_minor: int
    currency: str
    operation_id: OperationId | None
    created_at: Instant
