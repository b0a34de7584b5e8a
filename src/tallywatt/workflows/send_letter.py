"""To whom a letter goes and what it is about; None when there is no use in it any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tallywatt.customers.roles import Role
    from tallywatt.kernel.clock import Instant
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class GatherLetter:
    """A link or an invitation."""

    what: str
    """sign_in, invitation."""
    subject_id: str


@dataclass(frozen=True, slots=True)
class Addressed:
    """What is needed to write a letter."""

    to: str
    name: str | None
    operator_name: str
    zone: str
    expires_at: Instant
    role: Role | None = None


def gather_letter(work: UnitOfWork, command: GatherLetter) -> Addressed | None:
    """The letter of a link or an invitation, as long as that still opens something."""
    operator = work.operators.get()
    if command.what == "invitation":
        invitation = work.invitations.get(command.subject_id)
        if not invitation.is_open(work.machine_now):
            return None
        return Addressed(
            invitation.email, None, operator.name, operator.zone, invitation.expires_at, role=invitation.role
        )
    link = work.console_links.get(command.subject_id)
    if link.used_at is not None or work.machine_now >= link.expires_at or link.membership_id is None:
        return None
    person = work.people.get(work.memberships.get(link.membership_id).person_id)
    if person.email is None:
        return None
    return Addressed(person.email, person.name, operator.name, operator.zone, link.expires_at)
