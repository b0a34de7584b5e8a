"""What was asked for besides the first price of a session and is not paid, and by which payments; each is paid once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.kernel.errors import Conflict
from tallywatt.payments.allocation import Target
from tallywatt.payments.payment import REST
from tallywatt.payments.routing import Wish, can
from tallywatt.workflows.credit_refund import left_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from tallywatt.invoicing.invoice import Invoice
    from tallywatt.metering.session import Session
    from tallywatt.payments.account import ProviderAccount
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork


def open_rest(work: UnitOfWork, session: Session, invoice: Invoice) -> int:
    """What was asked for besides the first price of a session, is not paid, and is still owed."""
    corrected = work.corrected_sessions.by(session_id=session.session_id)
    asked = sum(one.asked_minor for one in corrected)
    payments = work.payments.by(session_id=session.session_id)
    taken = sum(one.captured_minor for one in payments if one.purpose == REST)
    owed, _ = left_of(work, invoice)
    for payment in payments:
        rows = work.allocations.by(payment_id=payment.payment_id)
        owed -= sum(one.amount_minor for one in rows if one.target is Target.INVOICE)
    return max(0, min(asked - taken, owed))


def on_a_page(accounts: Collection[ProviderAccount], currency: str, minor: int | None) -> bool:
    """Whether one of the accounts opens a page for such a sum; None: for any sum."""
    return any(can(one, Wish(currency, minor, on_page=True)) for one in accounts)


def rests_of(work: UnitOfWork, session: Session) -> list[Payment]:
    """The payments of it, locked."""
    found = work.payments.by(session_id=session.session_id)
    return [work.payments.lock(one.payment_id) for one in found if one.purpose == REST]


def refuse_second_rest(work: UnitOfWork, payment: Payment) -> None:
    """Raise where a payment of a rest is tried again, and the rest is paid or being paid in another way."""
    if payment.purpose != REST or payment.session_id is None:
        return
    session = work.sessions.get(payment.session_id)
    others = [one for one in rests_of(work, session) if one.payment_id != payment.payment_id]
    if any(one.may_go_on for one in others):
        msg = "somebody is paying it on a page just now"
        raise Conflict(msg, code="payment.operation_on_its_way")
    invoice = None if session.invoice_id is None else work.invoices.get(session.invoice_id)
    if invoice is None or open_rest(work, session, invoice) < payment.amount_minor:
        msg = "what it was for is not open any more"
        raise Conflict(msg, code="rest.nothing_open")
