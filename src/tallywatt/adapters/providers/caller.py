"""The worker's side of payments: send what was written down, find out what is not known, and bring the answer home.

No transaction is open while a provider is asked. A crash between any two lines is safe: the operation is on the disk
before it is sent, its key never changes, and taking in an answer twice changes nothing.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from tallywatt.adapters.providers.own_books import OwnBooks
from tallywatt.adapters.providers.secrets import read_secret
from tallywatt.kernel.errors import Broken
from tallywatt.kernel.measures import MICROSECONDS, Counter, Spread
from tallywatt.payments.capabilities import capabilities_of
from tallywatt.payments.fact import ProviderFact, Source, outcome_shown
from tallywatt.payments.operation import OperationKind, OperationState
from tallywatt.payments.payment import PaymentState
from tallywatt.payments.provider import (
    KnowsReaders,
    NotSent,
    Pending,
    RequiresAction,
    Succeeded,
    Unknown,
    View,
    ViewStatus,
)
from tallywatt.workflows.apply_provider_fact import apply_provider_fact
from tallywatt.workflows.check_reader import ReaderSeen, reader_to_check, take_reader_seen
from tallywatt.workflows.hold_ends import hold_to_look_at
from tallywatt.workflows.look_at_page import page_to_look_at, pause_after
from tallywatt.workflows.present_card import note_sending
from tallywatt.workflows.resolve_unknown import pursue

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.kernel.clock import Clock, Instant
    from tallywatt.kernel.identity import OperationId, PaymentId, SessionId
    from tallywatt.payments.account import ProviderAccount
    from tallywatt.payments.operation import Operation
    from tallywatt.payments.provider import Outcome, PaymentProvider
    from tallywatt.workflows.ports import UnitOfWork
    from tallywatt.workflows.resolve_unknown import Pursuit

C = TypeVar("C")
R = TypeVar("R")
C_contra = TypeVar("C_contra", contravariant=True)


class Write(Protocol):
    """Runs a workflow of one operator through the writer and waits for its commit."""

    def __call__(self, workflow: Callable[[UnitOfWork, C], R], command: C, /) -> R:
        """The workflow's result."""
        ...


class TryLater(Exception):
    """The job is to run again later: nothing is lost, and nothing is known yet."""

    def __init__(self, cause: str, after_seconds: int | None = None) -> None:
        super().__init__(cause)
        self.after_seconds = after_seconds


class Providers:
    """The open connections to provider accounts, one each, kept between calls."""

    def __init__(self, secret: Callable[[str], str] = read_secret, base_url: str | None = None) -> None:
        self._secret = secret
        self._base_url = base_url
        """Where this house is reached, for a provider that is told with each payment where its news goes."""
        self._open: dict[tuple[str, int], PaymentProvider] = {}

    def __call__(self, account: ProviderAccount) -> PaymentProvider:
        """The provider behind an account. A changed account (a new secret) is opened anew."""
        key = (account.account_id, account.version)
        found = self._open.get(key)
        if found is None:
            found = self._open[key] = self._connect(account)
        return found

    def _connect(self, account: ProviderAccount) -> PaymentProvider:
        connect = {"stripe": self._stripe, "mollie": self._mollie, "adyen": self._adyen}.get(account.provider)
        if connect is None:
            msg = f"no adapter speaks to {account.provider!r}"
            raise Broken(msg, code="payment.unknown_provider")
        try:
            return connect(account)
        except ModuleNotFoundError as error:
            msg = f"the part that speaks to {account.provider} is not installed: {error.name}"
            remedy = f"install tallywatt[{account.provider}]"
            raise Broken(msg, code="payment.provider_not_installed", remedy=remedy) from error

    # Each SDK takes a good part of a second to load, and an installation needs the ones of its providers alone.

    def _stripe(self, account: ProviderAccount) -> PaymentProvider:
        from tallywatt.adapters.providers.stripe_cards import StripeCards  # noqa: PLC0415 - see above

        return StripeCards(
            self._secret(account.secret_reference),
            tuple(self._secret(one) for one in account.webhook_secret_references),
            live=account.live,
            base_url=account.base_url,
        )

    def _mollie(self, account: ProviderAccount) -> PaymentProvider:
        from tallywatt.adapters.providers.mollie_cards import MollieCards  # noqa: PLC0415 - see above

        return MollieCards(
            self._secret(account.secret_reference),
            live=account.live,
            base_url=account.base_url,
            webhook_url=self._news_of(account),
            report_token=None
            if account.report_secret_reference is None
            else self._secret(account.report_secret_reference),
        )

    def _adyen(self, account: ProviderAccount) -> PaymentProvider:
        from tallywatt.adapters.providers.adyen_cards import AdyenCards  # noqa: PLC0415 - see above

        return AdyenCards(
            self._secret(account.secret_reference),
            tuple(self._secret(one) for one in account.webhook_secret_references),
            merchant=account.merchant or "",
            live=account.live,
            base_url=account.base_url,
            report_access=self._report_access(account),
            account_id=account.account_id,
        )

    def _report_access(self, account: ProviderAccount) -> tuple[str, str] | None:
        if account.report_user is None or account.report_secret_reference is None:
            return None
        return account.report_user, self._secret(account.report_secret_reference)

    def _news_of(self, account: ProviderAccount) -> str | None:
        if self._base_url is None:
            return None
        return f"{self._base_url.rstrip('/')}/webhooks/{account.provider}/{account.account_id}"


