"""People of an operator: added, given a role, taken it away. There is always one owner left."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tallywatt.customers.person import Membership, Person, checked_name, fold_email
from tallywatt.customers.roles import ROLES, Role
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.workflows.end_session import end_session
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class AddPerson:
    """Somebody, and what they are to the operator. `customers` are references: whom a driver or a fleet's manager may see."""

    name: str
    email: str
    role: Role
    customers: tuple[str, ...] = ()


def add_person(work: UnitOfWork, command: AddPerson) -> Membership:
    """Write down a person with a role; one that is known by the address gets the role besides those they have."""
    bound = customers_for(work, command.role, command.customers)
    person = person_of(work, command.name, command.email)
    return join(work, person, command.role, bound)


def person_of(work: UnitOfWork, name: str, email: str) -> Person:
    """The person of an address, written down if there is none."""
    folded = fold_email(email)
    found = work.people.one_by(email_folded=folded)
    if found is not None:
        return found
    made = Person(
        work.draw.id(f"person/{folded}"), checked_name(name), email.strip(), folded, created_at=work.machine_now
    )
    if not work.people.add(made):
        again = work.people.one_by(email_folded=folded)
        assert again is not None, "somebody else has just added the same address"
        return again
    record_action(work, "person.add", "person", made.person_id)
    return made


def join(work: UnitOfWork, person: Person, role: Role, customer_ids: tuple[str, ...]) -> Membership:
    """Give a person a role. The same again changes nothing; a role that had ended begins anew."""
    found = work.memberships.lock_by(person_id=person.person_id, role=role.value)
    after = {"person": person.person_id, "role": role.value, "customers": list(customer_ids)}
    if found is not None:
        if found.is_open and found.customer_ids == customer_ids:
            return found
        record_action(work, "membership.change", "membership", found.membership_id, before=_told(found), after=after)
        return work.memberships.put(replace(found, customer_ids=customer_ids, ended_at=None))
    made = Membership(
        membership_id=work.draw.id(f"membership/{person.person_id}/{role.value}"),
        person_id=person.person_id,
        role=role,
        customer_ids=customer_ids,
        created_at=work.machine_now,
        ended_at=None,
    )
    if not work.memberships.add(made):
        msg = "this person was given the role at the same moment"
        raise Conflict(msg, code="people.joined_twice")
    record_action(work, "membership.add", "membership", made.membership_id, after=after)
    return made


def customers_for(work: UnitOfWork, role: Role, references: tuple[str, ...]) -> tuple[str, ...]:
    """The ids of the customers that a role is bound to, of their references; BadInput when the role wants more or fewer."""
    duties = ROLES[role]
    wanted = tuple(dict.fromkeys(references))
    if len(wanted) < duties.fewest_customers:
        msg = f"the role {role.value} is bound to a customer, and none was named"
        raise BadInput(msg, code="people.no_customer")
    if duties.most_customers is not None and len(wanted) > duties.most_customers:
        most = "no customer" if duties.most_customers == 0 else "one customer"
        msg = f"the role {role.value} is bound to {most}"
        raise BadInput(msg, code="people.too_many_customers")
    found = [(reference, work.customers.one_by(reference=reference)) for reference in wanted]
    for reference, customer in found:
        if customer is None:
            msg = f"there is no customer {reference!r}"
            raise NotFound(msg, code="customers.not_found", remedy="add it first: tallywatt customer add")
    return tuple(customer.customer_id for _, customer in found if customer is not None)


@dataclass(frozen=True, slots=True)
class ChangeRole:
    """Another role for a member, or other customers."""

    membership_id: str
    role: Role
    customers: tuple[str, ...] = ()


def change_role(work: UnitOfWork, command: ChangeRole) -> Membership:
    """Give a member another role. Open sessions of the old one end: they would show what is not theirs any more."""
    found = _open(work, command.membership_id)
    bound = customers_for(work, command.role, command.customers)
    if found.role is command.role:
        return join(work, work.people.get(found.person_id), command.role, bound)
    if found.role is Role.OWNER:
        _keep_an_owner(work, found)
    end(work, found)
    return join(work, work.people.get(found.person_id), command.role, bound)


@dataclass(frozen=True, slots=True)
class EndMembership:
    """Who is no longer with the operator."""

    membership_id: str


def end_membership(work: UnitOfWork, command: EndMembership) -> Membership:
    """Take a role away, and end the sessions that came with it. Taking it away again changes nothing."""
    found = work.memberships.lock(command.membership_id)
    if not found.is_open:
        return found
    if found.role is Role.OWNER:
        _keep_an_owner(work, found)
    return end(work, found)


def end(work: UnitOfWork, membership: Membership) -> Membership:
    """End a membership and its sessions."""
    for session in work.console_sessions.by(membership_id=membership.membership_id):
        if session.revoked_at is None:
            end_session(work, session)
    record_action(work, "membership.end", "membership", membership.membership_id, before=_told(membership))
    return work.memberships.put(replace(membership, ended_at=work.machine_now))


def _open(work: UnitOfWork, membership_id: str) -> Membership:
    found = work.memberships.lock(membership_id)
    if not found.is_open:
        msg = "this membership has ended"
        raise Conflict(msg, code="people.membership_ended")
    return found


def _keep_an_owner(work: UnitOfWork, leaving: Membership) -> None:
    """Conflict unless another owner stays. The operator is held, so that two owners cannot remove each other at once."""
    work.operators.lock()
    others = [
        one
        for one in work.memberships.by(role=Role.OWNER.value)
        if one.is_open and one.membership_id != leaving.membership_id
    ]
    if not others:
        msg = "this is the last owner: nobody could let anybody in any more"
        raise Conflict(msg, code="people.last_owner", remedy="make somebody else an owner first")


def _told(membership: Membership) -> dict[str, Any]:
    return {
        "person": membership.person_id,
        "role": membership.role.value,
        "customers": list(membership.customer_ids),
        "ended": not membership.is_open,
    }
