"""Who belongs to a fleet, a group or a membership, from when to when, and that prices follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.customers.circle import CircleKind
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.erase_customer import EraseCustomer, erase_customer
from tallywatt.workflows.import_rows import take_customer
from tallywatt.workflows.imports import RowOutcome
from tallywatt.workflows.keep_circle import AddCircle, JoinCircle, LeaveCircle, add_circle, join_circle, leave_circle
from tests.workflows.test_offer_price import assign, offered

if TYPE_CHECKING:
    from tests.workflows.house_of import HouseOf

DAY = 86_400_000


def gold(house: HouseOf) -> str:
    """A membership, by its id."""
    return house.do(add_circle, AddCircle(CircleKind.MEMBER, "gold", "Gold")).circle_id


def test_members_get_the_price_of_the_membership_while_they_belong_to_it(quick_house: HouseOf) -> None:
    """And say why they get it; the day after it ends, the price for everyone."""
    house = quick_house
    gold(house)
    house.do(add_customer, AddCustomer("C2"))
    house.do(add_token, AddToken("CARD2", "C2"))
    assign(house, "members", "member:gold")
    joined = house.do(join_circle, JoinCircle("member:gold", "C1"))
    wire = house.wire()
    wire.start(token="CARD1")
    wire.start(token="CARD2", evse=2)
    house.do(leave_circle, LeaveCircle(joined.belonging_id))
    house.later(60)
    house.wire("CP2").start(token="CARD1") if house.rows.stations.one_by(identity="CP2") else wire.start(token="CARD1")
    assert offered(house) == [
        ("members", "member; operator; before everyone at operator"),
        ("plain", "operator"),
        ("plain", "operator"),
    ]


def test_a_name_is_given_once(quick_house: HouseOf) -> None:
    """Two memberships of one name would be one price for two promises."""
    gold(quick_house)
    with pytest.raises(Conflict):
        gold(quick_house)
    with pytest.raises(BadInput):
        quick_house.do(add_circle, AddCircle(CircleKind.GROUP, "a b"))
    assert quick_house.rows.actions.one_by(action="circle.add").after == {"circle": "member:gold"}  # type: ignore[union-attr]  # there is one


def test_the_same_span_again_is_the_same_and_another_that_meets_it_is_refused(quick_house: HouseOf) -> None:
    """A sheet that is uploaded twice changes nothing; a span beside it is another one."""
    house, circle = quick_house, gold(quick_house)
    now = house.now
    first = JoinCircle(circle, "C1", now, Instant(now + DAY))
    row = house.do(join_circle, first)
    assert house.do(join_circle, first) == row
    with pytest.raises(Conflict):
        house.do(join_circle, JoinCircle(circle, "C1", Instant(now + DAY - 1)))
    after = house.do(join_circle, JoinCircle(circle, "C1", Instant(now + DAY)))
    assert after.belonging_id != row.belonging_id
    with pytest.raises(BadInput):
        house.do(join_circle, JoinCircle(circle, "C1", now, now))
    for nobody in (JoinCircle("nowhere", "C1"), JoinCircle("group:nobody", "C1"), JoinCircle(circle, "C99")):
        with pytest.raises(NotFound):
            house.do(join_circle, nobody)


def test_belonging_ends_now_or_later_and_never_in_the_past(quick_house: HouseOf) -> None:
    """What was offered meanwhile was right when it was offered."""
    house = quick_house
    row = house.do(join_circle, JoinCircle(gold(house), "C1"))
    week = Instant(house.now + 7 * DAY)
    assert house.do(leave_circle, LeaveCircle(row.belonging_id, week)).valid_until == week
    ended = house.do(leave_circle, LeaveCircle(row.belonging_id))
    house.later(5)
    assert house.do(leave_circle, LeaveCircle(row.belonging_id)) == ended
    with pytest.raises(Conflict):
        house.do(leave_circle, LeaveCircle(row.belonging_id, week))
    again = house.do(join_circle, JoinCircle("member:gold", "C1", ended.valid_until))
    with pytest.raises(BadInput):
        house.do(leave_circle, LeaveCircle(again.belonging_id, Instant(house.now - DAY)))
    with pytest.raises(NotFound):
        house.do(leave_circle, LeaveCircle("nobody"))


def test_who_is_forgotten_belongs_to_nothing_any_more(house: HouseOf) -> None:
    """Also not to what was to come, and not twice to what was over."""
    circle = gold(house)
    past = house.do(join_circle, JoinCircle(circle, "C1", Instant(0), Instant(5)))
    house.do(join_circle, JoinCircle(circle, "C1", house.now, Instant(house.now + DAY)))
    coming = house.do(join_circle, JoinCircle(circle, "C1", Instant(house.now + 2 * DAY)))
    house.do(erase_customer, EraseCustomer("C1"))
    rows = {one.belonging_id: one for one in house.rows.belongings.by()}
    assert rows[past.belonging_id] == past
    assert rows[coming.belonging_id].valid_until == coming.valid_from
    assert not any(one.holds_at(Instant(house.now + 3 * DAY)) or one.holds_at(house.now) for one in rows.values())


def test_an_upload_of_customers_lets_them_belong(quick_house: HouseOf) -> None:
    """What is missing is added, what is there stays; an unknown name refuses the row."""
    house = quick_house
    gold(house)
    told = AddCustomer("C5", circles=("member:gold",))
    assert house.do(take_customer, told).outcome is RowOutcome.TAKEN
    assert house.do(take_customer, told).outcome is RowOutcome.ALREADY_THERE
    house.do(add_circle, AddCircle(CircleKind.FLEET, "north"))
    both = AddCustomer("C5", circles=("member:gold", "fleet:north"))
    assert house.do(take_customer, both).outcome is RowOutcome.TAKEN
    assert len(house.rows.belongings.by()) == 2
    with pytest.raises(NotFound):
        house.do(take_customer, AddCustomer("C6", circles=("fleet:south",)))
