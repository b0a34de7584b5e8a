"""What was charged too little is asked for: from what is stored, without the driver, else on a page; or it is given up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tallywatt.customers.approval import Holder  # a command that the control socket reads: its types are needed there
from tallywatt.invoicing.correction import Outcome
from tallywatt.kernel.errors import Conflict
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import CustomerId, SessionId
from tallywatt.kernel.money import Money, currency
from tallywatt.metering.session import PayerKind
from tallywatt.payments.payment import REST, PaymentKind, PaymentState
from tallywatt.workflows.ask_on_page import AskOnPage, ask_on_page
from tallywatt.workflows.ask_refund import take_from_limits
from tallywatt.workflows.collect import Collection, from_stored_method
from tallywatt.workflows.credit_refund import CreditRefund, credit_refund
from tallywatt.workflows.intend_operation import on_its_way
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.open_rest import open_rest, rests_of
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.invoicing.correction import CorrectedSession
    from tallywatt.invoicing.invoice import Invoice
    from tallywatt.kernel.events import Scalar
    from tallywatt.metering.session import Session
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork

TELL_REST: Final = "tell_rest"
"""Job: tell the payer of the session of that id that something is still to be paid, and why."""


def is_forgotten(work: UnitOfWork, session: Session) -> bool:
    """Whether its payer was erased: nobody is left who could be asked, and nothing may lead to them again."""
    if session.payer is not PayerKind.CUSTOMER or session.payer_id is None:
        return False
    return bool(work.erasures.by(customer_id=session.payer_id))


def ask_rest(work: UnitOfWork, session: Session, invoice: Invoice, minor: int) -> Payment | None:
    """Charge what is stored, as far as there is something; whoever has an address is told, with a link to pay there."""
    payment = None
    if session.payer is PayerKind.CUSTOMER and session.payer_id is not None:
        customer_id = CustomerId(session.payer_id)
        asked = Money(minor, currency(invoice.currency))
        collection = Collection(session.session_id, invoice.invoice_id, asked, customer_id, purpose=REST)
        payment = from_stored_method(work, collection, customer_id)
        work.jobs.add(Job(TELL_REST, session.session_id))
    data: dict[str, Scalar] = {"invoice_id": invoice.invoice_id, "minor": minor, "currency": invoice.currency}
    work.events.append(Event("session", session.session_id, "RestAsked", data))
    return payment


@dataclass(frozen=True, slots=True)
class PayRest:
    """Of which session, and where the payer comes back to. `{secret}` becomes the secret of the payment."""

    session_id: SessionId
    title: str
    success_url: str
    cancel_url: str
    language: str | None = None


def pay_rest(work: UnitOfWork, command: PayRest) -> Payment:
    """A page on which what is missing is paid. Pressed twice it is the same page; one that nobody used in time is another."""
    session = work.sessions.lock(command.session_id)
    payments = rests_of(work, session)
    page = next((one for one in payments if one.kind is PaymentKind.AD_HOC and one.may_go_on), None)
    if page is not None:
        return page
    invoice = None if session.invoice_id is None else work.invoices.get(session.invoice_id)
    missing = 0 if invoice is None else open_rest(work, session, invoice)
    if invoice is None or not missing:
        msg = "nothing is asked for this session any more"
        raise Conflict(msg, code="rest.nothing_open")
    _refuse_on_its_way(work, payments)
    customer = session.payer_id if session.payer is PayerKind.CUSTOMER else None
    return ask_on_page(
        work,
        AskOnPage(
            REST,
            Money(missing, currency(invoice.currency)),
            command.title,
            command.success_url,
            command.cancel_url,
            None if customer is None else CustomerId(customer),
            session.session_id,
            invoice.invoice_id,
            command.language,
        ),
    )


def _refuse_on_its_way(work: UnitOfWork, payments: list[Payment]) -> None:
    if any(one.may_go_on or on_its_way(work, one.payment_id) is not None for one in payments):
        msg = "it is being charged just now"
        raise Conflict(msg, code="payment.operation_on_its_way")


@dataclass(frozen=True, slots=True)
class WaiveRest:
    """Of which session of which correction what is asked for is given up, and whose limit it is held against."""

    correction_id: str
    session_id: SessionId
    holder: Holder | None


def waive_rest(work: UnitOfWork, command: WaiveRest) -> CorrectedSession:
    """Ask for it no more: a credit note takes it off the invoice. Asked again it is the same."""
    row = work.corrected_sessions.get(command.correction_id, command.session_id)
    if row.outcome is Outcome.WAIVED:
        return row
    session = work.sessions.lock(command.session_id)
    payments = rests_of(work, session)
    row = work.corrected_sessions.lock(command.correction_id, command.session_id)
    invoice = None if session.invoice_id is None else work.invoices.lock(session.invoice_id)
    missing = 0 if invoice is None else min(open_rest(work, session, invoice), row.asked_minor)
    if invoice is None or row.new_invoice_id != invoice.invoice_id or missing <= 0:
        msg = "nothing is asked for this session any more"
        raise Conflict(msg, code="rest.nothing_open")
    _refuse_on_its_way(work, payments)
    if take_from_limits(work, command.holder, Money(missing, currency(invoice.currency)), 0):
        msg = "that is beyond what you give away alone"
        raise Conflict(msg, code="rest.beyond_limit", remedy="ask somebody with a higher limit")
    for payment in payments:
        if payment.state in (PaymentState.OWED, PaymentState.DECLINED) and payment.due_minor:
            work.payments.put(replace(payment, due_minor=0, state=PaymentState.ABANDONED, reason="waived"))
    asked = row.asked_minor - missing
    outcome = row.outcome if asked else Outcome.WAIVED
    waived = row.waived_minor + missing
    done = work.corrected_sessions.put(
        replace(row, asked_minor=asked, waived_minor=waived, outcome=outcome, decided_by=work.actor)
    )
    credit_refund(work, CreditRefund(invoice.invoice_id))
    data: dict[str, Scalar] = {"invoice_id": invoice.invoice_id, "minor": missing, "currency": invoice.currency}
    work.events.append(Event("session", session.session_id, "RestWaived", data))
    record_action(work, "correction.waive", "session", session.session_id, before={"minor": missing})
    return done
