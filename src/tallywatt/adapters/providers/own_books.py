"""The provider whose accounts are in our own books: what it is asked, a workflow answers. No SDK, no secret, no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.kernel.errors import NotSignedIn
from tallywatt.payments.capabilities import capabilities_of
from tallywatt.payments.own_books import METHOD_REF
from tallywatt.payments.provider import StoredMethod
from tallywatt.workflows.answer_from_books import answer_from_books

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from tallywatt.kernel.clock import Instant
    from tallywatt.payments.operation import Operation
    from tallywatt.payments.provider import Enquiry, NotSent, Outcome, ProviderEvent, Trace, Unknown, View


class OwnBooks:
    """An operator's account whose customers pay from a balance, or on invoice. `write` runs a workflow of that operator."""

    def __init__(self, provider: str, write: Callable[[Callable[..., Any], Any], Any]) -> None:
        self.capabilities = capabilities_of(provider)
        self._provider = provider
        self._write = write

    def send(self, operation: Operation) -> Outcome:
        """Have it done. Its answer is committed before it is taken in, as with everybody else."""
        outcome: Outcome = self._write(answer_from_books, operation.operation_id)
        return outcome

    def enquire(self, enquiry: Enquiry) -> View | NotSent | Unknown | None:
        """How it stands in the books."""
        view: View | None = self._write(_how_it_stands, enquiry.payment_id)
        return view

    def list_since(self, since: Instant) -> tuple[Trace, ...] | NotSent | Unknown:  # noqa: ARG002  # see below
        """Nothing: what came back from a backup are these books and the payments, of one moment."""
        return ()

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent:  # noqa: ARG002  # nobody sends any
        """Nobody else writes in these books, so nobody has anything to tell."""
        msg = "an account in our own books hears nothing from outside"
        raise NotSignedIn(msg, code="webhook.bad_signature")

    def store_method(self, reference: str, token: str, key: str) -> StoredMethod:  # noqa: ARG002  # there is one a customer
        """The customer's one account."""
        return StoredMethod(reference, f"{METHOD_REF[self._provider]} {reference}", self._provider, "")


def _how_it_stands(work: Any, payment_id: str) -> View | None:
    hold = work.customer_holds.find(payment_id)
    return None if hold is None else hold.view
