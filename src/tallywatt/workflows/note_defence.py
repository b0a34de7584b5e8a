"""A person has answered a dispute at its provider, or lets it go: who, with what, and when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.payments.dispute import Dispute, DisputeState
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class NoteDefence:
    """What was handed in. Without a reason the dispute was accepted."""

    dispute_id: str
    reason: str | None
    documents: tuple[str, ...] = ()
    """Their kinds; the documents stay where they are."""


def note_defence(work: UnitOfWork, command: NoteDefence) -> Dispute:
    """Record it. What becomes of the money the provider tells by itself."""
    dispute = work.disputes.lock(command.dispute_id)
    did = "dispute.accept" if command.reason is None else "dispute.defend"
    told = {"reason": command.reason, "documents": list(command.documents)}
    record_action(work, did, "dispute", dispute.dispute_id, before={"state": dispute.state.value}, after=told)
    if command.reason is None or dispute.state not in (DisputeState.OPEN, DisputeState.WARNING):
        return dispute
    return work.disputes.put(replace(dispute, state=DisputeState.ANSWERED))
