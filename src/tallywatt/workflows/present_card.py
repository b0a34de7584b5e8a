"""Which reader was asked about a payment, so that it is asked how that went and never asked for a second card."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tallywatt.payments.operation import OperationKind, OperationState

if TYPE_CHECKING:
    from tallywatt.kernel.identity import OperationId
    from tallywatt.payments.operation import Operation
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork


def asked_reader(work: UnitOfWork, payment: Payment) -> tuple[str | None, str | None]:
    """The provider's name of the reader and the operation that asked it, while nothing is known to be held."""
    if not payment.waits_at_reader:
        return None, None
    asked = [one for one in work.operations.by(payment_id=payment.payment_id) if one.kind is OperationKind.PRESENT]
    return (asked[-1].asked["reader_ref"], asked[-1].operation_id) if asked else (None, None)


def note_sending(work: UnitOfWork, operation_id: OperationId) -> Operation | None:
    """Write down that a reader is about to be asked, where asking twice would ask for two cards.

    None: it may have been asked already, by a process that died before it could say so; then it is only asked about.
    """
    operation = work.operations.get(operation_id)
    refused = operation.error is not None  # the last sending is known never to have arrived
    if operation.state is not OperationState.INTENDED or (operation.first_sent_at is not None and not refused):
        return None
    return work.operations.put(replace(operation, first_sent_at=work.machine_now, error=None))
