"""Let a hold go that nobody needs: the start was refused, the driver never plugged in, the page was never paid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.payments.payment import BEFORE_MONEY, PaymentState
from tallywatt.stations.command import Action
from tallywatt.workflows.intend_operation import on_its_way
from tallywatt.workflows.take_next_step import take_next_step
from tallywatt.workflows.use_coupon import release_uses

if TYPE_CHECKING:
    from tallywatt.kernel.identity import PaymentId
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class VoidHold:
    """Which hold, and why: `start_rejected`, `never_plugged_in`, `never_paid`, `station_offline`, `cancelled`."""

    payment_id: PaymentId
    reason: str


def void_hold(work: UnitOfWork, command: VoidHold) -> Payment:
    """The payment with its release on its way. A session that has begun with it keeps it: then nothing changes."""
    payment = work.payments.lock(command.payment_id)
    if payment.session_id is not None or payment.due_minor is not None:
        return payment
    release_uses(work, payment.offer_id)
    if payment.state not in (*BEFORE_MONEY, PaymentState.AUTHORISED):
        return payment
    released = replace(payment, due_minor=0, reason=command.reason)
    if payment.state is PaymentState.CREATED and on_its_way(work, payment.payment_id) is None:
        released = replace(released, state=PaymentState.ABANDONED)
    stored = work.payments.put(released)
    take_next_step(work, stored)
    return stored


def release_unused(work: UnitOfWork, payment_id: PaymentId) -> Payment:
    """The deadline of an ad hoc payment: let it go unless a session has begun with it."""
    payment = work.payments.get(payment_id)
    if any(one.is_open and one.action is Action.START for one in work.station_commands.by(payment_id=payment_id)):
        # Its station may start yet, and the energy would be unpaid. That command's own end lets the hold go.
        return payment
    paid = payment.state is PaymentState.AUTHORISED
    return void_hold(work, VoidHold(payment_id, "never_plugged_in" if paid else "never_paid"))
