"""Pure: the port to payment providers: what can be asked of one, and what it can answer.

An answer is a value. A decline is expected, a lost answer is expected; neither is an exception, so neither is missed.
An adapter answers `Unknown` whenever the provider may have acted, and `NotSent` only when it cannot have.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from tallywatt.kernel.clock import Instant  # a view travels over the control socket, and its types are read there

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tallywatt.payments.capabilities import Capabilities
    from tallywatt.payments.dispute import ToldDispute
    from tallywatt.payments.operation import Operation


class ViewStatus(StrEnum):
    """How a payment stands at its provider."""

    PREPARED = "prepared"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    VOIDED = "voided"
    EXPIRED = "expired"
    DECLINED = "declined"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class RefundView:
    """One refund, found by the operation that asked for it."""

    provider_ref: str
    operation_id: str | None
    amount_minor: int
    status: str
    """succeeded, pending, failed."""
    mark: str | None = None
    """By what its asker's own key is known again, also by a house that lost the operation."""


@dataclass(frozen=True, slots=True)
class CaptureView:
    """One capture of a hold, found by the operation that asked for it."""

    provider_ref: str
    operation_id: str | None
    amount_minor: int


@dataclass(frozen=True, slots=True)
class View:
    """How a payment stands at its provider, as far as one message tells. None: the message does not say."""

    status: ViewStatus
    currency: str | None = None
    provider_ref: str | None = None
    page_ref: str | None = None
    page_url: str | None = None
    authorised_minor: int = 0
    """The most that was ever held."""
    captured_minor: int = 0
    refunded_minor: int | None = None
    hold_expires_at: Instant | None = None
    refunds: tuple[RefundView, ...] = ()
    code: str | None = None
    """Why it was declined, in our standard codes."""
    card_brand: str | None = None
    card_last4: str | None = None
    failed_operation: str | None = None
    """The operation of ours that the provider took and has not carried out in the end; `code` says why."""
    told_of: str | None = None
    """The one operation of ours that it tells about, where it names it: a capture."""
    captures: tuple[CaptureView, ...] = ()
    """The captures that it tells about, where it tells of each alone; the sum is then made of all that are known."""
    several_captures: bool | None = None
    """Whether what is held can be taken in parts."""


@dataclass(frozen=True, slots=True)
class Succeeded:
    """Done."""

    view: View
    provider_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """Taken; the provider decides later and says so by webhook."""

    view: View
    provider_ref: str | None = None


@dataclass(frozen=True, slots=True)
class RequiresAction:
    """Taken; the driver has to act, at the address if there is one."""

    view: View
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Declined:
    """The issuer said no."""

    code: str
    advice: str
    said: str
    view: View | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The provider refused the request, and it had no effect: its own rules, or the state of things, forbid it."""

    code: str
    said: str
    view: View | None = None


@dataclass(frozen=True, slots=True)
class NotSent:
    """It is known that the provider has not acted on it: refused connection, throttled, or found without a trace."""

    cause: str
    retry_after_seconds: int | None = None
    view: View | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """No clear answer: find out what happened; never try again under a new key.

    `ended`: the provider works on it no more, so that what is found from now on is final.
    """

    cause: str
    ended: bool = False
    view: View | None = None


Outcome = Succeeded | Pending | RequiresAction | Declined | Failed | NotSent | Unknown


@dataclass(frozen=True, slots=True)
class Enquiry:
    """What is known about an object that is looked for."""

    payment_id: str
    created_at: Instant
    provider_ref: str | None = None
    page_ref: str | None = None
    customer_ref: str | None = None
    reader_ref: str | None = None
    """The reader that was asked for a card, while nothing is known to be held."""
    presented_by: str | None = None
    """The operation that asked it."""


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """A webhook, verified and read. `payment_id`: what its object carries of ours; None: not an object of ours."""

    event_id: str
    type: str
    said_at: Instant
    payment_id: str | None = None
    provider_ref: str | None = None
    view: View | None = None
    attention: str | None = None
    """Something that only a person can deal with: a dispute, a refund that failed."""
    dispute: ToldDispute | None = None
    operation_id: str | None = None
    """The operation of ours that it answers, where it names one and no payment."""
    report: str | None = None
    """Where a file with settlements lies that is ready now."""
    renewed: StoredMethod | None = None
    """A stored card that its bank has replaced: the same token charges the new one."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A payment of ours as a provider lists it, with what its objects carry of ours."""

    payment_id: str
    view: View
    account_id: str | None = None
    """Our account that made it: two operators may use one account at a provider."""
    customer_ref: str | None = None
    """The provider's own id of the customer whose stored method was charged."""
    session_id: str | None = None
    invoice_number: str | None = None


@dataclass(frozen=True, slots=True)
class StoredMethod:
    """A payment method as the provider keeps it."""

    customer_ref: str
    method_ref: str
    brand: str
    last4: str


@dataclass(frozen=True, slots=True)
class Setup:
    """A customer is to leave a method on a page of the provider's, for charges without them."""

    reference: str
    """Ours, of the customer."""
    title: str
    currency: str
    return_url: str
    key: str
    """The asker's: the same key again is the same page."""


@dataclass(frozen=True, slots=True)
class SetupPage:
    """Where the customer leaves it, and the word by which it is stored afterwards (`store_method`)."""

    url: str
    token: str


@runtime_checkable
class StoresByPage(Protocol):
    """A provider where a method is left on a page of its own."""

    def open_setup(self, setup: Setup) -> SetupPage:
        """A page for the method. BadInput when it is refused, Busy when the provider cannot be asked."""
        ...


@runtime_checkable
class KnowsReaders(Protocol):
    """A provider that says whether a reader belongs to the account."""

    def knows_reader(self, reader_ref: str) -> bool | NotSent | Unknown | None:
        """Whether there is a reader of that name; None: this account is not told."""
        ...


class PaymentProvider(Protocol):
    """One account at one provider. It holds no opinion about retries, routing or what to do next."""

    capabilities: Capabilities

    def send(self, operation: Operation) -> Outcome:
        """Ask exactly what was written down, under the operation's own key."""
        ...

    def enquire(self, enquiry: Enquiry) -> View | NotSent | Unknown | None:
        """How a payment stands, by the provider's id if known, else by our reference; None: there is no trace of it."""
        ...

    def list_since(self, since: Instant) -> tuple[Trace, ...] | NotSent | Unknown:
        """Every payment of ours that was made or given back since then: all of them, or the word that it cannot be told."""
        ...

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        """The event in a webhook that is authentic and fresh; NotSignedIn otherwise. Header names are in lower case."""
        ...

    def store_method(self, reference: str, token: str, key: str) -> StoredMethod:
        """Keep a method (by the token that the provider's own page gave) for charges without the driver."""
        ...
