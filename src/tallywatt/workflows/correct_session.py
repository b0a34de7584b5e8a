"""One session of a price correction that is carried out: credited, given back, given up, asked for, or invoiced anew; once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from tallywatt.invoicing.correction import CorrectionState, Outcome, divided
from tallywatt.kernel.errors import TallywattError
from tallywatt.kernel.identity import CustomerId, SessionId  # a command that is stored with its types
from tallywatt.kernel.money import Money, currency
from tallywatt.metering.session import PayerKind
from tallywatt.payments.allocation import Target
from tallywatt.payments.payment import PaymentState
from tallywatt.workflows.ask_rest import ask_rest, is_forgotten
from tallywatt.workflows.begin_restoration import not_compared
from tallywatt.workflows.collect import is_below_least
from tallywatt.workflows.credit_refund import CreditRefund, credit_refund, left_of
from tallywatt.workflows.disputed_now import disputed_now
from tallywatt.workflows.give_back import GiveBack, give_back
from tallywatt.workflows.intend_operation import on_its_way
from tallywatt.workflows.replace_invoice import rate_session_again, replace_invoice

if TYPE_CHECKING:
    from tallywatt.invoicing.correction import CorrectedSession, Correction
    from tallywatt.invoicing.invoice import Invoice
    from tallywatt.metering.session import Session
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class CorrectSession:
    """One session of a correction that is being carried out."""

    correction_id: str
    session_id: SessionId


class _Case(NamedTuple):
    """What is put right, with everything that is locked for it."""

    row: CorrectedSession
    correction: Correction
    session: Session
    payments: list[Payment]
    invoice: Invoice


def correct_session(work: UnitOfWork, command: CorrectSession) -> CorrectedSession:
    """Put one session right: once. It stays open while a payment is on its way, or the house may give no numbers."""
    session = work.sessions.lock(command.session_id)
    row = work.corrected_sessions.lock(command.correction_id, command.session_id)
    correction = work.corrections.get(command.correction_id)
    if row.outcome is not Outcome.OPEN or correction.state is not CorrectionState.RUNNING:
        return row
    found = work.payments.by(invoice_id=row.invoice_id)
    payments = [work.payments.lock(one) for one in sorted(payment.payment_id for payment in found)]
    if any(one.may_go_on or on_its_way(work, one.payment_id) is not None for one in payments):
        return row
    case = _Case(row, correction, session, payments, work.invoices.lock(row.invoice_id))
    above = correction.ask_above_minor
    asks = above is not None and row.more_minor > above and not _is_too_little(work, case)
    if row.replaces or asks:
        return _invoice_anew(work, case, asks=asks)
    if row.more_minor:
        return work.corrected_sessions.put(replace(row, outcome=Outcome.WAIVED, waived_minor=row.more_minor))
    return _take_back(work, case)


def _is_too_little(work: UnitOfWork, case: _Case) -> bool:
    """Whether nobody could pay so little, in any way that the operator has."""
    whose = case.session.payer_id if case.session.payer is PayerKind.CUSTOMER else None
    asked = Money(case.row.more_minor, currency(case.invoice.currency))
    return is_below_least(work, None if whose is None else CustomerId(whose), asked)


def _take_back(work: UnitOfWork, case: _Case) -> CorrectedSession:
    """Credit what is still owed of what was too much, and give back what was paid."""
    row = case.row
    shares = divided(row.was_minor - row.now_minor, *_standing(work, case))
    given, refused = _give_back(work, case.correction, case.payments, shares.back)
    _owe_less(work, case.payments, shares.off_debt)
    note = None if given == shares.back and shares.off_debt + given else refused or "returned_before"
    outcome = Outcome.RETURNED if shares.off_debt + given else Outcome.SKIPPED
    done = replace(row, outcome=outcome, credited_minor=shares.off_debt, refunded_minor=given, note=note)
    done = work.corrected_sessions.put(done)
    if shares.off_debt:
        credit_refund(work, CreditRefund(row.invoice_id))
    return done


def _invoice_anew(work: UnitOfWork, case: _Case, *, asks: bool) -> CorrectedSession:
    """Another invoice for the session, with what follows from its sum: asked for, given up, or given back."""
    row, session = case.row, case.session
    if not_compared(work) is not None:
        # A number of the lost time may be on somebody's paper: see `begin_restoration`.
        return row
    rows = rate_session_again(work, session, case.correction.tariff_version_id)
    against = _reason_against(work, case, rows.result.gross_minor)
    if against is not None:
        return work.corrected_sessions.put(replace(row, outcome=Outcome.SKIPPED, note=against))
    charged = charged_minor(work, case.invoice)
    shares = divided(max(0, row.was_minor - row.now_minor), *_standing(work, case))
    made, payments = replace_invoice(work, session, case.invoice, rows, case.payments)
    given, refused = _give_back(work, case.correction, payments, shares.back)
    _owe_less(work, payments, shares.off_debt)
    # What was given up before is given up of the new invoice, too.
    waived = max(0, row.was_minor - charged) + (0 if asks else row.more_minor)
    outcome = Outcome.WAIVED if row.more_minor else Outcome.REPLACED
    if shares.off_debt + given:
        outcome = Outcome.RETURNED
    done = replace(
        row,
        outcome=Outcome.ASKED if asks else outcome,
        credited_minor=shares.off_debt,
        refunded_minor=given,
        asked_minor=row.more_minor if asks else 0,
        waived_minor=waived,
        new_invoice_id=made.invoice_id,
        note=None if given == shares.back else refused,
    )
    done = work.corrected_sessions.put(done)
    credit_refund(work, CreditRefund(made.invoice_id))
    if asks:
        ask_rest(work, work.sessions.get(session.session_id), made, row.more_minor)
    return done


def _reason_against(work: UnitOfWork, case: _Case, gross_minor: int) -> str | None:
    """Why there is no other invoice; None: nothing stands against it."""
    if case.session.invoice_id != case.invoice.invoice_id:
        return "replaced_meanwhile"
    if gross_minor != case.row.now_minor:
        return "priced_otherwise"
    if case.invoice.gross_minor and not left_of(work, case.invoice)[0]:
        return "returned_before"
    if is_forgotten(work, case.session):
        return "payer_erased"
    if any(disputed_now(work, one.payment_id) is not None for one in case.payments):
        return "payment.disputed"
    return None


def charged_minor(work: UnitOfWork, invoice: Invoice) -> int:
    """What a session costs by its invoice and what corrections have given back or given up of it."""
    found = work.corrected_sessions.by(session_id=invoice.session_id)
    back = sum(one.credited_minor + one.refunded_minor for one in found if one.invoice_id == invoice.invoice_id)
    up = sum(one.waived_minor for one in found if one.new_invoice_id == invoice.invoice_id)
    return invoice.gross_minor - back - up


def forgiven_minor(work: UnitOfWork, invoice: Invoice) -> int:
    """What it should have cost beyond that, and was given up: it is never asked for again."""
    found = work.corrected_sessions.by(session_id=invoice.session_id)
    mine = [one for one in found if (one.new_invoice_id or one.invoice_id) == invoice.invoice_id]
    return sum(one.waived_minor for one in mine)


def _standing(work: UnitOfWork, case: _Case) -> tuple[int, int, int]:
    """What the invoice asks, what is collected for it, and what is credited of it."""
    left, _ = left_of(work, case.invoice)
    parts = [one for payment in case.payments for one in work.allocations.by(payment_id=payment.payment_id)]
    collected = sum(one.amount_minor for one in parts if one.target is Target.INVOICE)
    return case.invoice.gross_minor, collected, case.invoice.gross_minor - left


def _give_back(work: UnitOfWork, correction: Correction, payments: list[Payment], minor: int) -> tuple[int, str | None]:
    """How much goes back, and why a payment gives nothing back. What one refuses the next may give."""
    left, refusal = minor, None
    for payment in payments:
        part = min(left, payment.returnable_minor)
        if part <= 0:
            continue
        amount = Money(part, currency(payment.currency))
        try:
            give_back(
                work, GiveBack(payment.payment_id, amount, correction.reason, f"correction/{correction.correction_id}")
            )
        except TallywattError as refused:
            refusal = refused.code
        else:
            left -= part
    return minor - left, refusal


def _owe_less(work: UnitOfWork, payments: list[Payment], minor: int) -> None:
    """What is asked for no more is not collected later, either."""
    left = minor
    for payment in payments:
        if payment.state in (PaymentState.OWED, PaymentState.DECLINED) and payment.due_minor and left:
            less = min(left, payment.due_minor)
            due = payment.due_minor - less
            work.payments.put(replace(payment, due_minor=due, amount_minor=due or payment.amount_minor))
            left -= less
