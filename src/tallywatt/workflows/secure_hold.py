"""Before the hold behind a held session ends, what is beyond doubt is taken from it; what is in doubt stays with a person."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.metering.session import SessionState
from tallywatt.payments.limits import least_charge
from tallywatt.payments.payment import Payment, PaymentState
from tallywatt.workflows.finish import judge_session, price_beyond_doubt
from tallywatt.workflows.hold_ends import HOLD_ENDS
from tallywatt.workflows.intend_operation import take_next_step
from tallywatt.workflows.note_payment import note
from tallywatt.workflows.prove import needs_proof
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.kernel.identity import SessionId
    from tallywatt.metering.session import Session
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class SecureHold:
    """Which session."""

    session_id: SessionId


def secure_hold(work: UnitOfWork, command: SecureHold) -> Payment | None:
    """Take what nobody disputes from a hold that ends soon. The session stays held: somebody still decides about it all."""
    session = work.sessions.lock(command.session_id)
    if session.state is not SessionState.HELD or session.payment_id is None:
        return None
    payment = work.payments.lock(session.payment_id)
    if payment.state is not PaymentState.AUTHORISED or payment.due_minor is not None:
        return payment
    minor = min(undisputed_minor(work, session), payment.authorised_minor)
    account = work.provider_accounts.get(payment.account_id)
    if minor < max(1, least_charge(account.provider, payment.currency)):
        summary = (
            f"the hold of {payment.authorised_minor} minor units ends soon, and nothing of its session is beyond doubt"
        )
        note(work, replace(payment, session_id=session.session_id), HOLD_ENDS, summary, "hold")
        return payment
    stored = work.payments.put(replace(payment, session_id=session.session_id, due_minor=minor))
    after = {"session_id": session.session_id, "minor": minor, "currency": payment.currency}
    record_action(work, "payment.secure", "payment", payment.payment_id, after=after)
    take_next_step(work, stored)
    return stored


def undisputed_minor(work: UnitOfWork, session: Session) -> int:
    """What a session costs at least, whatever is decided about it: energy that no broken rule disputes, at its price.

    Where the law asks for signatures nothing is beyond doubt without them.
    """
    if needs_proof(work, session):
        return 0
    if session.transaction_ended_at is None:
        # Its stop is lost: what is certain ends where it was last heard of.
        heard = session.last_reading_at or session.started_at
        session = replace(session, transaction_ended_at=heard, occupancy_ended_at=session.occupancy_ended_at or heard)
    price = price_beyond_doubt(work, session, judge_session(work, session).undisputed)
    return 0 if price is None else price.minor
