"""Come in by a link that works once, stay by a session, and leave. There is no password at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.customers.access import ConsoleLink, ConsoleSession, secret_hash
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import NotFound, NotSignedIn
from tallywatt.workflows.end_session import end_session
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.customers.person import Membership
    from tallywatt.workflows.ports import UnitOfWork

SECRET_CHARACTERS = 52
"""260 bits: what cannot be guessed needs no slow hash."""
LINK_LIFE_SECONDS = 24 * 3600
SESSION_LIFE_SECONDS = 14 * 24 * 3600
SEEN_SECONDS = 300
"""How exactly it is kept when a session was last used: a write a page would be too dear."""
LONGEST_LABEL = 60


@dataclass(frozen=True, slots=True)
class AddConsoleLink:
    """A link for somebody who is to open the pages: a member, or whoever runs the command line."""

    life_seconds: int = LINK_LIFE_SECONDS
    membership_id: str | None = None


@dataclass(frozen=True, slots=True)
class NewConsoleLink:
    """The link, and its secret: shown once, kept as a hash."""

    link: ConsoleLink
    secret: str


def add_console_link(work: UnitOfWork, command: AddConsoleLink) -> NewConsoleLink:
    """Make a link that opens the pages once, within its life."""
    if command.membership_id is not None:
        work.memberships.get(command.membership_id)
    secret = work.draw.token("console link", SECRET_CHARACTERS)
    link = ConsoleLink(
        link_id=work.draw.id("console link"),
        secret_hash=secret_hash(secret),
        created_at=work.machine_now,
        expires_at=Instant(work.machine_now + command.life_seconds * 1000),
        used_at=None,
        membership_id=command.membership_id,
    )
    work.console_links.add(link)
    record_action(work, "console_link.add", "console_link", link.link_id, after={"membership": link.membership_id})
    return NewConsoleLink(link, secret)


@dataclass(frozen=True, slots=True)
class EnterConsole:
    """Somebody opens a link, in this browser."""

    secret: str
    label: str | None = None
    browser_hash: str | None = None
    """The browser in which it is opened, if it asked for a link before."""


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
    if link.browser_hash is not None and link.browser_hash != command.browser_hash:
        # Whoever looks through other people's mail, a scanner for one, neither comes in by it nor uses it up.
        msg = "this link was asked for in another browser"
        raise NotSignedIn(
            msg, code="access.other_browser", remedy="open it there, or type the code from the letter there"
        )
    return use_link(work, link, command.label)


def use_link(work: UnitOfWork, link: ConsoleLink, label: str | None) -> NewConsoleSession:
    """Let in whoever the link is for; it is held, and good."""
    membership = None if link.membership_id is None else work.memberships.lock(link.membership_id)
    work.console_links.put(replace(link, used_at=work.machine_now))
    return open_session(work, membership, "link" if link.browser_hash is None else "email", label)


def open_session(work: UnitOfWork, membership: Membership | None, way: str, label: str | None) -> NewConsoleSession:
    """Let a member in, however they have shown who they are; without a membership, whoever owns the machine."""
    if membership is not None and not membership.is_open:
        msg = "this person is no longer with the operator"
        raise NotSignedIn(msg, code="access.membership_ended")
    secret = work.draw.token("console session", SECRET_CHARACTERS)
    session = ConsoleSession(
        console_session_id=work.draw.id("console session"),
        secret_hash=secret_hash(secret),
        created_at=work.machine_now,
        expires_at=Instant(work.machine_now + SESSION_LIFE_SECONDS * 1000),
        revoked_at=None,
        membership_id=membership.membership_id if membership is not None else None,
        person_id=membership.person_id if membership is not None else None,
        way=way,
        label=label[:LONGEST_LABEL] if label is not None else None,
        seen_at=work.machine_now,
    )
    work.console_sessions.add(session)
    after = {"way": way, "membership": session.membership_id, "person": session.person_id}
    record_action(work, "console.enter", "console_session", session.console_session_id, after=after)
    return NewConsoleSession(session, secret)


@dataclass(frozen=True, slots=True)
class NoteSeen:
    """A session was used."""

    console_session_id: str


def note_seen(work: UnitOfWork, command: NoteSeen) -> None:
    """Keep when a session was last used. Not an action: it changes nothing for anybody."""
    session = work.console_sessions.lock(command.console_session_id)
    if session.seen_at is None or work.machine_now - session.seen_at >= SEEN_SECONDS * 1000:
        work.console_sessions.put(replace(session, seen_at=work.machine_now))


@dataclass(frozen=True, slots=True)
class LeaveConsole:
    """A person signs out, here or of another session of theirs."""

    console_session_id: str
    person_id: str | None = None
    """Whose session it must be; None: whoever asks may end anybody's."""


def leave_console(work: UnitOfWork, command: LeaveConsole) -> ConsoleSession:
    """End a session: its cookie opens nothing any more."""
    session = work.console_sessions.lock_by(console_session_id=command.console_session_id)
    if session is None or (command.person_id is not None and session.person_id != command.person_id):
        # One that is somebody else's is told like one that is not there.
        msg = "there is no such session"
        raise NotFound(msg, code="access.no_such_session")
    if session.revoked_at is not None:
        return session
    record_action(work, "console.leave", "console_session", session.console_session_id)
    return end_session(work, session)


@dataclass(frozen=True, slots=True)
class LeaveEverywhere:
    """A person signs out of all sessions, but for the one in use if it is named."""

    person_id: str
    but_session_id: str | None = None


def leave_everywhere(work: UnitOfWork, command: LeaveEverywhere) -> int:
    """End all sessions of a person; how many there were."""
    ended = 0
    for session in work.console_sessions.by(person_id=command.person_id):
        if session.revoked_at is None and session.console_session_id != command.but_session_id:
            end_session(work, session)
            ended += 1
    record_action(work, "console.leave_everywhere", "person", command.person_id, after={"sessions": ended})
    return ended


@dataclass(frozen=True, slots=True)
class BecomeMember:
    """A person goes on in another role of theirs."""

    console_session_id: str
    membership_id: str
    label: str | None = None


def become_member(work: UnitOfWork, command: BecomeMember) -> NewConsoleSession:
    """Trade a session for one of another role of the same person. Nothing of the old one goes along."""
    session = work.console_sessions.lock(command.console_session_id)
    membership = work.memberships.lock(command.membership_id)
    if session.person_id is None or membership.person_id != session.person_id or not membership.is_open:
        msg = "there is no such role"
        raise NotFound(msg, code="people.not_found")
    end_session(work, session)
    return open_session(work, membership, session.way or "link", command.label)