ARRIVES_WITHIN_MS = 30 * 1000
"""So long what was sent to a reader may be on its way there: until then it proves nothing that nobody knows of it."""
PAGE_MARGIN_MS = 10 * 60 * 1000
"""By how much a provider's clock may be behind ours when it closes a page."""
NOT_COMPARED = "restored from a backup, and not yet compared with the provider: tallywatt reconcile"
PAGE_SECONDS = 15
"""The longest pause while a driver waits for the page of the provider."""
HELD_SECONDS = 30
"""How often a job looks whether a restored house has been compared with its providers."""


def _let_go(pursuit: Pursuit) -> None:
    if pursuit.is_held:
        raise TryLater(NOT_COMPARED, HELD_SECONDS)


def _while_somebody_waits(operation: Operation) -> int | None:
    """The pause before a page is asked for again: its driver stands at the station, and does not come back in an hour."""
    waits = operation.kind is OperationKind.HOSTED_PAGE or "reader_ref" in operation.asked
    return min(2**operation.attempts, PAGE_SECONDS) if waits else None


def provider_behind(
    provider_of: Callable[[ProviderAccount], PaymentProvider], write: Write, account: ProviderAccount
) -> PaymentProvider:
    """The provider of an account; one in our own books is answered by a workflow of its operator."""
    if capabilities_of(account.provider).own_books:
        return OwnBooks(account.provider, write)
    return provider_of(account)


def can_be_asked(provider: PaymentProvider, pursuit: Pursuit) -> bool:
    """Whether the provider tells how this payment stands: a reader does also where payments cannot be asked about."""
    return provider.capabilities.enquiry or pursuit.enquiry.reader_ref is not None


