"""People and their roles: given, changed, taken away, and never the last owner's."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tallywatt.customers.person import checked_name, fold_email
from tallywatt.customers.roles import Role
from tallywatt.kernel.errors import BadInput, Conflict, NotFound, NotSignedIn
from tallywatt.workflows.add_customer import AddCustomer, add_customer
from tallywatt.workflows.add_person import (
    AddPerson,
    ChangeRole,
    EndMembership,
    add_person,
    change_role,
    end_membership,
)
from tallywatt.workflows.claim_console import ClaimConsole, claim_console
from tallywatt.workflows.sign_in import (
    AddConsoleLink,
    EnterConsole,
    LeaveConsole,
    LeaveEverywhere,
    NewConsoleSession,
    NoteSeen,
    add_console_link,
    enter_console,
    leave_console,
    leave_everywhere,
    note_seen,
)

if TYPE_CHECKING:
    from tallywatt.adapters.storage.writer import GroupWriter
    from tallywatt.customers.access import ConsoleSession
    from tallywatt.customers.person import Membership
    from tests.workflows.house_of import HouseOf

ANN = AddPerson("Ann Reid", "Ann@Dundee.example", Role.OWNER)


def enter(house: HouseOf, membership: Membership | None = None) -> NewConsoleSession:
    """Let somebody in by a link of their own."""
    made = house.do(
        add_console_link, AddConsoleLink(membership_id=membership.membership_id if membership is not None else None)
    )
    return house.do(enter_console, EnterConsole(made.secret, "Firefox on Linux"))


def session(house: HouseOf, entered: NewConsoleSession) -> ConsoleSession:
    """A session as it is kept now."""
    found: ConsoleSession = house.do(
        lambda work, key: work.console_sessions.get(key), entered.session.console_session_id
    )
    return found


def test_the_same_person_in_whatever_case_is_added_once(house: HouseOf) -> None:
    """Addresses are typed by people; a second role is one person with two roles."""
    first = house.do(add_person, ANN)
    again = house.do(add_person, AddPerson("Ann", " ann@dundee.EXAMPLE ", Role.OWNER))
    other = house.do(add_person, AddPerson("Ann", "ann@dundee.example", Role.FINANCE))

    assert again == first
    assert other.person_id == first.person_id
    [person] = house.do(lambda work, _: work.people.by(), None)
    assert (person.name, person.email, person.email_folded) == ("Ann Reid", "Ann@Dundee.example", "ann@dundee.example")


@pytest.mark.parametrize(
    "email", ["", "ann", "ann@", "@dundee.example", "ann@@x", "a b@c.de", "a@b.c,d@e.f", "a\r\nBcc:@b.c", "a@b..c"]
)  # fmt: skip
def test_what_is_no_address_is_refused(email: str) -> None:
    """It would be put into a header of a mail."""
    with pytest.raises(BadInput) as caught:
        fold_email(email)
    assert caught.value.code == "people.bad_email"


def test_a_name_is_one_line() -> None:
    """It is shown in lists and in mails."""
    assert checked_name("  Ann\n Reid ") == "Ann Reid"
    for name in ("", "   ", "x" * 201):
        with pytest.raises(BadInput):
            checked_name(name)


@pytest.mark.parametrize(
    ("role", "customers", "code"),
    [
        (Role.DRIVER, (), "people.no_customer"),
        (Role.FLEET_MANAGER, (), "people.no_customer"),
        (Role.DRIVER, ("C1", "C9"), "people.too_many_customers"),
        (Role.SUPPORT, ("C1",), "people.too_many_customers"),
        (Role.DRIVER, ("nobody",), "customers.not_found"),
    ],
)
def test_a_role_is_bound_to_as_many_customers_as_it_takes(
    quick_house: HouseOf, role: Role, customers: tuple[str, ...], code: str
) -> None:
    """A driver of nobody, or of everybody, would be a leak; and nothing is left behind by what was refused."""
    with pytest.raises((BadInput, NotFound)) as caught:
        quick_house.do(add_person, AddPerson("D", "d@x.example", role, customers))
    assert caught.value.code == code
    assert quick_house.do(lambda work, _: work.people.by(), None) == []


def test_a_fleet_manager_sees_the_customers_named_last(house: HouseOf) -> None:
    """A car joins the fleet: the same membership, other customers."""
    first = house.do(add_customer, AddCustomer("F1")).customer_id
    second = house.do(add_customer, AddCustomer("F2")).customer_id
    manager = house.do(add_person, AddPerson("M", "m@x.example", Role.FLEET_MANAGER, ("F1",)))

    changed = house.do(change_role, ChangeRole(manager.membership_id, Role.FLEET_MANAGER, ("F1", "F2")))

    assert manager.customer_ids == (first,)
    assert changed.customer_ids == (first, second)
    assert changed.membership_id == manager.membership_id


def test_the_last_owner_stays(house: HouseOf) -> None:
    """Nobody could let anybody in any more: neither removed nor made something else."""
    ann = house.do(add_person, ANN)
    for workflow, command in (
        (end_membership, EndMembership(ann.membership_id)),
        (change_role, ChangeRole(ann.membership_id, Role.SUPPORT)),
    ):
        with pytest.raises(Conflict) as caught:
            house.do(workflow, command)  # type: ignore[arg-type]  # the two go together
        assert caught.value.code == "people.last_owner"

    ben = house.do(add_person, AddPerson("Ben", "ben@dundee.example", Role.OWNER))
    house.do(end_membership, EndMembership(ann.membership_id))
    with pytest.raises(Conflict):
        house.do(end_membership, EndMembership(ben.membership_id))


def test_who_is_removed_is_out_at_once(house: HouseOf) -> None:
    """The session that is open in some browser ends with the role, and comes back with no other."""
    house.do(add_person, ANN)
    ben = house.do(add_person, AddPerson("Ben", "ben@dundee.example", Role.SUPPORT))
    entered = enter(house, ben)
    waiting = house.do(add_console_link, AddConsoleLink(membership_id=ben.membership_id))

    house.do(end_membership, EndMembership(ben.membership_id))
    house.do(end_membership, EndMembership(ben.membership_id))

    assert session(house, entered).revoked_at is not None
    with pytest.raises(NotSignedIn) as caught:
        house.do(enter_console, EnterConsole(waiting.secret))
    assert caught.value.code == "access.membership_ended"
    back = house.do(add_person, AddPerson("Ben", "ben@dundee.example", Role.SUPPORT))
    assert back.membership_id == ben.membership_id
    assert back.is_open
    assert session(house, entered).revoked_at is not None


def test_another_role_ends_the_sessions_of_the_old_one(house: HouseOf) -> None:
    """What is on the screen is not theirs any more."""
    house.do(add_person, ANN)
    ben = house.do(add_person, AddPerson("Ben", "ben@dundee.example", Role.OPERATIONS))
    entered = enter(house, ben)

    changed = house.do(change_role, ChangeRole(ben.membership_id, Role.READ_ONLY))

    assert (changed.role, changed.person_id) == (Role.READ_ONLY, ben.person_id)
    assert session(house, entered).revoked_at is not None
    with pytest.raises(Conflict):
        house.do(change_role, ChangeRole(ben.membership_id, Role.OWNER))


def test_whoever_opened_the_first_run_link_becomes_an_owner_by_saying_who_they_are(house: HouseOf) -> None:
    """The session at hand goes on as that person's, and cannot be claimed for somebody else."""
    entered = enter(house)
    claim = ClaimConsole(entered.session.console_session_id, "Ann Reid", "ann@dundee.example")

    claimed = house.do(claim_console, claim)

    [membership] = house.do(lambda work, _: work.memberships.by(), None)
    assert (membership.role, claimed.membership_id) == (Role.OWNER, membership.membership_id)
    assert claimed.person_id == membership.person_id
    with pytest.raises(Conflict):
        house.do(claim_console, claim)


