"""Pure: accounts at payment providers, and the payment methods that customers have stored there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import CustomerId, ProviderAccountId


@dataclass(frozen=True, slots=True)
class ProviderAccount:
    """An operator's account at a provider. Operations, webhooks, settlements and the clearing account belong to it.

    It holds references to secrets (`env:NAME`, `file:PATH`, `vault:ID`), never secrets.
    """

    account_id: ProviderAccountId
    name: str
    provider: str
    """The adapter that speaks to it: a name in `capabilities.py`."""
    live: bool
    base_url: str | None
    """Where the provider listens; None for its public address."""
    currencies: tuple[str, ...]
    """ISO 4217 codes that may be collected here."""
    secret_reference: str
    webhook_secret_references: tuple[str, ...]
    """All that are valid at the moment: two while one is being replaced."""
    is_default: bool
    created_at: Instant
    closed_at: Instant | None
    merchant: str | None = None
    """The account's own name at the provider, where its API wants one with every request."""
    rank: int = 0
    """Who is asked first: the lowest."""
    fee_minor: int | None = None
    """What a payment costs there, in its minor units; None with the share: nobody has said."""
    fee_basis_points: int | None = None
    """Its share of the sum that it costs, in hundredths of a per cent."""
    report_user: str | None = None
    """Who fetches reports there, where they come as files to a user of their own."""
    report_secret_reference: str | None = None
    """What reads its settlements, where the key that moves money may not: a password, or another token."""
    least_minor: int | None = None
    """Of customers' accounts in our own books: what has to be there for a start; None: a share of the usual hold."""
    low_minor: int | None = None
    """Of prepaid balances: below it the customer is told; None: nobody is."""
    several_captures: bool = False
    """That the provider has switched several captures of one hold on for this account, where it does so by account."""
    version: int = 1


class MethodState(StrEnum):
    """Whether a stored method may be charged."""

    ACTIVE = "active"
    FAILED = "failed"
    """The issuer said that it will never work again."""
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """A card that a customer has stored with the provider. We keep the provider's tokens and what a receipt shows."""

    method_id: str
    customer_id: CustomerId
    account_id: ProviderAccountId
    customer_ref: str
    """The provider's id of the customer."""
    method_ref: str
    """The provider's id of the method; a token, never a card number."""
    brand: str
    last4: str
    state: MethodState
    created_at: Instant
    version: int = 1
