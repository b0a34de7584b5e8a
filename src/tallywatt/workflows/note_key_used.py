"""When a key was last used, to the minute: enough to find keys that nobody needs any more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.workflows.ports import UnitOfWork

NOTED_EVERY_MILLISECONDS = 60_000


@dataclass(frozen=True, slots=True)
class NoteKeyUsed:
    """Which key, and when it was shown."""

    api_key_id: str
    at: Instant


def note_key_used(work: UnitOfWork, command: NoteKeyUsed) -> None:
    """Write it down, unless somebody did within the last minute: two processes may see the same key."""
    key = work.api_keys.lock(command.api_key_id)
    if key.last_used_at is None or command.at - key.last_used_at >= NOTED_EVERY_MILLISECONDS:
        work.api_keys.put(replace(key, last_used_at=command.at))
