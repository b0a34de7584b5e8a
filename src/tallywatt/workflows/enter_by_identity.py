"""Somebody comes in by their organisation: known by issuer and subject, or new and invited, or of an allowed domain."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tallywatt.customers.identity import IdentityProvider, LinkedIdentity
from tallywatt.customers.person import fold_email
from tallywatt.kernel.errors import BadInput, Conflict, NotSignedIn
from tallywatt.workflows.add_person import EndMembership, end_membership, join, person_of
from tallywatt.workflows.keep_passkey import widest_membership
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.sign_in import open_session

if TYPE_CHECKING:
    from tallywatt.customers.person import Membership, Person
    from tallywatt.workflows.ports import UnitOfWork
    from tallywatt.workflows.sign_in import NewConsoleSession


@dataclass(frozen=True, slots=True)
class EnterByIdentity:
    """What a provider says of somebody, in a token that was checked."""

    provider_id: str
    claims: dict[str, Any]
    label: str | None = None


def enter_by_identity(work: UnitOfWork, command: EnterByIdentity) -> NewConsoleSession | None:
    """Let somebody in whom a provider knows, if they belong here; None for somebody who belonged here until today.

    That is no error: what the provider took back must stay taken back.
    """
    provider = work.identity_providers.lock(command.provider_id)
    if provider.ended_at is not None:
        msg = "this way in was closed"
        raise NotSignedIn(msg, code="sso.ended")
    subject = str(command.claims["sub"])
    known = work.linked_identities.lock_by(issuer=provider.issuer, subject=subject)
    if known is None:
        membership = _newcomer(work, provider, command.claims)
        _link(work, provider, membership.person_id, subject)
    else:
        work.linked_identities.put(replace(known, last_used_at=work.machine_now))
        belonging = _member(work, provider, known.person_id, command.claims)
        if belonging is None:
            return None
        membership = belonging
    return open_session(work, membership, "sso", command.label)


def _member(work: UnitOfWork, provider: IdentityProvider, person_id: str, claims: dict[str, Any]) -> Membership | None:
    """As what somebody comes in who has been here: as the provider says today, where it says roles at all."""
    if provider.role_claim is None:
        return widest_membership(work, person_id)
    role = provider.role_of(claims)
    given = {*provider.roles.values(), *([provider.default_role.value] if provider.default_role else [])}
    joined = join(work, work.people.get(person_id), role, ()) if role is not None else None
    for one in work.memberships.by(person_id=person_id):
        if one.is_open and one.role.value in given and one.role is not role:
            # What the provider gave it takes back; never the last owner, who could not be let in again.
            with suppress(Conflict):
                end_membership(work, EndMembership(one.membership_id))
    if joined is not None:
        return joined
    left = [one for one in work.memberships.by(person_id=person_id) if one.is_open]
    return widest_membership(work, person_id) if left else None


def _newcomer(work: UnitOfWork, provider: IdentityProvider, claims: dict[str, Any]) -> Membership:
    """A membership for somebody whom we have never seen: by an invitation, or by the domain of a verified address."""
    folded = _verified_address(claims)
    for invitation in work.invitations.by(email_folded=folded):
        if invitation.is_open(work.machine_now):
            work.invitations.put(replace(invitation, accepted_at=work.machine_now))
            record_action(
                work, "person.accept", "invitation", invitation.invitation_id, after={"by": provider.provider_id}
            )
            return join(work, _person(work, claims, folded), invitation.role, invitation.customer_ids)
    if not provider.allows(folded):
        raise _unknown()
    role = provider.role_of(claims)
    if role is not None:
        return join(work, _person(work, claims, folded), role, ())
    known = work.people.one_by(email_folded=folded)
    if known is None:
        raise _unknown()
    return widest_membership(work, known.person_id)


def _person(work: UnitOfWork, claims: dict[str, Any], folded: str) -> Person:
    name = claims.get("name")
    return person_of(work, name if isinstance(name, str) and name.strip() else folded.partition("@")[0], folded)


def _verified_address(claims: dict[str, Any]) -> str:
    """The address that the provider vouches for. One that anybody may write into a profile proves nothing."""
    email = claims.get("email")
    if not isinstance(email, str) or claims.get("email_verified") is not True:
        raise _unknown()
    try:
        return fold_email(email)
    except BadInput as error:
        raise _unknown() from error


def _link(work: UnitOfWork, provider: IdentityProvider, person_id: str, subject: str) -> None:
    made = LinkedIdentity(
        identity_id=work.draw.id("linked identity"),
        provider_id=provider.provider_id,
        person_id=person_id,
        issuer=provider.issuer,
        subject=subject,
        created_at=work.machine_now,
        last_used_at=work.machine_now,
    )
    work.linked_identities.add(made)
    record_action(work, "identity.link", "person", person_id, after={"provider": provider.provider_id})


def _unknown() -> NotSignedIn:
    msg = "your organisation knows you, and nobody here has invited you"
    return NotSignedIn(msg, code="sso.unknown", remedy="ask somebody who is an owner here for an invitation")
