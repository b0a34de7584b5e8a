"""The first thing after a return from a backup: nothing goes to a provider, no number is given twice, stations carry on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallywatt.kernel.events import Event
from tallywatt.payments.restoration import Restoration
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class BeginRestoration:
    """From which archive this operator's rows came, and of when they are (machine time)."""

    archive_sha256: str
    backup_at: Instant


def begin_restoration(work: UnitOfWork, command: BeginRestoration) -> Restoration:
    """Write down that the time since the backup is unknown here. The same archive again, not yet compared, is the same."""
    known = not_compared(work)
    if known is not None and known.archive_sha256 == command.archive_sha256:
        return known
    restoration = Restoration(
        restoration_id=work.draw.id("restoration"),
        archive_sha256=command.archive_sha256,
        # An archive of an installation that had not been compared yet leaves more time unknown, not less.
        backup_at=command.backup_at if known is None else min(known.backup_at, command.backup_at),
        restored_at=work.machine_now,
        compared_at=None,
        found=0,
    )
    work.restorations.add(restoration)
    for counter in work.transaction_counters.by():
        work.transaction_counters.put(counter.moved_on())
    record_action(
        work,
        "installation.restore",
        "restoration",
        restoration.restoration_id,
        after={"archive_sha256": command.archive_sha256, "backup_at": restoration.backup_at},
    )
    work.events.append(
        Event("restoration", restoration.restoration_id, "InstallationRestored", {"backup_at": restoration.backup_at})
    )
    return restoration


def not_compared(work: UnitOfWork) -> Restoration | None:
    """The restoration after which the providers were not asked yet; None: nothing stands in the way."""
    waiting = work.restorations.by(compared_at=None)
    return waiting[-1] if waiting else None
