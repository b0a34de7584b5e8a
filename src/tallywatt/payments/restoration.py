"""Pure: an installation that was brought back from a backup, until it was compared with what its providers know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant


@dataclass(frozen=True, slots=True)
class Restoration:
    """One return from a backup. While `compared_at` is None nothing is asked of a provider, and no invoice is numbered.

    What happened between the backup and the loss is unknown here, but not outside: a provider has taken money, people
    hold invoices. To act before looking is to take money twice and to give a number twice.
    """

    restoration_id: str
    archive_sha256: str
    backup_at: Instant
    """Machine time: what happened since is not in the database."""
    restored_at: Instant
    compared_at: Instant | None
    found: int
    """Payments that a provider knew better, or that it alone knew."""
    version: int = 1
