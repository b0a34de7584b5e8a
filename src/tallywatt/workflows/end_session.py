"""A person's session at the pages ends: its cookie opens nothing any more, and what it has open is closed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tallywatt.kernel.events import Event

if TYPE_CHECKING:
    from tallywatt.customers.access import ConsoleSession
    from tallywatt.workflows.ports import UnitOfWork


def end_session(work: UnitOfWork, session: ConsoleSession) -> ConsoleSession:
    """End one that is open. The event tells the live streams of every process, which were let in by it."""
    work.events.append(Event("console_session", session.console_session_id, "ConsoleSessionEnded"))
    return work.console_sessions.put(replace(session, revoked_at=work.machine_now))
