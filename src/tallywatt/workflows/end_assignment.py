"""A tariff stops to hold at a place: now, or at a time to come. What was offered before stays offered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.kernel.errors import BadInput, Conflict
from tallywatt.kernel.events import Event
from tallywatt.workflows.keep_tariff import tariff_changes
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.rating.records import TariffAssignment
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class EndAssignment:
    """Which assignment, and from when on it holds no more; None: from now on."""

    assignment_id: str
    at: Instant | None = None


def end_assignment(work: UnitOfWork, command: EndAssignment) -> TariffAssignment:
    """End it. The past is not changed: prices that were shown were right when they were shown."""
    row = work.tariff_assignments.lock(command.assignment_id)
    at = command.at if command.at is not None else max(work.now, row.valid_from)
    if row.valid_until is not None and row.valid_until <= at:
        if row.valid_until == at or command.at is None:
            return row
        msg = "it ends before that time already"
        raise Conflict(msg, code="tariffs.ended_already", remedy="assign the tariff again from then on")
    if at < work.now or at < row.valid_from:
        msg = "an assignment ends now or later, and not before it begins"
        raise BadInput(msg, code="tariffs.bad_validity", remedy="leave the time out to end it now")
    data = {"scope": row.scope.value, "scope_id": row.scope_id}
    work.events.append(Event("tariff", row.tariff_version_id, "TariffAssignmentEnded", data))
    before, after = {"valid_until": row.valid_until}, {"valid_until": at}
    record_action(work, "tariff.end_assignment", "tariff", row.tariff_version_id, before=before, after=after)
    ended = work.tariff_assignments.put(replace(row, valid_until=at))
    tariff_changes(work, ended)
    return ended
