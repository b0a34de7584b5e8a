"""Invitations: taken once, taken back, replaced, expired."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.customers.access import secret_hash
from tallywatt.customers.roles import Role
from tallywatt.kernel.errors import BadInput, Conflict, NotSignedIn
from tallywatt.workflows.add_person import AddPerson, EndMembership, add_person, end_membership
from tallywatt.workflows.invite_person import (
    AcceptInvitation,
    InvitePerson,
    RevokeInvitation,
    accept_invitation,
    invite_person,
    revoke_invitation,
)
from tallywatt.workflows.send_letter import GatherLetter, gather_letter

if TYPE_CHECKING:
    from tests.workflows.house_of import HouseOf


def invitation(number: int = 1, role: Role = Role.FINANCE, **more: object) -> InvitePerson:
    """An invitation whose secret is `secret-<number>`."""
    given = {"email": "Ann@dundee.example", "customers": (), "days": 7, **more}
    return InvitePerson(role=role, invitation_id=f"I{number}", secret_hash=secret_hash(f"secret-{number}"), **given)  # type: ignore[arg-type]  # a test's shorthand


def accept(house: HouseOf, number: int = 1, name: str = "Ann Reid") -> str:
    """Take an invitation; the person who then sits there."""
    made = house.do(accept_invitation, AcceptInvitation(f"secret-{number}", name, None))
    assert made.session.way == "invitation"
    assert made.session.person_id is not None
    return made.session.person_id


def test_an_invitation_is_taken_once(house: HouseOf) -> None:
    """Whoever finds the letter later finds nothing behind it."""
    house.do(invite_person, invitation())
    person = accept(house)

    [membership] = house.do(lambda work, _: work.memberships.by(), None)
    assert (membership.person_id, membership.role) == (person, Role.FINANCE)
    with pytest.raises(NotSignedIn) as caught:
        accept(house)
    assert caught.value.code == "access.invitation_spent"
    with pytest.raises(Conflict):
        house.do(revoke_invitation, RevokeInvitation("I1"))


def test_an_invitation_that_was_taken_back_or_is_too_old_opens_nothing(house: HouseOf) -> None:
    """And no letter is written for it."""
    house.do(invite_person, invitation(1, by_letter=True))
    house.do(revoke_invitation, RevokeInvitation("I1"))
    house.do(revoke_invitation, RevokeInvitation("I1"))
    house.do(invite_person, invitation(2, days=1))
    assert house.do(gather_letter, GatherLetter("invitation", "I1")) is None
    house.later(24 * 60)
    for number in (1, 2, 3):
        with pytest.raises(NotSignedIn):
            accept(house, number)


def test_only_the_newest_link_of_the_same_offer_is_good(house: HouseOf) -> None:
    """Inviting again is what people do when a letter was lost; another role stands beside it."""
    house.do(invite_person, invitation(1))
    house.do(invite_person, invitation(2, Role.SUPPORT))
    house.do(invite_person, invitation(3, email="ann@DUNDEE.example"))
    with pytest.raises(NotSignedIn):
        accept(house, 1)
    assert accept(house, 2) == accept(house, 3)


def test_somebody_who_was_removed_comes_back_by_an_invitation(house: HouseOf) -> None:
    """The same person, under the name that they had."""
    membership = house.do(add_person, AddPerson("Ann Reid", "ann@dundee.example", Role.FINANCE))
    with pytest.raises(Conflict) as caught:
        house.do(invite_person, invitation())
    assert caught.value.code == "people.has_role"
    house.do(end_membership, EndMembership(membership.membership_id))
    house.do(invite_person, invitation())

    assert accept(house, name="") == membership.person_id


def test_who_is_new_says_how_they_are_called_and_may_try_again(house: HouseOf) -> None:
    """What was refused does not use the invitation up."""
    house.do(invite_person, invitation())
    with pytest.raises(BadInput):
        accept(house, name=" ")
    accept(house)


def test_an_invitation_stands_for_days_not_years(quick_house: HouseOf) -> None:
    """Nor for no time at all."""
    for days in (0, 31):
        with pytest.raises(BadInput):
            quick_house.do(invite_person, invitation(days=days))