def test_signing_out_everywhere_leaves_only_the_session_in_use(house: HouseOf) -> None:
    """A lost phone; and other people stay where they are."""
    ann = house.do(add_person, ANN)
    ben = house.do(add_person, AddPerson("Ben", "ben@dundee.example", Role.SUPPORT))
    here, phone, other = enter(house, ann), enter(house, ann), enter(house, ben)

    ended = house.do(leave_everywhere, LeaveEverywhere(ann.person_id, here.session.console_session_id))

    assert ended == 1
    assert [session(house, one).revoked_at is None for one in (here, phone, other)] == [True, False, True]


def test_nobody_signs_somebody_else_out_by_an_id(house: HouseOf) -> None:
    """It is not found, and stays open."""
    ann = house.do(add_person, ANN)
    ben = house.do(add_person, AddPerson("Ben", "ben@dundee.example", Role.SUPPORT))
    other = enter(house, ben)

    with pytest.raises(NotFound):
        house.do(leave_console, LeaveConsole(other.session.console_session_id, ann.person_id))
    assert session(house, other).revoked_at is None


def test_when_a_session_was_last_used_is_kept_to_minutes(house: HouseOf) -> None:
    """Every page would be a write otherwise."""
    entered = enter(house, house.do(add_person, ANN))
    key = entered.session.console_session_id
    house.later(1)
    house.do(note_seen, NoteSeen(key))
    assert session(house, entered).seen_at == entered.session.created_at
    house.later(5)
    house.do(note_seen, NoteSeen(key))
    assert session(house, entered).seen_at == house.now


def test_every_step_is_recorded_with_ids_and_codes_alone(house: HouseOf) -> None:
    """The trail is kept for ever; a name in it could not be erased."""
    house.do(add_person, ANN)
    ben = house.do(add_person, AddPerson("Ben", "ben@dundee.example", Role.SUPPORT))
    enter(house, ben)
    house.do(change_role, ChangeRole(ben.membership_id, Role.FINANCE))

    actions = house.do(lambda work, _: work.actions.by(), None)
    names = [one.action for one in actions]
    assert {"person.add", "membership.add", "membership.end", "console.enter"} <= set(names)
    assert not [one for one in actions if "dundee.example" in repr(one) or "Ben" in repr(one)]


def test_two_owners_who_remove_each_other_at_once_do_not_both_succeed(house: HouseOf) -> None:
    """On two connections: whoever comes second is the last owner by then."""
    ann = house.do(add_person, ANN)
    ben = house.do(add_person, AddPerson("Ben", "ben@dundee.example", Role.OWNER))
    barrier = threading.Barrier(2)
    answers: list[object] = []

    def remove(writer: GroupWriter, membership: Membership) -> None:
        barrier.wait()
        command = EndMembership(membership.membership_id)
        writer.submit(house.operator, end_membership, command, answers.append, actor="test")
        writer.step()

    second = house.another_writer()
    threads = [threading.Thread(target=remove, args=one) for one in ((house.writer, ben), (second, ann))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    second.stop()

    assert sum(isinstance(one, Conflict) for one in answers) == 1, answers
    assert sum(one.is_open for one in house.do(lambda work, _: work.memberships.by(role="owner"), None)) == 1
