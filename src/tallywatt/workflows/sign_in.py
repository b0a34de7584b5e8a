"""Open the console: a link that works once sets a person's session. There is no password at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.customers.access import ConsoleLink, ConsoleSession, secret_hash
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import NotSignedIn
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork

SECRET_CHARACTERS = 52
"""260 bits: what cannot be guessed needs no slow hash."""
LINK_LIFE_SECONDS = 24 * 3600
SESSION_LIFE_SECONDS = 14 * 24 * 3600


@dataclass(frozen=True, slots=True)
class AddConsoleLink:
    """A link for somebody who is to open the console."""

    life_seconds: int = LINK_LIFE_SECONDS


@dataclass(frozen=True, slots=True)
class NewConsoleLink:
    """The link, and its secret: shown once, kept as a hash."""

    link: ConsoleLink
    secret: str


def add_console_link(work: UnitOfWork, command: AddConsoleLink) -> NewConsoleLink:
    """Make a link that opens the console once, within its life."""
    secret = work.draw.token("console link", SECRET_CHARACTERS)
    link = ConsoleLink(
        link_id=work.draw.id("console link"),
        secret_hash=secret_hash(secret),
        created_at=work.machine_now,
        expires_at=Instant(work.machine_now + command.life_seconds * 1000),
        used_at=None,
    )
    work.console_links.add(link)
    record_action(work, "console_link.add", "console_link", link.link_id)
    return NewConsoleLink(link, secret)


@dataclass(frozen=True, slots=True)
class EnterConsole:
    """Somebody opens a link."""

    secret: str


@dataclass(frozen=True, slots=True)
class NewConsoleSession:
    """The session, and the secret that its cookie carries."""

    session: ConsoleSession
    secret: str


def enter_console(work: UnitOfWork, command: EnterConsole) -> NewConsoleSession:
    """Trade a link for a session. A link that was used, or is too old, opens nothing."""
    found = work.console_links.one_by(secret_hash=secret_hash(command.secret))
    link = work.console_links.lock(found.link_id) if found is not None else None
    if link is None or link.used_at is not None or work.machine_now >= link.expires_at:
        msg = "this link was used before, or is too old"
        raise NotSignedIn(msg, code="access.link_spent", remedy="make a new one: tallywatt console-link")
    work.console_links.put(replace(link, used_at=work.machine_now))
    secret = work.draw.token("console session", SECRET_CHARACTERS)
    session = ConsoleSession(
        console_session_id=work.draw.id("console session"),
        secret_hash=secret_hash(secret),
        created_at=work.machine_now,
        expires_at=Instant(work.machine_now + SESSION_LIFE_SECONDS * 1000),
        revoked_at=None,
    )
    work.console_sessions.add(session)
    record_action(work, "console.enter", "console_session", session.console_session_id, before={"link": link.link_id})
    return NewConsoleSession(session, secret)


@dataclass(frozen=True, slots=True)
class LeaveConsole:
    """A person signs out."""

    console_session_id: str


def leave_console(work: UnitOfWork, command: LeaveConsole) -> ConsoleSession:
    """End a session: its cookie opens nothing any more."""
    session = work.console_sessions.lock(command.console_session_id)
    if session.revoked_at is not None:
        return session
    record_action(work, "console.leave", "console_session", session.console_session_id)
    return work.console_sessions.put(replace(session, revoked_at=work.machine_now))