class Caller:
    """Carries out the jobs `call_provider` and `ask_provider`."""

    def __init__(self, provider_of: Callable[[ProviderAccount], PaymentProvider], clock: Clock) -> None:
        self._provider_of = provider_of
        self._clock = clock
        self.calls = Counter("kind", "outcome")
        """What was asked of providers, and how they answered."""
        self.call_times = Spread(MICROSECONDS, "kind")

    def call_provider(self, write: Write, operation_id: OperationId) -> None:
        """Send an operation that was written down, and apply the answer. TryLater when it is known not to have arrived."""
        pursuit = write(pursue, operation_id)
        if pursuit is None:
            return
        if pursuit.operation.state is not OperationState.INTENDED:
            return
        _let_go(pursuit)
        provider = self._of(write, pursuit.account)
        once = pursuit.operation.kind is OperationKind.PRESENT and not provider.capabilities.presents_by_key
        may_send = not once or write(note_sending, operation_id) is not None
        fact = self.send(pursuit, provider) if may_send else self.find_out(pursuit, provider)
        write(apply_provider_fact, fact)
        if isinstance(fact.outcome, NotSent):
            raise TryLater(
                fact.outcome.cause, fact.outcome.retry_after_seconds or _while_somebody_waits(pursuit.operation)
            )

    def ask_provider(self, write: Write, operation_id: OperationId) -> None:
        """Find out what became of an operation, and apply it. TryLater while it stays unknown."""
        pursuit = write(pursue, operation_id)
        if pursuit is None:
            return
        _let_go(pursuit)
        fact = self.find_out(pursuit, self._of(write, pursuit.account))
        write(apply_provider_fact, fact)
        if isinstance(fact.outcome, (Unknown, Pending, RequiresAction)):
            msg = "it is not known yet what became of it"
            raise TryLater(msg)

    def look_at_page(self, write: Write, payment_id: PaymentId, opened_at: Instant) -> None:
        """See whether the driver has paid on the page, and apply it. TryLater while it is open, or cannot be seen."""
        look = write(page_to_look_at, payment_id)
        if look is None:
            return
        if look.is_held:
            raise TryLater(NOT_COMPARED, HELD_SECONDS)
        seen = self._of(write, look.account).enquire(look.enquiry)
        if isinstance(seen, View):
            payment = write(apply_provider_fact, ProviderFact(payment_id, Succeeded(seen), Source.JANITOR))
            if payment.state is not PaymentState.REQUIRES_ACTION:
                return
        msg = "the driver has not paid on the page yet"
        at_reader = look.enquiry.reader_ref is not None
        raise TryLater(msg, pause_after((self._clock.now() - opened_at) / 1000, at_reader=at_reader))

    def look_at_hold(self, write: Write, session_id: SessionId) -> None:
        """See how the hold behind a held session stands before it is taken from, and apply it; silence changes nothing."""
        look = write(hold_to_look_at, session_id)
        if look is None:
            return
        seen = self._of(write, look.account).enquire(look.enquiry)
        if isinstance(seen, View):
            write(apply_provider_fact, ProviderFact(look.enquiry.payment_id, Succeeded(seen), Source.JANITOR))

    def check_reader(self, write: Write, reader_id: str) -> None:
        """See whether the provider knows a reader. TryLater while it cannot be asked; one that does not tell is not asked."""
        look = write(reader_to_check, reader_id)
        if look is None:
            return
        provider: object = self._of(write, look.account)
        if not isinstance(provider, KnowsReaders):
            return
        seen = provider.knows_reader(look.reader.reader_ref)
        if seen is None:
            return
        if not isinstance(seen, bool):
            raise TryLater(seen.cause)
        write(take_reader_seen, ReaderSeen(reader_id, seen))

    def _of(self, write: Write, account: ProviderAccount) -> PaymentProvider:
        """The provider behind an account: an outside one, or our own books."""
        return provider_behind(self._provider_of, write, account)

    def send(self, pursuit: Pursuit, provider: PaymentProvider | None = None) -> ProviderFact:
        """Send an operation once. One whose key may have run out is asked about instead."""
        provider, operation = provider or self._provider_of(pursuit.account), pursuit.operation
        if self._is_too_late(operation) or not self._in_window(provider, pursuit):
            return self.find_out(pursuit, provider)
        sent_at = self._clock.now()
        outcome = self._measured(provider, operation)
        return ProviderFact(operation.payment_id, outcome, Source.REPLY, operation.operation_id, sent_at)

    def _measured(self, provider: PaymentProvider, operation: Operation) -> Outcome:
        began = time.monotonic()
        outcome = provider.send(operation)
        self.call_times.take(int((time.monotonic() - began) * 1_000_000), operation.kind.value)
        self.calls.add(operation.kind.value, type(outcome).__name__)
        return outcome

    def find_out(self, pursuit: Pursuit, provider: PaymentProvider | None = None) -> ProviderFact:
        """What became of an operation: by its object if its id is known, else by sending the same bytes under the same key
        while that is safe, else by looking for our reference. Never by a new key.
        """
        provider, operation = provider or self._provider_of(pursuit.account), pursuit.operation
        enquiry, can_tell = pursuit.enquiry, can_be_asked(provider, pursuit)
        known = (enquiry.provider_ref, enquiry.page_ref, enquiry.reader_ref)
        if can_tell and any(one is not None for one in known):
            seen = self._look(provider, pursuit)
            if seen is not None:
                return self._fact(pursuit, seen)
        if operation.state is OperationState.PENDING:
            undecided = "the provider has not decided yet"
            return self._fact(pursuit, Unknown(undecided) if can_tell else Pending(View(ViewStatus.PROCESSING)))
        if not can_tell and self._is_page_of_nobody(pursuit):
            return self._fact(pursuit, NotSent("nobody was led to that page, and its time is over"))
        sent_at = None
        if self._may_resend(provider, pursuit):
            sent_at = self._clock.now()
            outcome = self._measured(provider, operation)
            if isinstance(outcome, NotSent):
                # This sending did not arrive; the one before may have.
                return self._fact(pursuit, Unknown(outcome.cause), sent_at)
            if not (isinstance(outcome, Unknown) and outcome.ended):
                return self._fact(pursuit, outcome, sent_at)
        return self._fact(pursuit, self._found_or_gone(provider, pursuit), sent_at)

    def _found_or_gone(self, provider: PaymentProvider, pursuit: Pursuit) -> Outcome:
        """What is concluded from the provider's objects alone; from one that shows none, nothing."""
        if not can_be_asked(provider, pursuit):
            return Unknown("only its webhook tells what became of it")
        if pursuit.enquiry.reader_ref is not None and self._age(pursuit) < ARRIVES_WITHIN_MS:
            return self._look(provider, pursuit) or Unknown("it may be on its way to the reader")
        gone = NotSent("there is no trace of it, and the provider works on it no more")
        return self._look(provider, pursuit) or gone

    def _is_page_of_nobody(self, pursuit: Pursuit) -> bool:
        """Whether it is a page of which only the provider can know where it was, and which cannot be paid any more."""
        operation = pursuit.operation
        if operation.kind is not OperationKind.HOSTED_PAGE or pursuit.enquiry.page_ref is not None:
            return False
        return self._clock.now() >= int(operation.asked["expires_at"]) * 1000 + PAGE_MARGIN_MS

    def _look(self, provider: PaymentProvider, pursuit: Pursuit) -> Outcome | None:
        """The outcome that the provider's own objects prove; Unknown when it cannot be asked; None when they prove nothing."""
        seen = provider.enquire(pursuit.enquiry)
        if isinstance(seen, View):
            return outcome_shown(pursuit.operation, seen)
        return Unknown(seen.cause) if seen is not None else None

    def _in_window(self, provider: PaymentProvider, pursuit: Pursuit) -> bool:
        return self._age(pursuit) < provider.capabilities.idempotency_window_seconds * 1000

    def _age(self, pursuit: Pursuit) -> int:
        return self._clock.now() - pursuit.operation.created_at

    def _may_resend(self, provider: PaymentProvider, pursuit: Pursuit) -> bool:
        """Whether the same bytes under the same key are sure to be the same request, and still wanted."""
        operation = pursuit.operation
        if self._is_too_late(operation):
            return False
        # A reader is asked about by another message than the one that made it ask, and neither has a key.
        at_reader = operation.kind is OperationKind.PRESENT and not provider.capabilities.presents_by_key
        return not at_reader and self._in_window(provider, pursuit)

    def _is_too_late(self, operation: Operation) -> bool:
        """Whether whoever stood at the reader has gone: it is not made to ask the next one for this card."""
        until = operation.asked.get("present_until")
        return operation.kind is OperationKind.PRESENT and until is not None and self._clock.now() >= int(until)

    def _fact(self, pursuit: Pursuit, outcome: Any, sent_at: Any = None) -> ProviderFact:
        operation = pursuit.operation
        return ProviderFact(operation.payment_id, outcome, Source.JANITOR, operation.operation_id, sent_at)
