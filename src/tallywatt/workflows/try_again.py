"""A person wants a payment tried again that has come to a halt: declined, refused, or never sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.kernel.errors import Conflict
from tallywatt.payments.account import MethodState
from tallywatt.payments.capabilities import capabilities_of
from tallywatt.payments.operation import OperationKind
from tallywatt.payments.payment import PaymentKind, PaymentState
from tallywatt.workflows.intend_operation import on_its_way
from tallywatt.workflows.open_rest import refuse_second_rest
from tallywatt.workflows.take_next_step import take_next_step

if TYPE_CHECKING:
    from tallywatt.kernel.identity import PaymentId
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Which payment."""

    payment_id: PaymentId


def try_again(work: UnitOfWork, command: TryAgain) -> Payment:
    """The payment with its next step on its way, as a new operation: the last one is known to have ended."""
    payment = work.payments.lock(command.payment_id)
    if on_its_way(work, payment.payment_id) is not None:
        msg = "an operation of this payment is on its way; what became of it comes first"
        raise Conflict(msg, code="payment.operation_on_its_way")
    refuse_second_rest(work, payment)
    halted = payment.state in (PaymentState.DECLINED, PaymentState.OWED)
    method = work.payment_methods.get(payment.method_id) if payment.method_id is not None else None
    if method is not None and method.state is MethodState.REMOVED:
        msg = "the payment method was removed, so there is nothing that could be charged"
        raise Conflict(msg, code="payment.method_removed", remedy="ask for the money in another way, or write it off")
    if halted and payment.kind is PaymentKind.STORED and method is not None:
        if method.state is MethodState.FAILED:
            # Somebody knows better than the last decline; another one of that kind ends it again.
            work.payment_methods.put(replace(method, state=MethodState.ACTIVE))
        # Where nothing can be prepared, each charge is an object of its own, and the declined one is done with.
        prepares = capabilities_of(work.provider_accounts.get(payment.account_id).provider).prepares
        ref = payment.provider_ref if prepares and _is_for_that_sum(work, payment) else None
        state = PaymentState.CREATED if ref is None else PaymentState.PREPARED
        shown = (payment.card_brand, payment.card_last4) if ref is not None else (method.brand, method.last4)
        payment = work.payments.put(
            replace(payment, state=state, provider_ref=ref, reason=None, card_brand=shown[0], card_last4=shown[1])
        )
    if take_next_step(work, payment) is None:
        msg = f"a payment that is {payment.state} has no next step"
        raise Conflict(msg, code="payment.no_next_step")
    return payment


def _is_for_that_sum(work: UnitOfWork, payment: Payment) -> bool:
    """Whether what was made ready asks for what is due now: confirmed, it takes the sum that it was made with."""
    earlier = [one for one in work.operations.by(payment_id=payment.payment_id) if one.kind is OperationKind.PREPARE]
    last = max(earlier, key=lambda one: one.operation_id, default=None)
    return last is None or last.amount_minor == payment.amount_minor
