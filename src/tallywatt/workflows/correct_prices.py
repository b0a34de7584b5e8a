"""Price corrections: sessions rated again, the differences looked at, and an order to put them right."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tallywatt.customers.approval import Approval, ApprovalKind, ApprovalState, Holder
from tallywatt.invoicing.correction import CorrectedSession, Correction, CorrectionState, Outcome
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.kernel.events import Event
from tallywatt.kernel.money import Money, currency
from tallywatt.rating.read import read_tariff_text
from tallywatt.workflows.ask_refund import take_from_limits
from tallywatt.workflows.correct_session import charged_minor, forgiven_minor
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.second_eyes import Wanted, ask_approval

if TYPE_CHECKING:
    from tallywatt.kernel.events import Scalar
    from tallywatt.kernel.identity import SessionId
    from tallywatt.workflows.ports import UnitOfWork

PRICE_CORRECTION: Final = "price_correction"
"""Job: price the sessions of the correction of that id again."""
CARRY_OUT_CORRECTION: Final = "carry_out_correction"
"""Job: put right what the correction of that id found, session by session."""
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
    was_tax_minor: int | None = None
    now_tax_minor: int | None = None
    taxes_differ: bool = False
    """Whether the tax is another one than so much of the old price would have."""
    lines_differ: bool = False
    """Whether the same sum is made of other parts."""


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
    less, more, largest, others = known.less_minor, known.more_minor, known.largest_minor, known.others
    for one in command.rows:
        row = _differing(work, known, one)
        if row is None or not work.corrected_sessions.add(row):
            continue
        difference = row.now_minor - row.was_minor
        less, more = less + max(0, -difference), more + max(0, difference)
        largest = max(largest, -difference)
        others += not difference
    after = replace(known, less_minor=less, more_minor=more, largest_minor=largest, others=others)
    if command.looked is not None:
        nothing = not (less or more or others)
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
    was = charged_minor(work, invoice)
    if one.now_minor > was:
        # What was given up once is not asked for by a later correction.
        was = min(one.now_minor, was + forgiven_minor(work, invoice))
    if was == one.now_minor and not (one.taxes_differ or one.lines_differ):
        return None
    return CorrectedSession(
        correction.correction_id,
        session.session_id,
        invoice.invoice_id,
        was,
        one.now_minor,
        Outcome.OPEN,
        0,
        0,
        None,
        replaces=one.taxes_differ or (was == one.now_minor and one.lines_differ),
        was_tax_minor=one.was_tax_minor,
        now_tax_minor=one.now_tax_minor,
    )


@dataclass(frozen=True, slots=True)
class OrderCorrection:
    """Which correction is to be carried out, and whose limit it is held against; None: whoever sits at the machine."""

    correction_id: str
    holder: Holder | None
    ask_above_minor: int | None = None
    """What was charged too little is asked for where it is more than this in a session; None: all of it is given up."""


def order_correction(work: UnitOfWork, command: OrderCorrection) -> Correction:
    """Give back what was too much, and ask for what was too little, or give it up.

    What is given away, back or up, counts: beyond the limit of whoever asks it waits for another person.
    """
    if command.ask_above_minor is not None and command.ask_above_minor < 0:
        msg = "what is given up in a session is not below zero"
        raise BadInput(msg, code="corrections.bad_limit")
    known = work.corrections.lock(command.correction_id)
    if known.state in (CorrectionState.RUNNING, CorrectionState.DONE):
        return known
    asked = work.approvals.by(subject_id=known.correction_id)
    if any(one.state is ApprovalState.WAITING for one in asked):
        return known
    if known.state not in (CorrectionState.PROPOSED, CorrectionState.WAITING):
        msg = f"a correction that is {known.state} is not carried out"
        raise Conflict(msg, code="corrections.not_proposed")
    waived, most = work.queries.too_little(known.correction_id, command.ask_above_minor)
    total = Money(known.less_minor + waived, currency(known.currency))
    largest = max(known.largest_minor, most)
    known = replace(known, ask_above_minor=command.ask_above_minor, decided_by=work.actor)
    passed = take_from_limits(work, command.holder, total, 0, largest=largest)
    after = {"minor": known.less_minor, "waived_minor": waived, "ask_above_minor": command.ask_above_minor}
    if not passed:
        record_action(work, "correction.carry_out", "correction", known.correction_id, after=after)
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
    if known.state is CorrectionState.DONE:
        msg = "it has been carried out"
        raise Conflict(msg, code="corrections.done", remedy="what was put right is corrected by another one")
    waits = any(one.state is ApprovalState.WAITING for one in work.approvals.by(subject_id=known.correction_id))
    if known.state not in (CorrectionState.PRICING, CorrectionState.PROPOSED, CorrectionState.WAITING) or waits:
        msg = "it is being carried out, or somebody is asked to approve it"
        raise Conflict(msg, code="corrections.under_way")
    record_action(work, "correction.discard", "correction", known.correction_id, before={"minor": known.less_minor})
    return work.corrections.put(replace(known, state=CorrectionState.DISCARDED, ended_at=work.machine_now))


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
