"""Somebody asks for a link by e-mail, and comes in by it or by the code that came with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.customers.access import ConsoleLink
from tallywatt.kernel.clock import Instant
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.sign_in import use_link

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork
    from tallywatt.workflows.sign_in import NewConsoleSession

LETTER_LIFE_SECONDS = 15 * 60
MOST_LETTERS = 5
"""To one member within an hour: nobody can fill somebody else's mailbox."""
HOUR = 3_600_000
MOST_TRIES = 5
"""Codes have six digits: with five tries a guess is good once in 200,000 letters."""


@dataclass(frozen=True, slots=True)
class AskToSignIn:
    """Who asks, from which browser. The secret is made from the link's id by whoever writes the letter."""

    membership_id: str
    link_id: str
    secret_hash: str
    browser_hash: str
    language: str


def ask_to_sign_in(work: UnitOfWork, command: AskToSignIn) -> bool:
    """Write down a link and the letter that carries it; False when it is one too many. The asker is not told which."""
    membership = work.memberships.lock(command.membership_id)
    recent = [
        one
        for one in work.console_links.by(membership_id=membership.membership_id)
        if one.browser_hash is not None and work.machine_now - one.created_at < HOUR
    ]
    if not membership.is_open or len(recent) >= MOST_LETTERS:
        return False
    link = ConsoleLink(
        link_id=command.link_id,
        secret_hash=command.secret_hash,
        created_at=work.machine_now,
        expires_at=Instant(work.machine_now + LETTER_LIFE_SECONDS * 1000),
        used_at=None,
        membership_id=membership.membership_id,
        browser_hash=command.browser_hash,
    )
    work.console_links.add(link)
    work.jobs.add(Job("send_letter", link.link_id, {"what": "sign_in", "language": command.language}))
    record_action(work, "sign_in.ask", "membership", membership.membership_id, after={"link": link.link_id})
    return True


@dataclass(frozen=True, slots=True)
class TypeCode:
    """A code was typed in the browser that asked. Whether it is the link's is told: the code is kept nowhere."""

    link_id: str
    browser_hash: str
    is_right: bool
    label: str | None = None


def type_code(work: UnitOfWork, command: TypeCode) -> NewConsoleSession | None:
    """Let somebody in by a code; None when it is wrong, and after five wrong ones it is wrong for good."""
    link = work.console_links.lock(command.link_id)
    spent = link.used_at is not None or work.machine_now >= link.expires_at or link.tries >= MOST_TRIES
    if spent or link.browser_hash != command.browser_hash:
        return None
    if not command.is_right:
        work.console_links.put(replace(link, tries=link.tries + 1))
        return None
    return use_link(work, link, command.label)
