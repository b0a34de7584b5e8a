"""A session runs on a hold: before it costs more than is held, the hold grows, or the session is stopped.

What the house knows is always a little old. So it is asked what the session can cost at the EVSE's full power until the next
word of its station, and until a stop has worked: a hold that would not last that long is acted on now.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tallywatt.metering.session import SessionState
from tallywatt.payments.capabilities import capabilities_of
from tallywatt.payments.limits import MOST_HOLDS
from tallywatt.payments.operation import OperationKind, OperationState
from tallywatt.payments.payment import PaymentState
from tallywatt.stations.nearness import Step, step_at
from tallywatt.workflows.adjust_hold import AdjustHold, adjust_hold
from tallywatt.workflows.answer_from_books import free_minor
from tallywatt.workflows.keep_limit import is_confirmed, limits_of
from tallywatt.workflows.note_payment import note
from tallywatt.workflows.watch_limit import LATEST_SECONDS, SOON_SECONDS, come_nearer, look_at, may_cap, stop_session

if TYPE_CHECKING:
    from tallywatt.kernel.identity import PaymentId
    from tallywatt.metering.session import Session
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork
    from tallywatt.workflows.watch_limit import Look

EXPIRY_MS: Final = 30 * 60 * 1000
"""So long before a hold lapses its session is stopped: there has to be time to price it and to take what is due."""


@dataclass(frozen=True, slots=True)
class WatchHold:
    """The payment whose hold is watched."""

    payment_id: PaymentId


def watch_hold(work: UnitOfWork, command: WatchHold) -> int | None:
    """In how many seconds to look again; None: there is nothing to watch any more."""
    payment = work.payments.lock(command.payment_id)
    session = _running(work, payment)
    if session is None:
        return None
    limits = limits_of(work, session)
    look = _before_it_lapses(work, look_at(work, session, limits), payment)
    if look.left_ms is None:
        return LATEST_SECONDS
    # Whoever wants no more than is held is not held more of.
    grows = _may_grow(work, payment) if limits.gross_minor == payment.authorised_minor else 0
    keeps = not grows and is_confirmed(work, session, limits)
    step = step_at(look.left_ms, look.pace, may_cap=not grows and may_cap(work, look), station_stops=keeps)
    if step is Step.STOP:
        return _stop(work, session, payment)
    if any(one.is_unresolved for one in work.operations.by(payment_id=payment.payment_id)):
        return SOON_SECONDS
    if grows and look.left_ms <= 2 * look.pace.reaction_ms:
        adjust_hold(work, AdjustHold(payment.payment_id, payment.authorised_minor + grows))
        return SOON_SECONDS
    return come_nearer(work, look, step)


def _running(work: UnitOfWork, payment: Payment) -> Session | None:
    """The session that uses the hold up, if one does."""
    if payment.state is not PaymentState.AUTHORISED or payment.due_minor is not None or payment.session_id is None:
        return None
    session = work.sessions.find(payment.session_id)
    return session if session is not None and session.state is SessionState.ACTIVE else None


def _before_it_lapses(work: UnitOfWork, look: Look, payment: Payment) -> Look:
    """The same look, with the moment in mind at which the hold is about to lapse."""
    if payment.hold_expires_at is None:
        return look
    expires = payment.hold_expires_at - EXPIRY_MS - work.machine_now
    return replace(look, left_ms=expires if look.left_ms is None else min(expires, look.left_ms))


def _may_grow(work: UnitOfWork, payment: Payment) -> int:
    """How much more may be held: the provider can, and it was not refused before. Of our own books what is there, at most."""
    account = work.provider_accounts.get(payment.account_id)
    able = capabilities_of(account.provider)
    if able.own_books and payment.customer_id is not None:
        free = free_minor(work, account.provider, payment.customer_id, payment.currency) or 0
        return max(0, min(free, max(payment.amount_minor, work.operators.get().hold_minor)))
    total = payment.authorised_minor + payment.amount_minor
    if not able.adjusts or total > MOST_HOLDS * payment.amount_minor:
        return 0
    tried = [one for one in work.operations.by(payment_id=payment.payment_id) if one.kind is OperationKind.ADJUST]
    return payment.amount_minor if all(one.state is OperationState.SUCCEEDED for one in tried) else 0


def _stop(work: UnitOfWork, session: Session, payment: Payment) -> int | None:
    """Stop the session; what a station delivers that does not stop is owed, and a person is told."""
    again = stop_session(work, session)
    if again is None:
        summary = (
            f"the station does not stop: what it delivers beyond {payment.authorised_minor} minor units stays owed"
        )
        note(work, payment, "hold_used_up", summary, session.session_id)
    return again
