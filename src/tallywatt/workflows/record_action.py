"""Every action of a person or a key is recorded in the transaction of the action: who, what, when, before, after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallywatt.customers.access import ActionRecord

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork


def record_action(
    work: UnitOfWork,
    action: str,
    subject_kind: str,
    subject_id: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write down what the actor of this unit of work does. `before` and `after` hold codes and figures, never secrets."""
    kind, _, caller_id = work.actor.partition(":")
    work.actions.add(
        ActionRecord(
            work.draw.id(f"action/{action}/{subject_id}"),
            kind,
            caller_id,
            action,
            subject_kind,
            subject_id,
            before,
            after,
            work.machine_now,
            work.now,
        )
    )
