"""Pure: customers, what is personal about them, and the tokens they show to a station."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import CustomerId, PaymentId, TokenId


class TokenState(StrEnum):
    """Whether a token opens a session."""

    ACTIVE = "active"
    BLOCKED = "blocked"
    USED = "used"
    """A one-time tag that has had its one transaction."""
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody with an account. What tells who it is lies apart, in `CustomerDetails`, and can be erased."""

    customer_id: CustomerId
    reference: str
    """The operator's own number for the customer, unique."""
    language: str
    created_at: Instant
    version: int = 1


@dataclass(frozen=True, slots=True)
class CustomerDetails:
    """What is personal about a customer."""

    customer_id: CustomerId
    name: str
    email: str | None
    address: str | None


@dataclass(frozen=True, slots=True)
class Token:
    """What a driver shows: a card, a key fob, an app's tag, or a one-time tag behind a payment.

    `uid_folded` is what is compared: cards are reported in either case (OCPI 2.3.0 Tokens: CiString).
    """

    token_id: TokenId
    type: str
    """OCPI TokenType: RFID, APP_USER, AD_HOC_USER, OTHER."""
    uid: str
    uid_folded: str
    customer_id: CustomerId | None
    payment_id: PaymentId | None
    state: TokenState
    created_at: Instant
    valid_until: Instant | None
    group_uid: str | None = None
    """OCPP's parentIdTag and groupIdToken: a card of the same group may stop what another one of it has started."""
    version: int = 1

    def may_start(self, now: Instant) -> bool:
        """Whether the token opens a session at this moment."""
        return self.state is TokenState.ACTIVE and (self.valid_until is None or now < self.valid_until)


def fold(uid: str) -> str:
    """The form in which tokens are compared."""
    return uid.strip().casefold()
