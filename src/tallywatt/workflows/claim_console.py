"""Whoever opened the first-run link says who they are, and becomes an owner."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.customers.roles import Role
from tallywatt.kernel.errors import Conflict
from tallywatt.workflows.add_person import join, person_of

if TYPE_CHECKING:
    from tallywatt.customers.access import ConsoleSession
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class ClaimConsole:
    """A session without a person, and who it is."""

    console_session_id: str
    name: str
    email: str


def claim_console(work: UnitOfWork, command: ClaimConsole) -> ConsoleSession:
    """Make the person behind a first-run link an owner. Who has the link has the machine, so nobody is asked."""
    session = work.console_sessions.lock(command.console_session_id)
    if session.membership_id is not None:
        msg = "this session belongs to somebody already"
        raise Conflict(msg, code="people.claimed")
    person = person_of(work, command.name, command.email)
    membership = join(work, person, Role.OWNER, ())
    return work.console_sessions.put(
        replace(session, membership_id=membership.membership_id, person_id=person.person_id)
    )
