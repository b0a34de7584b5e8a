"""The janitor's round: whatever is still on its way with a provider has a job that will find out what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tallywatt.payments.operation import UNRESOLVED, OperationState
from tallywatt.workflows.intend_operation import ASK_PROVIDER, CALL_PROVIDER
from tallywatt.workflows.jobs import Job

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork

QUIET_MS: Final = 10 * 60 * 1000
"""How long an operation may be on its way before the janitor minds."""


@dataclass(frozen=True, slots=True)
class WakeUnresolved:
    """At most so many operations a round, so that the writer is not held up."""

    most: int = 100


def wake_unresolved(work: UnitOfWork, command: WakeUnresolved) -> int:
    """Give every operation that has been on its way for long its job back, if that job gave up; how many were looked at.

    A job that waits or runs stays as it is, so the round costs nothing where nothing is wrong.
    """
    found = [one for state in UNRESOLVED for one in work.operations.by(state=state)]
    due = [one for one in found if work.machine_now - one.created_at >= QUIET_MS]
    if len(due) > command.most:
        # Each round begins elsewhere: a hundred that nothing helps must not keep the others from being looked at.
        first = int.from_bytes(work.draw.seed[:4], "big") % len(due)
        due = [*due[first:], *due[:first]][: command.most]
    for operation in due:
        kind = CALL_PROVIDER if operation.state is OperationState.INTENDED else ASK_PROVIDER
        whose = {"payment_id": operation.payment_id, "account_id": operation.account_id}
        work.jobs.add(Job(kind, operation.operation_id, whose))
    return len(due)
