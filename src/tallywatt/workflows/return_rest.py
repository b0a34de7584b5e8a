"""What was taken beyond what is due goes back by itself, once nothing else of the payment is on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tallywatt.kernel.errors import Conflict
from tallywatt.kernel.money import Money, currency
from tallywatt.payments.operation import OperationKind, OperationState
from tallywatt.workflows.compare_settlement import captures_of
from tallywatt.workflows.give_back import GiveBack, give_back
from tallywatt.workflows.intend_operation import on_its_way
from tallywatt.workflows.note_payment import note

if TYPE_CHECKING:
    from tallywatt.payments.operation import Operation
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork

REFUSED: Final = (OperationState.DECLINED, OperationState.FAILED)
MOST_TRIES: Final = 3
"""Refunds of which it is known that they never arrived, each sent many times: then a person looks."""


def return_rest(work: UnitOfWork, payment: Payment) -> Operation | None:
    """The refund of what a locked payment took beyond what is due; None: nothing, not now, or a person does it.

    A part may be taken of a held session that costs less in the end, and its capture or another refund may have no answer
    when that is decided: whatever is heard last of them asks again.
    """
    if not payment.beyond_due_minor or on_its_way(work, payment.payment_id) is not None:
        return None
    if any(one.asked.get("settled_by") for one in captures_of(work, payment)):
        return None  # what a terminal took lies in the inbox beside what is due
    earlier = [one for one in work.operations.by(payment_id=payment.payment_id) if is_rest(payment, one)]
    if any(one.state in REFUSED for one in earlier):
        return None  # the provider would not, and that is in the inbox
    if sum(one.state is OperationState.NOT_SENT for one in earlier) >= MOST_TRIES:
        _for_a_person(work, payment, "it never arrived at the provider")
        return None
    amount = Money(payment.beyond_due_minor, currency(payment.currency))
    key = f"{_name(payment)}/{len(earlier)}"
    try:
        return give_back(work, GiveBack(payment.payment_id, amount, "less is due than was taken", key))
    except Conflict as refusal:
        _for_a_person(work, payment, str(refusal))
        return None


def _for_a_person(work: UnitOfWork, payment: Payment, why: str) -> None:
    note(work, payment, "refund_awaited", f"{payment.beyond_due_minor} minor units are to go back: {why}", "rest")


def _name(payment: Payment) -> str:
    return f"rest/{payment.session_id or payment.payment_id}"


def is_rest(payment: Payment, operation: Operation) -> bool:
    """Whether an operation gives back, by itself, what was too much."""
    key = str(operation.asked.get("refund_key") or "")
    return operation.kind is OperationKind.REFUND and key.startswith(f"{_name(payment)}/")
