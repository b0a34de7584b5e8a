"""Fleets, groups and memberships: made, and who belongs to them from when to when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.customers.circle import Belonging, Circle, CircleKind, read_address
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.kernel.events import Event
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.customers.customer import Customer
    from tallywatt.kernel.identity import CustomerId
    from tallywatt.workflows.ports import UnitOfWork

LATER = "an end of belonging is now or later, and not before it begins"


@dataclass(frozen=True, slots=True)
class AddCircle:
    """A fleet, a group or a membership, as an audience will call it."""

    kind: CircleKind
    name: str
    title: str = ""


def add_circle(work: UnitOfWork, command: AddCircle) -> Circle:
    """Write down a circle, or Conflict when there is one of that kind and name."""
    kind, name = read_address(f"{command.kind}:{command.name.strip()}")
    title = command.title.strip() or name
    row = Circle(work.draw.id(f"circle/{kind}/{name}"), kind, name, title, work.now)
    if not work.circles.add(row):
        msg = f"there is a {kind} {name!r} already"
        raise Conflict(msg, code="circles.name_taken")
    work.events.append(Event("circle", row.circle_id, "CircleAdded", {"kind": kind.value}))
    record_action(work, "circle.add", "circle", row.circle_id, after={"circle": row.address})
    return row


@dataclass(frozen=True, slots=True)
class JoinCircle:
    """Who is of which circle, from when until when; from now on if nothing is said. `circle`: an id, or `group:taxis`."""

    circle: str
    customer: str
    valid_from: Instant | None = None
    valid_until: Instant | None = None


def join_circle(work: UnitOfWork, command: JoinCircle) -> Belonging:
    """Let a customer belong to a circle. The same again is the same; a span that meets another one is refused.

    A span may begin in the past, for news that come late: prices that were offered meanwhile stay as they were offered.
    """
    # Whoever lets belong locks the circle: of two at once, the second sees the first.
    circle = work.circles.lock(find_circle(work, command.circle).circle_id)
    customer = _customer(work, command.customer)
    since = command.valid_from if command.valid_from is not None else work.now
    if command.valid_until is not None and command.valid_until <= since:
        msg = "belonging would end before it begins"
        raise BadInput(msg, code="circles.bad_validity")
    for one in work.belongings.by(circle_id=circle.circle_id, customer_id=customer.customer_id):
        if one.meets(since, command.valid_until):
            same_begin = one.valid_from == since or command.valid_from is None
            if same_begin and one.valid_until == command.valid_until:
                return one
            msg = f"customer {command.customer!r} is of {circle.address} in that time already"
            raise Conflict(msg, code="circles.belongs_already", remedy="end the other span first, or begin at its end")
    row = Belonging(
        belonging_id=work.draw.id(f"belonging/{circle.circle_id}/{customer.customer_id}"),
        circle_id=circle.circle_id,
        customer_id=customer.customer_id,
        valid_from=since,
        valid_until=command.valid_until,
        created_at=work.now,
    )
    work.belongings.add_new(row)
    data = {"circle_id": circle.circle_id}
    work.events.append(Event("customer", customer.customer_id, "CustomerJoinedCircle", data))
    span = {"circle": circle.address, "valid_from": row.valid_from, "valid_until": row.valid_until}
    record_action(work, "circle.join", "customer", customer.customer_id, after=span)
    return row


@dataclass(frozen=True, slots=True)
class LeaveCircle:
    """Which belonging, and from when on it is over; None: from now on."""

    belonging_id: str
    at: Instant | None = None


def leave_circle(work: UnitOfWork, command: LeaveCircle) -> Belonging:
    """Let it end. The past is not changed: prices that were offered stay."""
    row = work.belongings.lock(command.belonging_id)
    at = command.at if command.at is not None else max(work.now, row.valid_from)
    if row.valid_until is not None and row.valid_until <= at:
        if row.valid_until == at or command.at is None:
            return row
        msg = "it ends before that time already"
        raise Conflict(msg, code="circles.ended_already", remedy="let the customer belong again from then on")
    if at < work.now or at < row.valid_from:
        raise BadInput(LATER, code="circles.bad_validity", remedy="leave the time out to end it now")
    return _end(work, row, at)


def leave_all_circles(work: UnitOfWork, customer_id: CustomerId) -> None:
    """A customer is forgotten: to what the person belonged ends, and what was to come never begins."""
    for row in work.belongings.by(customer_id=customer_id):
        at = max(work.now, row.valid_from)
        if row.valid_until is None or row.valid_until > at:
            _end(work, row, at)


def _end(work: UnitOfWork, row: Belonging, at: Instant) -> Belonging:
    work.events.append(Event("customer", row.customer_id, "CustomerLeftCircle", {"circle_id": row.circle_id}))
    before = {"circle_id": row.circle_id, "valid_until": row.valid_until}
    record_action(work, "circle.leave", "customer", row.customer_id, before=before, after={"valid_until": at})
    return work.belongings.put(replace(row, valid_until=at))


def find_circle(work: UnitOfWork, circle: str) -> Circle:
    """The circle of an id or of a name like `group:taxis`."""
    found = work.circles.find(circle)
    if found is None and ":" in circle:
        kind, name = read_address(circle)
        found = work.circles.one_by(kind=kind.value, name=name)
    if found is None:
        msg = f"there is no {circle!r}"
        raise NotFound(msg, code="circles.not_found", remedy="add it first: tallywatt circle add group:taxis")
    return found


def circles_of(work: UnitOfWork, customer_id: CustomerId, at: Instant) -> dict[CircleKind, frozenset[str]]:
    """To which fleets, groups and memberships a customer belongs at an instant, by their names."""
    circles = [
        work.circles.get(one.circle_id) for one in work.belongings.by(customer_id=customer_id) if one.holds_at(at)
    ]
    return {kind: frozenset(one.name for one in circles if one.kind is kind) for kind in CircleKind}


def _customer(work: UnitOfWork, reference: str) -> Customer:
    found = work.customers.one_by(reference=reference)
    if found is None:
        msg = f"there is no customer {reference!r}"
        raise NotFound(msg, code="customers.not_found")
    return found
