"""A stored card ends, or its bank replaces it and the provider's token charges the new one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.payments.account import MethodState
from tallywatt.payments.codes import ENDS_METHOD
from tallywatt.payments.payment import PaymentKind, PaymentState
from tallywatt.workflows.intend_operation import on_its_way
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.try_again import TryAgain, try_again

if TYPE_CHECKING:
    from tallywatt.kernel.identity import ProviderAccountId
    from tallywatt.payments.account import PaymentMethod
    from tallywatt.payments.payment import Payment
    from tallywatt.payments.provider import StoredMethod
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class RenewMethod:
    """What the provider tells of a stored card that was replaced."""

    account_id: ProviderAccountId
    stored: StoredMethod


def renew_method(work: UnitOfWork, command: RenewMethod) -> PaymentMethod | None:
    """The card as it is now; what only waited for a good card is asked for again. None: it is none of this operator's."""
    stored = command.stored
    known = work.payment_methods.one_by(account_id=command.account_id, method_ref=stored.method_ref)
    if known is None or known.state is MethodState.REMOVED:
        return None
    after = replace(known, brand=stored.brand, last4=stored.last4, state=MethodState.ACTIVE)
    if after != known:
        after = work.payment_methods.put(after)
        record_action(
            work,
            "payment_method.renew",
            "payment_method",
            known.method_id,
            before={"brand": known.brand, "state": known.state.value},
            after={"brand": after.brand, "state": after.state.value},
        )
    for payment in work.payments.by(method_id=known.method_id, state=PaymentState.DECLINED.value):
        if payment.reason in ENDS_METHOD and on_its_way(work, payment.payment_id) is None:
            try_again(work, TryAgain(payment.payment_id))
    return after


def note_method(work: UnitOfWork, payment: Payment, code: str) -> None:
    """A stored card was declined: one that will never work again is not charged for the next session."""
    if payment.kind is not PaymentKind.STORED or payment.method_id is None or code not in ENDS_METHOD:
        return
    method = work.payment_methods.get(payment.method_id)
    if method.state is MethodState.ACTIVE:
        work.payment_methods.put(replace(method, state=MethodState.FAILED))
