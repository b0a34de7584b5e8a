"""Before the hold behind a held session ends, what is beyond doubt is taken from it; what is in doubt stays with a person.

Where a hold can be taken in parts, the rest of it stays held until somebody has decided, or until it ends.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tallywatt.metering.session import SessionState
from tallywatt.payments.limits import least_charge
from tallywatt.payments.payment import Payment, PaymentState
from tallywatt.workflows.finish import judge_session, price_beyond_doubt
from tallywatt.workflows.hold_ends import BEFORE_MS, HOLD_ENDS, hold_ends_at
from tallywatt.workflows.intend_operation import on_its_way
from tallywatt.workflows.note_payment import note
from tallywatt.workflows.prove import needs_proof
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.take_next_step import take_next_step

if TYPE_CHECKING:
    from tallywatt.kernel.events import Scalar
    from tallywatt.kernel.identity import SessionId
    from tallywatt.metering.session import Session
    from tallywatt.workflows.ports import UnitOfWork


LAST_LOOK_MS: Final = 2 * 3_600_000
"""So long before its end a hold of which a part was taken is looked at once more."""
GRACE_MS: Final = 3_600_000
"""So long after its end: by then its provider has let it go, whether or not it has said so."""


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
    if payment.keeps_hold:
        return _secure_more(work, session, payment)
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
    keeps = payment.several_captures and minor < payment.authorised_minor
    return _secure(work, replace(payment, session_id=session.session_id, due_minor=minor, keeps_hold=keeps))


def _secure(work: UnitOfWork, payment: Payment, before: dict[str, Scalar] | None = None) -> Payment:
    stored = work.payments.put(payment)
    after = {"session_id": stored.session_id, "minor": stored.due_minor, "currency": stored.currency}
    record_action(work, "payment.secure", "payment", stored.payment_id, before=before, after=after)
    take_next_step(work, stored)
    return stored


def _secure_more(work: UnitOfWork, session: Session, payment: Payment) -> Payment:
    """More may be beyond doubt by now than when the first part was taken; less never takes anything back by itself."""
    minor = min(undisputed_minor(work, session), payment.authorised_minor)
    if minor <= (payment.due_minor or 0):
        return payment
    return _secure(work, replace(payment, due_minor=minor), {"minor": payment.due_minor})


def look_at_hold(work: UnitOfWork, command: SecureHold) -> int | None:
    """Secure what a hold ends with; in how many seconds to look at it again, None: never.

    A hold that was extended is looked at later. One that is taken in parts is looked at once more before its end, and after
    it: what is left of it is let go then at the latest, and nobody need have heard that it lapsed.
    """
    session = work.sessions.lock(command.session_id)
    if session.payment_id is None:
        return None
    payment = work.payments.lock(session.payment_id)
    left = hold_ends_at(work, payment) - work.machine_now
    if payment.state is PaymentState.AUTHORISED and payment.due_minor is None and left > BEFORE_MS:
        return _seconds(left - BEFORE_MS)
    payment = secure_hold(work, command) or payment
    if not (payment.keeps_hold or payment.is_in_parts):
        return None
    return _until_it_has_ended(work, payment, left)


def _until_it_has_ended(work: UnitOfWork, payment: Payment, left: int) -> int | None:
    if left > LAST_LOOK_MS:
        return _seconds(left - LAST_LOOK_MS)
    if left > -GRACE_MS or on_its_way(work, payment.payment_id) is not None:
        return _seconds(max(left + GRACE_MS, GRACE_MS))
    if not payment.keeps_hold:
        work.payments.put(payment.hold_ended())
        return None
    take_next_step(work, work.payments.put(replace(payment, keeps_hold=False)))
    return _seconds(GRACE_MS)


def _seconds(milliseconds: int) -> int:
    return milliseconds // 1000 + 1


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
