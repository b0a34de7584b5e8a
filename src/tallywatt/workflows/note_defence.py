"""A person has contested a dispute at its provider: who, on what grounds, with what, and when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.payments.dispute import ASKED, Dispute, DisputeAnswer, DisputeState
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class NoteDefence:
    """What was handed in."""

    dispute_id: str
    reason: str
    documents: tuple[str, ...] = ()
    """Their kinds; the documents stay where they are."""


def note_defence(work: UnitOfWork, command: NoteDefence) -> Dispute:
    """Record it. What becomes of the money the provider tells by itself."""
    dispute = work.disputes.lock(command.dispute_id)
    told = {"reason": command.reason, "documents": list(command.documents)}
    record_action(
        work, "dispute.defend", "dispute", dispute.dispute_id, before={"state": dispute.state.value}, after=told
    )
    state = DisputeState.ANSWERED if dispute.state in ASKED else dispute.state
    return work.disputes.put(
        replace(
            dispute,
            state=state,
            answer=DisputeAnswer.CONTEST.value,
            answer_note=command.reason,
            answered_by=work.actor,
            answered_at=work.machine_now,
            answer_told_at=work.machine_now,
            answer_error=None,
        )
    )
