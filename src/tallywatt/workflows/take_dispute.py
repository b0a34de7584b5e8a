"""Take in what a provider says about a dispute: by webhook or by its list, twice, late and out of order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tallywatt.ledger.disputed import moves_of_dispute
from tallywatt.ledger.settled import drafts
from tallywatt.payments.dispute import Dispute, DisputeAnswer, DisputeState, ToldDispute
from tallywatt.payments.settlement import LineKind, LineState
from tallywatt.workflows.listen import to_inbox
from tallywatt.workflows.note_payment import note
from tallywatt.workflows.post_entry import post
from tallywatt.workflows.return_rest import return_rest
from tallywatt.workflows.take_settlement import change_line, payment_of

if TYPE_CHECKING:
    from tallywatt.kernel.identity import ProviderAccountId
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork


KEEP_THE_SUM: Final = (DisputeState.ANSWERED, DisputeState.LOST)
"""States that leave what is gone as it was before."""


@dataclass(frozen=True, slots=True)
class TakeDispute:
    """A dispute that an account tells of."""

    account_id: ProviderAccountId
    told: ToldDispute


def take_dispute(work: UnitOfWork, command: TakeDispute) -> Dispute | None:
    """The dispute as it stands after this word, with its entries written; None when its payment is none of ours."""
    told = command.told
    payment = payment_of(work, command.account_id, told.payment_id, told.provider_ref)
    if payment is None or payment.currency != told.currency:
        summary = f"a dispute about {told.provider_ref or 'a payment'}, which is none of this operator"
        to_inbox(work, "dispute_unmatched", summary, command.account_id, told.dispute_ref)
        return None
    known = work.disputes.lock_by(account_id=command.account_id, dispute_ref=told.dispute_ref)
    if known is None and told.follows:
        known = _earlier(work, payment, told)
    if known is None:
        fresh = _opened(work, command, payment)
        work.disputes.add_new(fresh)
        _book(work, None, fresh)
        _match_lines(work, fresh)
        note(work, payment, "payment_disputed", f"the bank disputes it: {told.reason}", told.dispute_ref)
        return fresh
    if known.is_older(told):
        if known.withdrawn_minor or not told.withdrawn_minor or known.state not in KEEP_THE_SUM:
            return known
        # The step that took the money was told after one that says nothing of it.
        told = replace(told, state=known.state, said_at=known.said_at)
    after = replace(
        known,
        state=told.state,
        amount_minor=told.amount_minor or known.amount_minor,
        withdrawn_minor=known.withdrawn_minor if told.withdrawn_minor is None else told.withdrawn_minor,
        reason=told.reason or known.reason,
        due_at=told.due_at or known.due_at,
        said_at=max(told.said_at, known.said_at),
    )
    if after.state is DisputeState.OPEN and after.answer == DisputeAnswer.CONTEST and told.state is not known.state:
        # What was said to the bank's question, or in the round before, is no answer to what it does now.
        after = replace(after, answer=None, answer_note=None, answered_by=None, answered_at=None, answer_told_at=None)
    decided = None if after.is_undecided else known.decided_at or work.machine_now
    after = replace(after, decided_at=decided)
    if after == known:
        return known
    moved = moves_of_dispute(known) != moves_of_dispute(after)
    after = work.disputes.put(replace(after, revision=known.revision + moved))
    if moved:
        _book(work, known, after)
    if not after.is_undecided and not after.withdrawn_minor:
        # What was to go back had to wait for this.
        return_rest(work, work.payments.lock(payment.payment_id))
    return after


def _earlier(work: UnitOfWork, payment: Payment, told: ToldDispute) -> Dispute | None:
    """The newest dispute of a payment. Money is taken by the one that was announced, or by another one."""
    found = work.disputes.by(payment_id=payment.payment_id)
    if told.state is DisputeState.OPEN:
        # Or by one of which a later step was told first.
        found = [one for one in found if one.state is DisputeState.WARNING or one.said_at > told.said_at]
    return work.disputes.lock(found[-1].dispute_id) if found else None


def _match_lines(work: UnitOfWork, dispute: Dispute) -> None:
    """Lines that were settled before the dispute was heard of: what it books they do not book any more."""
    about = {"account_id": dispute.account_id, "source_ref": dispute.dispute_ref}
    for line in work.settlement_lines.by(**about, kind=LineKind.DISPUTE.value, state=LineState.EXTRA.value):
        if line.source_currency == dispute.currency:
            change_line(work, line, replace(line, state=LineState.MATCHED, payment_id=dispute.payment_id))


def _opened(work: UnitOfWork, command: TakeDispute, payment: Payment) -> Dispute:
    told = command.told
    dispute = Dispute(
        dispute_id=work.draw.id(f"dispute/{told.dispute_ref}"),
        account_id=command.account_id,
        dispute_ref=told.dispute_ref,
        payment_id=payment.payment_id,
        state=told.state,
        amount_minor=told.amount_minor,
        currency=told.currency,
        withdrawn_minor=told.withdrawn_minor or 0,
        reason=told.reason or "general",
        due_at=told.due_at,
        said_at=told.said_at,
        opened_at=work.machine_now,
        decided_at=None,
        revision=0,
    )
    return dispute if dispute.is_undecided else replace(dispute, decided_at=work.machine_now)


def _book(work: UnitOfWork, before: Dispute | None, dispute: Dispute) -> None:
    undone = () if before is None else tuple(one.back for one in moves_of_dispute(before))
    cause = f"{dispute.dispute_id}/{dispute.revision}"
    for draft in drafts("disputed", "dispute", cause, (*undone, *moves_of_dispute(dispute))):
        post(work, draft)
