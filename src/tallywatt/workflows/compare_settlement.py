"""What a terminal says that it has taken is laid beside our payment and what is due: a difference comes before a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.money import Money, currency
from tallywatt.payments.operation import OperationKind, OperationState
from tallywatt.workflows.listen import to_inbox

if TYPE_CHECKING:
    from tallywatt.metering.facts import TerminalSettled
    from tallywatt.payments.operation import Operation
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork

DIFFERS: Final = "settlement_differs"
"""Inbox: a terminal and we do not agree about a payment."""
WITHOUT_EFFECT: Final = (OperationState.DECLINED, OperationState.FAILED, OperationState.NOT_SENT)


def captures_of(work: UnitOfWork, payment: Payment) -> list[Operation]:
    """What was asked for of its hold, by us or by the terminal, and may have been taken."""
    return [
        one
        for one in work.operations.by(payment_id=payment.payment_id)
        if one.kind is OperationKind.CAPTURE and one.state not in WITHOUT_EFFECT
    ]


def compare_settled(work: UnitOfWork, payment: Payment, fact: TerminalSettled, minor: int, frame_id: Any) -> bool:
    """Whether what the terminal settled can be booked: the same sum as before, or the first; differences are told."""
    session = None if payment.session_id is None else work.sessions.find(payment.session_id)
    if session is not None and fact.transaction_id and fact.transaction_id != session.transaction_id:
        said = f"it names transaction {fact.transaction_id[:36]}, and the payment is of {session.transaction_id}"
        _tell(work, payment, said, "transaction", fact.transaction_id[:36], frame_id=frame_id)
    before = captures_of(work, payment)
    was = sum(one.amount_minor for one in before)
    if before and was != minor:
        # What a provider has taken is asked of the provider, never of a second word.
        who = "it has said itself" if before[-1].asked.get("settled_by") else "we have taken"
        said = f"it tells of {_sum(minor, payment)} now, and {_sum(was, payment)} is what {who}"
        _tell(work, payment, said, "again", minor, was, frame_id=frame_id)
        return False
    if payment.due_minor is not None and minor != payment.due_minor:
        _tell_due(work, payment, minor, frame_id)
    return True


def compare_status(work: UnitOfWork, payment: Payment, fact: TerminalSettled, frame_id: Any) -> bool:
    """Whether a terminal that has not settled a payment may be believed; not once its money was taken."""
    if not payment.captured_minor:
        return True
    said = f"it tells that it is {fact.status[:20]}, and {_sum(payment.captured_minor, payment)} was taken"
    _tell(work, payment, said, "status", fact.status[:20], frame_id=frame_id)
    return False


def compare_due(work: UnitOfWork, payment: Payment) -> None:
    """The price has come after the terminal: what it settled is compared now."""
    settled = [one for one in captures_of(work, payment) if one.asked.get("settled_by")]
    if settled and payment.due_minor is not None and settled[-1].amount_minor != payment.due_minor:
        _tell_due(work, payment, settled[-1].amount_minor, None)


def _tell_due(work: UnitOfWork, payment: Payment, minor: int, frame_id: Any) -> None:
    due = payment.due_minor or 0
    said = f"it has settled {_sum(minor, payment)}, and {_sum(due, payment)} is due"
    _tell(work, payment, said, "due", minor, due, frame_id=frame_id)


def _tell(work: UnitOfWork, payment: Payment, said: str, *key: object, frame_id: Any) -> None:
    to_inbox(
        work,
        DIFFERS,
        f"a terminal and we differ about a payment: {said}",
        payment.payment_id,
        *key,
        session_id=payment.session_id,
        payment_id=payment.payment_id,
        frame_id=frame_id,
        detail={"what": str(key[0]), "due_minor": payment.due_minor, "captured_minor": payment.captured_minor},
    )


def _sum(minor: int, payment: Payment) -> str:
    return f"{Money(minor, currency(payment.currency)).decimal} {payment.currency}"
