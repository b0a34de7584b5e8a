"""Price corrections: sessions rated again, the differences looked at, and what was charged too much given back, each once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tallywatt.customers.approval import Approval, ApprovalKind, ApprovalState, Holder
from tallywatt.invoicing.correction import CorrectedSession, Correction, CorrectionState, Outcome, divided
from tallywatt.invoicing.invoice import InvoiceKind
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict, NotFound, TallywattError
from tallywatt.kernel.events import Event
from tallywatt.kernel.money import Money, currency
from tallywatt.payments.allocation import Target
from tallywatt.payments.payment import PaymentState
from tallywatt.rating.read import read_tariff_text
from tallywatt.workflows.ask_refund import take_from_limits
from tallywatt.workflows.credit_refund import CreditRefund, credit_refund
from tallywatt.workflows.give_back import GiveBack, give_back
from tallywatt.workflows.intend_operation import on_its_way
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.second_eyes import Wanted, ask_approval

if TYPE_CHECKING:
    from tallywatt.invoicing.invoice import Invoice
    from tallywatt.kernel.events import Scalar
    from tallywatt.kernel.identity import SessionId
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork

PRICE_CORRECTION: Final = "price_correction"
"""Job: price the sessions of the correction of that id again."""
CARRY_OUT_CORRECTION: Final = "carry_out_correction"
"""Job: give back what the correction of that id found to be too much."""
LONGEST_REASON: Final = 200


@dataclass(frozen=True, slots=True)
class OpenCorrection:
    """The tariff as it should have been (a version's id, or a reference: its newest), which sessions, and why."""

    tariff: str
    since: Instant
    until: Instant
    reason: str
    priced_by: str = ""


def open_correction(work: UnitOfWork, command: OpenCorrection) -> Correction:
    """Have the sessions priced again. Nothing is given back before somebody has looked at what differs."""
    reason = command.reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        msg = f"a correction says why, in at most {LONGEST_REASON} characters"
        raise BadInput(msg, code="corrections.no_reason")
    if command.until <= command.since:
        msg = "the range of sessions ends before it begins"
        raise BadInput(msg, code="corrections.bad_range")
    version = work.tariff_versions.find(command.tariff)
    if version is None:
        versions = work.tariff_versions.by(reference=command.tariff, frozen_of=None)
        if not versions:
            msg = f"there is no tariff {command.tariff!r}"
            raise NotFound(msg, code="tariffs.not_found")
        version = max(versions, key=lambda one: one.created_at)
    correction = Correction(
        correction_id=work.draw.id("correction"),
        tariff_version_id=version.tariff_version_id,
        reason=reason,
        since_at=command.since,
        until_at=command.until,
        priced_by=command.priced_by,
        state=CorrectionState.PRICING,
        currency=read_tariff_text(version.canonical).currency.code,
        looked=0,
        less_minor=0,
        more_minor=0,
        largest_minor=0,
        asked_by=work.actor,
        created_at=work.machine_now,
        ended_at=None,
    )
    work.corrections.add_new(correction)
    work.jobs.add(Job(PRICE_CORRECTION, correction.correction_id))
    _tell(work, correction, "CorrectionOpened")
    after = {"tariff": version.tariff_version_id, "since": command.since, "until": command.until, "reason": reason}
    record_action(work, "correction.open", "correction", correction.correction_id, after=after)
    return correction


@dataclass(frozen=True, slots=True)
class PricedAgain:
    """What a session costs under the tariff as it should have been, with tax."""

    session_id: SessionId
    now_minor: int


@dataclass(frozen=True, slots=True)
class NotePriced:
    """Some sessions of a correction, priced again; `looked` when these are the last: how many there were."""

    correction_id: str
    rows: tuple[PricedAgain, ...]
    looked: int | None = None


def note_priced(work: UnitOfWork, command: NotePriced) -> Correction:
    """Write down what differs. Told again after a crash it changes nothing."""
    known = work.corrections.lock(command.correction_id)
    if known.state is not CorrectionState.PRICING:
        return known
    less, more, largest = known.less_minor, known.more_minor, known.largest_minor
    for one in command.rows:
        row = _differing(work, known, one)
        if row is None or not work.corrected_sessions.add(row):
            continue
        difference = row.now_minor - row.was_minor
        less, more = less + max(0, -difference), more + max(0, difference)
        largest = max(largest, -difference)
    after = replace(known, less_minor=less, more_minor=more, largest_minor=largest)
    if command.looked is not None:
        nothing = not (less or more)
        state = CorrectionState.DONE if nothing else CorrectionState.PROPOSED
        ended = work.machine_now if nothing else None
        after = replace(after, looked=command.looked, state=state, ended_at=ended)
        _tell(work, after, "CorrectionPriced")
    return work.corrections.put(after) if after != known else known


def _differing(work: UnitOfWork, correction: Correction, one: PricedAgain) -> CorrectedSession | None:
    session = work.sessions.get(one.session_id)
    invoice = None if session.invoice_id is None else work.invoices.get(session.invoice_id)
    if invoice is None or invoice.currency != correction.currency:
        return None
    was = _was(work, invoice)
    if was == one.now_minor:
        return None
    outcome = Outcome.OPEN if one.now_minor < was else Outcome.LEFT
    return CorrectedSession(
        correction.correction_id, session.session_id, invoice.invoice_id, was, one.now_minor, outcome, 0, 0, None
    )


def _was(work: UnitOfWork, invoice: Invoice) -> int:
    """What a session costs by its invoice and what earlier corrections have given back of it."""
    earlier = work.corrected_sessions.by(invoice_id=invoice.invoice_id)
    return invoice.gross_minor - sum(one.credited_minor + one.refunded_minor for one in earlier)


@dataclass(frozen=True, slots=True)
class OrderCorrection:
    """Which correction is to be carried out, and whose limit it is held against; None: whoever sits at the machine."""

    correction_id: str
    holder: Holder | None


def order_correction(work: UnitOfWork, command: OrderCorrection) -> Correction:
    """Give back what was too much; beyond the limit of whoever asks it waits for another person."""
    known = work.corrections.lock(command.correction_id)
    if known.state in (CorrectionState.RUNNING, CorrectionState.DONE):
        return known
    asked = work.approvals.by(subject_id=known.correction_id)
    if any(one.state is ApprovalState.WAITING for one in asked):
        return known
    if known.state not in (CorrectionState.PROPOSED, CorrectionState.WAITING):
        msg = f"a correction that is {known.state} is not carried out"
        raise Conflict(msg, code="corrections.not_proposed")
    total = Money(known.less_minor, currency(known.currency))
    passed = take_from_limits(work, command.holder, total, 0, largest=known.largest_minor)
    if not passed:
        record_action(work, "correction.carry_out", "correction", known.correction_id, after={"minor": total.minor})
        return _run(work, known)
    request = {"correction_id": known.correction_id}
    key = f"{known.correction_id}/{len(asked)}"
    ask_approval(work, Wanted(ApprovalKind.CORRECTION, known.correction_id, key, total, known.reason, passed, request))
    return work.corrections.put(replace(known, state=CorrectionState.WAITING))


def correction_approved(work: UnitOfWork, approval: Approval) -> str:
    """Carry out what another person has approved."""
    known = work.corrections.lock(approval.subject_id)
    if known.state is not CorrectionState.WAITING:
        msg = f"the correction is {known.state}"
        raise Conflict(msg, code="corrections.not_proposed")
    return _run(work, known).correction_id


def _run(work: UnitOfWork, known: Correction) -> Correction:
    work.jobs.add(Job(CARRY_OUT_CORRECTION, known.correction_id))
    running = work.corrections.put(replace(known, state=CorrectionState.RUNNING))
    _tell(work, running, "CorrectionBegun")
    return running


@dataclass(frozen=True, slots=True)
class DiscardCorrection:
    """Which correction is not to be carried out."""

    correction_id: str


def discard_correction(work: UnitOfWork, command: DiscardCorrection) -> Correction:
    """Leave all prices as they are."""
    known = work.corrections.lock(command.correction_id)
    if known.state is CorrectionState.DISCARDED:
        return known
    waits = any(one.state is ApprovalState.WAITING for one in work.approvals.by(subject_id=known.correction_id))
    if known.state not in (CorrectionState.PRICING, CorrectionState.PROPOSED, CorrectionState.WAITING) or waits:
        msg = "it is being carried out, or somebody is asked to approve it"
        raise Conflict(msg, code="corrections.under_way")
    record_action(work, "correction.discard", "correction", known.correction_id, before={"minor": known.less_minor})
    return work.corrections.put(replace(known, state=CorrectionState.DISCARDED, ended_at=work.machine_now))


@dataclass(frozen=True, slots=True)
class CorrectSession:
    """One session of a correction that is being carried out."""

    correction_id: str
    session_id: SessionId


def correct_session(work: UnitOfWork, command: CorrectSession) -> CorrectedSession:
    """Credit what is still owed of it, and give back what was paid: once. It stays open while a payment is on its way."""
    row = work.corrected_sessions.lock(command.correction_id, command.session_id)
    correction = work.corrections.get(command.correction_id)
    if row.outcome is not Outcome.OPEN or correction.state is not CorrectionState.RUNNING:
        return row
    found = work.payments.by(invoice_id=row.invoice_id)
    payments = [work.payments.lock(one) for one in sorted(payment.payment_id for payment in found)]
    if any(one.may_go_on or on_its_way(work, one.payment_id) is not None for one in payments):
        return row
    shares = divided(row.was_minor - row.now_minor, *_standing(work, row, payments))
    given, refused = _give_back(work, correction, payments, shares.back)
    _owe_less(work, payments, shares.off_debt)
    note = None if given == shares.back and shares.off_debt + given else refused or "returned_before"
    outcome = Outcome.RETURNED if shares.off_debt + given else Outcome.SKIPPED
    done = replace(row, outcome=outcome, credited_minor=shares.off_debt, refunded_minor=given, note=note)
    done = work.corrected_sessions.put(done)
    if shares.off_debt:
        credit_refund(work, CreditRefund(row.invoice_id))
    return done


def _standing(work: UnitOfWork, row: CorrectedSession, payments: list[Payment]) -> tuple[int, int, int]:
    """What the invoice asks, what is collected for it, and what is credited of it."""
    invoice = work.invoices.lock(row.invoice_id)
    notes = [one for one in work.invoices.by(session_id=invoice.session_id) if one.kind is InvoiceKind.CREDIT_NOTE]
    credited = sum(one.gross_minor for one in notes if one.corrects_invoice_id == invoice.invoice_id)
    parts = [one for payment in payments for one in work.allocations.by(payment_id=payment.payment_id)]
    collected = sum(one.amount_minor for one in parts if one.target is Target.INVOICE)
    return invoice.gross_minor, collected, credited


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


@dataclass(frozen=True, slots=True)
class EndCorrection:
    """Nothing of it is open any more."""

    correction_id: str


def end_correction(work: UnitOfWork, command: EndCorrection) -> Correction:
    """The correction is done."""
    known = work.corrections.lock(command.correction_id)
    if known.state is not CorrectionState.RUNNING:
        return known
    done = work.corrections.put(replace(known, state=CorrectionState.DONE, ended_at=work.machine_now))
    _tell(work, done, "CorrectionDone")
    return done


def _tell(work: UnitOfWork, correction: Correction, type_: str) -> None:
    data: dict[str, Scalar] = {"minor": correction.less_minor, "currency": correction.currency}
    work.events.append(Event("correction", correction.correction_id, type_, data))
