"""Pure: customers' accounts in our own books, on the same port as cards: a prepaid balance, and buying on invoice.

Both behave like a card: something is held before a session begins, what is due is taken from it, the rest is let go. What is
free is never kept as a number: a prepaid balance is what its entries say, less what is held of it; on invoice it is the limit,
less what is open and what is held.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from tallywatt.payments.provider import View, ViewStatus

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import CustomerId, InvoiceId, PaymentId, ProviderAccountId

PREPAID: Final = "prepaid"
INVOICE: Final = "invoice"
METHOD_REF: Final = {PREPAID: "balance", INVOICE: "on invoice"}
"""What stands for a card's token: such a customer has one account, so there is nothing to tell apart."""
SHORT_OF_BALANCE: Final = "insufficient_funds"
OVER_LIMIT: Final = "credit_limit"
NOT_ALLOWED: Final = "not_permitted"
LEAST_SHARE: Final = 5
"""Where nobody has said how much must be there for a start, it is the usual hold divided by this."""


class HoldState(StrEnum):
    """How a hold in our own books stands."""

    HELD = "held"
    TAKEN = "taken"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class CustomerHold:
    """What one payment holds of a customer's account, or has taken from it. On invoice a taken one is an open item."""

    payment_id: PaymentId
    account_id: ProviderAccountId
    customer_id: CustomerId
    provider: str
    currency: str
    held_minor: int
    """The most that was held."""
    taken_minor: int
    returned_minor: int
    settled_minor: int
    """Of an open item: what was paid of it by bank transfer."""
    state: HoldState
    pending_id: str | None
    """The transfer in the books that is pending while it is held."""
    invoice_id: InvoiceId | None
    due_on: str | None
    """Until when an open item is to be paid, as a date."""
    created_at: Instant
    ended_at: Instant | None
    version: int = 1

    @property
    def open_minor(self) -> int:
        """What is still to be paid of an open item; below zero: what came in beyond it."""
        if self.provider != INVOICE:
            return 0
        return self.taken_minor - self.returned_minor - self.settled_minor

    @property
    def view(self) -> View:
        """How it stands, in the words of every provider."""
        status = {
            HoldState.HELD: ViewStatus.AUTHORISED,
            HoldState.TAKEN: ViewStatus.CAPTURED,
            HoldState.RELEASED: ViewStatus.VOIDED,
        }[self.state]
        return View(
            status,
            currency=self.currency,
            provider_ref=self.payment_id,
            authorised_minor=self.held_minor,
            captured_minor=self.taken_minor,
            refunded_minor=self.returned_minor,
        )


@dataclass(frozen=True, slots=True)
class CreditTerms:
    """That a customer may buy on invoice in a currency, how much may be open, and how long a bill may wait."""

    customer_id: CustomerId
    currency: str
    limit_minor: int
    term_days: int
    allowed_at: Instant
    ended_at: Instant | None
    version: int = 1


class TransferFor(StrEnum):
    """What money is for that a customer has sent by bank."""

    ITEMS = "items"
    """Open items: the invoice that it names first, then the oldest."""
    BALANCE = "balance"
    """The customer's prepaid balance."""


@dataclass(frozen=True, slots=True)
class ReceivedTransfer:
    """Money that a customer has sent to the operator's bank account."""

    transfer_id: str
    transfer_key: str
    """Whoever tells it names it: a line of a statement, or what a person has typed. The same again is the same transfer."""
    customer_id: CustomerId
    target: TransferFor
    currency: str
    amount_minor: int
    left_minor: int
    """What is for no item yet: the next one takes it."""
    reference: str
    """What the payer has written on it."""
    received_on: str
    received_at: Instant
    returned_at: Instant | None = None
    """When it was told that it went back to its payer: nothing of it is paid any more."""
    version: int = 1


@dataclass(frozen=True, slots=True)
class TransferPart:
    """So much of a transfer is for that item; below zero: no longer. Never edited."""

    part_id: str
    transfer_id: str
    payment_id: PaymentId
    amount_minor: int
    created_at: Instant
