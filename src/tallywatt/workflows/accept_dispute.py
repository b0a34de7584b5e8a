"""Let a dispute go as far as one's limit goes, like a refund of its sum; beyond it, it waits for another person.

The provider is told by a worker: decided here, told there, and what it says to that is written down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tallywatt.customers.approval import Approval, ApprovalKind, Holder
from tallywatt.kernel.card_numbers import hide_card_numbers
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.kernel.money import Money, currency
from tallywatt.payments.capabilities import capabilities_of
from tallywatt.payments.dispute import ASKED, Dispute, DisputeAnswer
from tallywatt.workflows.ask_refund import take_from_limits
from tallywatt.workflows.begin_restoration import not_compared
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.second_eyes import Wanted, ask_approval

if TYPE_CHECKING:
    from tallywatt.payments.account import ProviderAccount
    from tallywatt.workflows.ports import UnitOfWork

ACCEPT_DISPUTE: Final = "accept_dispute"
"""Job: tell the provider that the dispute of that id is let go."""
LONGEST_REASON: Final = 500


@dataclass(frozen=True, slots=True)
class AskAccept:
    """Which dispute, why it is let go, and whose limit it is held against. None: a limit of nobody."""

    dispute_id: str
    reason: str
    holder: Holder | None


def ask_accept(work: UnitOfWork, command: AskAccept) -> Dispute | Approval:
    """The dispute, let go, or the request that waits for another person. The same again is the same answer."""
    if len(command.reason) > LONGEST_REASON:
        msg = f"a reason has at most {LONGEST_REASON} characters"
        raise BadInput(msg, code="dispute.reason_too_long")
    dispute = _found(work, command.dispute_id)
    if dispute.answer == DisputeAnswer.ACCEPT:
        return dispute
    answerable(work, dispute)
    asked = [one for one in work.approvals.by(subject_id=dispute.dispute_id) if one.kind is ApprovalKind.DISPUTE]
    waiting = [one for one in asked if one.is_open(work.machine_now)]
    if waiting:
        return waiting[0]
    reason, _ = hide_card_numbers(command.reason.strip())
    sum_ = Money(dispute.amount_minor, currency(dispute.currency))
    payment = work.payments.get(dispute.payment_id)
    passed = take_from_limits(work, command.holder, sum_, payment.refunded_minor)
    if passed:
        key = f"{dispute.dispute_id}/{len(asked)}"
        request = {"dispute_id": dispute.dispute_id, "minor": sum_.minor, "reason": reason}
        return ask_approval(work, Wanted(ApprovalKind.DISPUTE, dispute.dispute_id, key, sum_, reason, passed, request))
    return _accept(work, dispute, reason)


def dispute_approved(work: UnitOfWork, approval: Approval) -> str:
    """Let go what another person has approved, and no more than that."""
    dispute = _found(work, str(approval.request["dispute_id"]))
    if dispute.answer == DisputeAnswer.ACCEPT:
        return dispute.dispute_id
    answerable(work, dispute)
    if dispute.amount_minor > int(approval.request["minor"]):
        msg = "it is about a larger sum by now"
        raise Conflict(msg, code="dispute.other_sum", remedy="decline the request, and ask for it again")
    return _accept(work, dispute, str(approval.request["reason"])).dispute_id


def answerable(work: UnitOfWork, dispute: Dispute) -> ProviderAccount:
    """The account at which it can be answered now; a problem that says why not, else."""
    account = work.provider_accounts.get(dispute.account_id)
    if dispute.answer is not None or dispute.state not in ASKED:
        msg = "it has been answered" if dispute.is_undecided else f"it is {dispute.state.value} already"
        raise Conflict(msg, code="dispute.not_open", remedy="look at the dispute again")
    if not capabilities_of(account.provider).answers_disputes:
        msg = f"{account.provider} takes answers on its own pages alone"
        raise BadInput(
            msg, code="dispute.answered_elsewhere", remedy="download the proof under Disputes, and answer there"
        )
    return account


def account_to_answer(work: UnitOfWork, dispute_id: str) -> tuple[Dispute, ProviderAccount]:
    """The dispute and the account at which somebody may contest it at this moment."""
    dispute = _found(work, dispute_id)
    return dispute, answerable(work, dispute)


def _accept(work: UnitOfWork, dispute: Dispute, reason: str) -> Dispute:
    after = work.disputes.put(
        replace(
            dispute,
            answer=DisputeAnswer.ACCEPT.value,
            answer_note=reason or None,
            answered_by=work.actor,
            answered_at=work.machine_now,
            answer_told_at=None,
            answer_error=None,
        )
    )
    work.jobs.add(Job(ACCEPT_DISPUTE, dispute.dispute_id))
    told = {"minor": dispute.amount_minor, "currency": dispute.currency, "reason": reason or None}
    record_action(
        work, "dispute.accept", "dispute", dispute.dispute_id, before={"state": dispute.state.value}, after=told
    )
    return after


def _found(work: UnitOfWork, dispute_id: str) -> Dispute:
    if work.disputes.find(dispute_id) is None:
        msg = "there is no such dispute"
        raise NotFound(msg, code="dispute.not_found", remedy="see: tallywatt dispute list")
    return work.disputes.lock(dispute_id)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What a worker tells a provider."""

    dispute: Dispute
    account: ProviderAccount
    is_held: bool
    """Restored from a backup, and not yet compared: nobody outside is told anything."""


def acceptance_to_tell(work: UnitOfWork, dispute_id: str) -> Acceptance | None:
    """What is still to be told; None: it was told, or the bank has decided meanwhile."""
    dispute = work.disputes.get(dispute_id)
    if dispute.answer != DisputeAnswer.ACCEPT or dispute.answer_told_at is not None or not dispute.is_undecided:
        return None
    account = work.provider_accounts.get(dispute.account_id)
    return Acceptance(dispute, account, is_held=not_compared(work) is not None)


@dataclass(frozen=True, slots=True)
class NoteAccepted:
    """What the provider said to it; `error`: why it does not take it."""

    dispute_id: str
    error: str | None = None


def note_accepted(work: UnitOfWork, command: NoteAccepted) -> Dispute:
    """Told, or open for another answer. What becomes of the money the provider tells by itself."""
    dispute = work.disputes.lock(command.dispute_id)
    if dispute.answer != DisputeAnswer.ACCEPT or dispute.answer_told_at is not None:
        return dispute
    if command.error is None or not dispute.is_undecided:
        return work.disputes.put(replace(dispute, answer_told_at=work.machine_now))
    return work.disputes.put(
        replace(dispute, answer=None, answered_by=None, answered_at=None, answer_error=command.error[:300])
    )
