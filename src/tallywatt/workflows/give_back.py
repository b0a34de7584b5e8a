"""Give money back to who paid it. Two refunds at once never give back more than was captured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallywatt.kernel.card_numbers import hide_card_numbers
from tallywatt.kernel.errors import BadInput, Conflict, CurrencyMismatch, IdempotencyMismatch
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import natural_key
from tallywatt.payments.operation import OperationKind
from tallywatt.workflows.disputed_now import disputed_now
from tallywatt.workflows.intend_operation import intend_operation, on_its_way
from tallywatt.workflows.reserve_refund import refuse_what_is_used, reserve_refund

if TYPE_CHECKING:
    from tallywatt.kernel.events import Scalar
    from tallywatt.kernel.identity import PaymentId
    from tallywatt.kernel.money import Money
    from tallywatt.payments.operation import Operation
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class GiveBack:
    """How much of which payment, why, and the asker's own key: the same key again is the same refund."""

    payment_id: PaymentId
    amount: Money
    reason: str
    key: str


def give_back(work: UnitOfWork, command: GiveBack) -> Operation:
    """The refund, written down and on its way. The payment is locked, so a second one sees the first."""
    payment = work.payments.lock(command.payment_id)
    known = known_refund(work, payment, command)
    if known is not None:
        return known
    if on_its_way(work, payment.payment_id) is not None:
        msg = "another operation of this payment is on its way; ask again when it has ended"
        raise Conflict(msg, code="payment.operation_on_its_way")
    refuse_impossible(work, payment, command)
    # It goes to the provider too, and no card number may.
    reason, _ = hide_card_numbers(command.reason)
    asked = {"provider_ref": payment.provider_ref, "reason": reason, "refund_key": command.key}
    # The provider keeps the mark: the key is the asker's own word, and may say anything.
    asked["refund_mark"] = _mark(payment, command)
    operation = intend_operation(work, payment, OperationKind.REFUND, command.amount.minor, asked)
    reserve_refund(work, payment, operation)
    data: dict[str, Scalar] = {"minor": command.amount.minor, "currency": payment.currency, "reason": reason}
    work.events.append(Event("payment", payment.payment_id, "RefundIntended", data))
    return operation


def known_refund(work: UnitOfWork, payment: Payment, command: GiveBack) -> Operation | None:
    """The refund of a locked payment that was asked for under the same key before; None when it is a new one."""
    mark = _mark(payment, command)
    for earlier in work.operations.by(payment_id=payment.payment_id):
        # One that was found at its provider after a restore has the mark alone.
        known = mark == earlier.asked.get("refund_mark") or command.key == earlier.asked.get("refund_key")
        if earlier.kind is OperationKind.REFUND and known:
            if earlier.amount_minor != command.amount.minor:
                msg = "this refund was asked for with another amount before"
                raise IdempotencyMismatch(msg)
            return earlier
    return None


def refuse_impossible(work: UnitOfWork, payment: Payment, command: GiveBack) -> None:
    """Raise what stands against a refund of a locked payment, whoever asks for it."""
    if command.amount.currency.code != payment.currency:
        msg = f"the payment is in {payment.currency}"
        raise CurrencyMismatch(msg)
    if command.amount.minor <= 0:
        msg = "a refund gives something back"
        raise BadInput(msg, code="payment.refund_of_nothing")
    if (dispute := disputed_now(work, payment.payment_id)) is not None:
        msg = f"the payer's bank has disputed this payment: it is {dispute.state}"
        raise Conflict(
            msg, code="payment.disputed", remedy="the bank would give the money back twice: answer the dispute"
        )
    if command.amount.minor > payment.returnable_minor:
        msg = f"only {payment.returnable_minor} of {payment.captured_minor} minor units are left to give back"
        raise Conflict(msg, code="payment.refund_beyond_capture")
    refuse_what_is_used(work, payment, command.amount.minor)


def _mark(payment: Payment, command: GiveBack) -> str:
    return natural_key("refund", payment.payment_id, command.key)
