"""Invitations: offered by an owner, taken once by whoever holds the link, taken back, or left to expire."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.customers.access import secret_hash
from tallywatt.customers.person import Invitation, fold_email
from tallywatt.customers.roles import Role
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict, NotSignedIn
from tallywatt.workflows.add_person import customers_for, join, person_of
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.sign_in import open_session

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork
    from tallywatt.workflows.sign_in import NewConsoleSession

MOST_DAYS = 30
DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class InvitePerson:
    """Whom, as what. The secret is made from the invitation's id by whoever shows the link or writes the letter."""

    email: str
    role: Role
    customers: tuple[str, ...]
    invitation_id: str
    secret_hash: str
    days: int = 7
    by_letter: bool = False
    language: str = "en"


def invite_person(work: UnitOfWork, command: InvitePerson) -> Invitation:
    """Offer somebody a place. An earlier offer of the same place is taken back: only the newest link opens a door."""
    folded = fold_email(command.email)
    if not 1 <= command.days <= MOST_DAYS:
        msg = f"an invitation stands for 1 to {MOST_DAYS} days"
        raise BadInput(msg, code="people.bad_days")
    bound = customers_for(work, command.role, command.customers)
    person = work.people.one_by(email_folded=folded)
    if person is not None:
        held = work.memberships.one_by(person_id=person.person_id, role=command.role.value)
        if held is not None and held.is_open and held.customer_ids == bound:
            msg = "this person has that role already"
            raise Conflict(msg, code="people.has_role")
    for earlier in work.invitations.by(email_folded=folded):
        if earlier.role is command.role and earlier.is_open(work.machine_now):
            work.invitations.put(replace(earlier, revoked_at=work.machine_now))
    made = Invitation(
        invitation_id=command.invitation_id,
        email=command.email.strip(),
        email_folded=folded,
        role=command.role,
        customer_ids=bound,
        secret_hash=command.secret_hash,
        created_at=work.machine_now,
        expires_at=Instant(work.machine_now + command.days * DAY),
        accepted_at=None,
        revoked_at=None,
    )
    work.invitations.add(made)
    if command.by_letter:
        work.jobs.add(Job("send_letter", made.invitation_id, {"what": "invitation", "language": command.language}))
    after = {"role": made.role.value, "customers": list(bound), "days": command.days}
    record_action(work, "person.invite", "invitation", made.invitation_id, after=after)
    return made


@dataclass(frozen=True, slots=True)
class RevokeInvitation:
    """Which offer is taken back."""

    invitation_id: str


def revoke_invitation(work: UnitOfWork, command: RevokeInvitation) -> Invitation:
    """Take an offer back. Taking it back again changes nothing; one that was taken stays taken."""
    found = work.invitations.lock(command.invitation_id)
    if found.accepted_at is not None:
        msg = "this invitation was taken already"
        raise Conflict(msg, code="people.invitation_taken", remedy="take the role away instead")
    if found.revoked_at is not None:
        return found
    record_action(work, "person.uninvite", "invitation", found.invitation_id)
    return work.invitations.put(replace(found, revoked_at=work.machine_now))


@dataclass(frozen=True, slots=True)
class AcceptInvitation:
    """Somebody takes an offer, and says how they are called."""

    secret: str
    name: str
    label: str | None = None


def accept_invitation(work: UnitOfWork, command: AcceptInvitation) -> NewConsoleSession:
    """Make whoever holds the link a member, and let them in. The address is theirs: the link went there."""
    found = work.invitations.one_by(secret_hash=secret_hash(command.secret))
    invitation = work.invitations.lock(found.invitation_id) if found is not None else None
    if invitation is None or not invitation.is_open(work.machine_now):
        msg = "this invitation was taken, was taken back, or is too old"
        raise NotSignedIn(msg, code="access.invitation_spent", remedy="ask for a new one")
    person = person_of(work, command.name, invitation.email)
    membership = join(work, person, invitation.role, invitation.customer_ids)
    work.invitations.put(replace(invitation, accepted_at=work.machine_now))
    record_action(
        work, "person.accept", "invitation", invitation.invitation_id, after={"membership": membership.membership_id}
    )
    return open_session(work, membership, "invitation", command.label)
