"""Another person decides about what goes beyond somebody's limit; what is approved is done in the same transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.customers.approval import ApprovalKind
from tallywatt.workflows.accept_dispute import dispute_approved
from tallywatt.workflows.ask_pay_out import pay_out_approved
from tallywatt.workflows.ask_refund import refund_approved
from tallywatt.workflows.correct_prices import correction_approved
from tallywatt.workflows.second_eyes import Decide, decide

if TYPE_CHECKING:
    from tallywatt.customers.approval import Approval
    from tallywatt.workflows.ports import UnitOfWork


def decide_approval(work: UnitOfWork, command: Decide) -> Approval:
    """The request as it is after the decision."""
    return decide(work, command, _carry_out)


def _carry_out(work: UnitOfWork, approval: Approval) -> str | None:
    match approval.kind:
        case ApprovalKind.REFUND:
            return refund_approved(work, approval)
        case ApprovalKind.CORRECTION:
            return correction_approved(work, approval)
        case ApprovalKind.PAYOUT:
            return pay_out_approved(work, approval)
        case ApprovalKind.DISPUTE:
            return dispute_approved(work, approval)
