"""Hold more than was held before, while the session that the hold stands behind goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallywatt.kernel.errors import BadInput, Conflict
from tallywatt.kernel.identity import PaymentId  # a command that the control socket reads: its types are needed there
from tallywatt.payments.capabilities import capabilities_of
from tallywatt.payments.operation import OperationKind
from tallywatt.payments.payment import PaymentState
from tallywatt.workflows.intend_operation import intend_operation, on_its_way

if TYPE_CHECKING:
    from tallywatt.payments.operation import Operation
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class AdjustHold:
    """Which hold, and the sum that it is to be in all."""

    payment_id: PaymentId
    total_minor: int


def adjust_hold(work: UnitOfWork, command: AdjustHold) -> Operation:
    """The adjustment, on its way. Asked for again while it is, it is the same one."""
    payment = work.payments.lock(command.payment_id)
    underway = on_its_way(work, payment.payment_id)
    if underway is not None:
        if underway.kind is OperationKind.ADJUST and underway.amount_minor == command.total_minor:
            return underway
        msg = "another operation of this payment is on its way; ask again when it has ended"
        raise Conflict(msg, code="payment.operation_on_its_way")
    if payment.state is not PaymentState.AUTHORISED or payment.due_minor is not None:
        msg = f"a payment that is {payment.state} has no hold that could grow"
        raise Conflict(msg, code="payment.hold_not_open")
    if command.total_minor <= payment.authorised_minor:
        # Never sent: some providers would take it for a new hold, and others add it to the old one.
        msg = f"{payment.authorised_minor} minor units are held already; a hold only grows"
        raise BadInput(msg, code="payment.hold_not_larger")
    account = work.provider_accounts.get(payment.account_id)
    if not capabilities_of(account.provider).adjusts:
        msg = f"{account.provider} does not change holds"
        raise Conflict(msg, code="payment.hold_fixed", remedy="let the session end; what is beyond the hold is owed")
    asked: dict[str, str | int | None] = {"provider_ref": payment.provider_ref, "page_ref": payment.page_ref}
    return intend_operation(work, payment, OperationKind.ADJUST, command.total_minor, asked)
