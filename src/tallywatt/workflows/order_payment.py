"""A person or a key orders what is to happen to a payment: tried again, let go; and the record of who did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.try_again import TryAgain, try_again
from tallywatt.workflows.void_hold import VoidHold, void_hold

if TYPE_CHECKING:
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork


def order_retry(work: UnitOfWork, command: TryAgain) -> Payment:
    """Try a payment again, and say who wanted it."""
    payment = try_again(work, command)
    record_action(work, "payment.retry", "payment", payment.payment_id, after={"state": payment.state.value})
    return payment


def order_release(work: UnitOfWork, command: VoidHold) -> Payment:
    """Let a hold go, and say who wanted it."""
    payment = void_hold(work, command)
    record_action(work, "payment.release", "payment", payment.payment_id, after={"reason": command.reason})
    return payment
