"""Write down what will be asked of a provider, and its key, before it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.kernel.identity import OperationId
from tallywatt.payments.limits import PAGE_LIFE_MS
from tallywatt.workflows.jobs import Job

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tallywatt.payments.operation import Operation, OperationKind
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork

CALL_PROVIDER = "call_provider"
"""Job: send the operation of that id."""
ASK_PROVIDER = "ask_provider"
"""Job: find out what became of the operation of that id."""
PAGE = ("title", "success_url", "cancel_url", "expires_at", "language")
"""What is asked of a hosted page besides the sum."""


def intend_operation(
    work: UnitOfWork, payment: Payment, kind: OperationKind, amount_minor: int, asked: Mapping[str, str | int | None]
) -> Operation:
    """Write down an operation of a locked payment, and the job that sends it."""
    operation_id = OperationId(work.draw.id(f"operation/{payment.payment_id}/{kind}"))
    request = {
        **asked,
        "account_id": payment.account_id,
        "amount_minor": amount_minor,
        "currency": payment.currency,
        "operation_id": operation_id,
        "payment_id": payment.payment_id,
        "reference": payment.reference,
    }
    operation = payment.operation(operation_id, kind, amount_minor, request, work.machine_now)
    written = work.operations.add(operation)
    assert written, f"payment {payment.payment_id} has an operation on its way already"
    whose = {"payment_id": payment.payment_id, "account_id": payment.account_id}
    work.jobs.add(Job(CALL_PROVIDER, operation_id, whose))
    return operation


def intend_again(work: UnitOfWork, payment: Payment, before: Operation) -> Operation:
    """Ask another account for the page that was asked for in vain."""
    again = {name: value for name, value in before.asked.items() if name in PAGE}
    again["expires_at"] = (work.machine_now + PAGE_LIFE_MS) // 1000
    return intend_operation(work, payment, before.kind, before.amount_minor, again)


def on_its_way(work: UnitOfWork, payment_id: str) -> Operation | None:
    """The one operation of a locked payment of which it is not known what became of it."""
    return next((one for one in work.operations.by(payment_id=payment_id) if one.is_unresolved), None)
