"""A session is held while a hold on a card stands behind it: the clock of the hold runs on, and is watched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.clock import Instant
from tallywatt.metering.session import SessionState
from tallywatt.payments.capabilities import Captures, capabilities_of, hold_seconds
from tallywatt.payments.payment import PaymentKind, PaymentState
from tallywatt.payments.provider import Enquiry
from tallywatt.workflows.begin_restoration import not_compared
from tallywatt.workflows.jobs import Job

if TYPE_CHECKING:
    from tallywatt.kernel.identity import SessionId
    from tallywatt.metering.session import Session
    from tallywatt.payments.account import ProviderAccount
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork

SECURE_HOLD: Final = "secure_hold"
"""Job: take from the hold behind that session what is beyond doubt, before it ends."""
HOLD_ENDS: Final = "hold_ends"
"""Inbox: the hold behind a held session is about to end, and nothing could be taken from it."""
BEFORE_MS: Final = 24 * 3_600_000
"""So long before its end: what fails then can be tried again, or looked at by a person."""
SHARE: Final = 4
"""Of a hold that lives shortly, a person still has three quarters of what is left."""


def hold_behind(work: UnitOfWork, session_id: str) -> Payment | None:
    """The hold without a driver that stands behind a session, as long as nothing is asked of it."""
    for one in work.payments.by(session_id=session_id):
        if one.kind is PaymentKind.STORED and one.state is PaymentState.AUTHORISED and one.due_minor is None:
            return one
    return None


def look_before_it_ends(work: UnitOfWork, session: Session) -> None:
    """Write down when the hold behind a held session is to be looked at. One in our own books does not end."""
    if session.payment_id is None:
        return
    payment = work.payments.get(session.payment_id)
    if payment.state is not PaymentState.AUTHORISED or payment.due_minor is not None:
        return
    left = max(0, hold_ends_at(work, payment) - work.machine_now)
    at = Instant(work.machine_now + left - min(BEFORE_MS, left // SHARE))
    work.jobs.add(Job(SECURE_HOLD, session.session_id, not_before=at))


@dataclass(frozen=True, slots=True)
class HoldLook:
    """A hold of which only its provider knows whether it can be taken in parts: where to ask, and what to look for."""

    account: ProviderAccount
    enquiry: Enquiry


def hold_to_look_at(work: UnitOfWork, session_id: SessionId) -> HoldLook | None:
    """The hold behind a held session, where the messages that placed it may not have said that. Writes nothing."""
    session = work.sessions.get(session_id)
    if session.state is not SessionState.HELD or session.payment_id is None or not_compared(work) is not None:
        return None
    payment = work.payments.get(session.payment_id)
    untouched = payment.state is PaymentState.AUTHORISED and payment.due_minor is None
    if not untouched or payment.several_captures or payment.provider_ref is None:
        return None
    account = work.provider_accounts.get(payment.account_id)
    if capabilities_of(account.provider).multiple_captures is not Captures.BY_HOLD:
        return None
    return HoldLook(account, Enquiry(payment.payment_id, payment.created_at, payment.provider_ref, payment.page_ref))


def hold_ends_at(work: UnitOfWork, payment: Payment) -> Instant:
    """When a hold ends: as its provider said with it, else as it is known to do from when it was asked for."""
    if payment.hold_expires_at is not None:
        return payment.hold_expires_at
    asked = min((one.created_at for one in work.operations.by(payment_id=payment.payment_id)), default=work.machine_now)
    account = work.provider_accounts.get(payment.account_id)
    return Instant(asked + hold_seconds(account.provider, payment.card_brand) * 1000)
