"""What goes beyond somebody's limit waits for another person, is done once, and expires."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.customers.approval import Approval, ApprovalState, Holder
from tallywatt.customers.roles import Role
from tallywatt.kernel.errors import Conflict, IdempotencyMismatch
from tallywatt.kernel.money import Money, currency
from tallywatt.payments.operation import OperationKind
from tallywatt.workflows.add_person import AddPerson, add_person
from tallywatt.workflows.ask_refund import AskRefund, ask_refund
from tallywatt.workflows.create_api_key import CreateApiKey, create_api_key
from tallywatt.workflows.decide_approval import decide_approval
from tallywatt.workflows.give_back import GiveBack
from tallywatt.workflows.rotate_api_key import RotateApiKey, rotate_api_key
from tallywatt.workflows.second_eyes import Decide, expire_approval
from tallywatt.workflows.set_money_limit import SetMoneyLimit, set_money_limit
from tests.workflows.house_of import KWH, HouseOf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.payments.payment import Payment


@pytest.fixture
def house(house_url: str) -> Iterator[HouseOf]:
    with HouseOf(house_url) as made:
        made.furnish()
        made.keep_a_card()
        yield made


@pytest.fixture
def paid(house: HouseOf) -> Payment:
    """A session of 30.00 that was paid, and a limit of 10.00 a payment, 15.00 a day."""
    house.wire().charge(100 * KWH, minutes=400)
    house.collect()
    house.do(set_money_limit, SetMoneyLimit(Holder.SUPPORT, "GBP", 1000, 1500))
    [payment] = house.rows.payments.by(state="captured")
    assert payment.captured_minor == 3000
    return payment


def person(house: HouseOf, name: str, role: Role = Role.SUPPORT) -> str:
    return f"person:{house.do(add_person, AddPerson(name, f'{name}@dundee.example', role)).person_id}"


def refund(payment: Payment, minor: int, key: str = "r1") -> AskRefund:
    return AskRefund(
        GiveBack(payment.payment_id, Money(minor, currency("GBP")), "cable was stiff", key), Holder.SUPPORT
    )


def waiting(house: HouseOf, payment: Payment, minor: int, by: str, key: str = "r1") -> Approval:
    asked = house.do(ask_refund, refund(payment, minor, key), actor=by)
    assert isinstance(asked, Approval)
    assert asked.state is ApprovalState.WAITING
    return asked


def refunds(house: HouseOf) -> list[int]:
    return sorted(one.amount_minor for one in house.rows.operations.by() if one.kind is OperationKind.REFUND)


def test_within_the_limit_nobody_is_asked_and_beyond_it_somebody_is(house: HouseOf, paid: Payment) -> None:
    """Piece by piece it is the same as at once."""
    anna = person(house, "anna")
    house.do(ask_refund, refund(paid, 600, "a"), actor=anna)
    house.collect()
    assert waiting(house, paid, 401, anna, "b").beyond == ("payment",)
    house.do(ask_refund, refund(paid, 400, "c"), actor=anna)
    house.collect()
    assert waiting(house, paid, 600, anna, "d").beyond == ("payment", "day")
    assert refunds(house) == [400, 600]
    house.later(24 * 60)
    assert waiting(house, paid, 600, anna, "e").beyond == ("payment",)
    house.adds_up()


def test_another_person_approves_and_it_is_done_once(house: HouseOf, paid: Payment) -> None:
    """Who asked and who decided stands in the record; the same press again is the same answer."""
    anna, otto = person(house, "anna"), person(house, "otto", Role.FINANCE)
    asked = waiting(house, paid, 2000, anna)
    done = [house.do(decide_approval, Decide(asked.approval_id, True, "seen"), actor=otto) for _ in range(2)]
    house.collect()
    assert done[0] == done[1]
    assert (done[0].state, done[0].decided_by, done[0].note) == (ApprovalState.APPROVED, otto, "seen")
    assert done[0].result_id == house.rows.operations.by(kind="refund")[0].operation_id
    assert refunds(house) == [2000]
    told = {one.action: one.caller_id for one in house.rows.actions.by()}
    assert (told["approval.ask"], told["approval.approve"]) == (anna.partition(":")[2], otto.partition(":")[2])
    assert told["payment.refund"] == otto.partition(":")[2]
    house.adds_up()


def test_nobody_approves_their_own_request_with_either_hand(house: HouseOf, paid: Payment) -> None:
    """A key of one's own is one's own hand, also one that somebody else made and one has a new secret of."""
    anna, otto = person(house, "anna", Role.OWNER), person(house, "otto", Role.FINANCE)
    asked = waiting(house, paid, 2000, anna)
    hers = house.do(create_api_key, CreateApiKey("hers", ("approve", "admin")), actor=anna).key.api_key_id
    of_hers = house.do(create_api_key, CreateApiKey("of hers", ("approve",)), actor=f"key:{hers}").key.api_key_id
    shown = house.do(create_api_key, CreateApiKey("shown", ("approve",)), actor=otto).key.api_key_id
    house.do(rotate_api_key, RotateApiKey(shown, 0), actor=anna)
    for actor in (anna, f"key:{hers}", f"key:{of_hers}", f"key:{shown}"):
        with pytest.raises(Conflict) as refused:
            house.do(decide_approval, Decide(asked.approval_id, True), actor=actor)
        assert refused.value.code == "approvals.own_request"
    his = house.do(create_api_key, CreateApiKey("his", ("approve",)), actor=otto).key.api_key_id
    assert house.do(decide_approval, Decide(asked.approval_id, True), actor=f"key:{his}").state == "approved"
    assert refunds(house) == [2000]


@pytest.mark.parametrize("actor", ["cli:root", "person:a-session-without-a-name", "key:nobody-made-it"])
def test_who_has_no_name_is_no_second_pair_of_eyes(house: HouseOf, paid: Payment, actor: str) -> None:
    """Whoever owns the machine may be the one who asked."""
    asked = waiting(house, paid, 2000, person(house, "anna"))
    with pytest.raises(Conflict) as refused:
        house.do(decide_approval, Decide(asked.approval_id, True), actor=actor)
    assert refused.value.code == "approvals.nameless"
    assert refunds(house) == []


def test_what_was_asked_through_a_key_counts_on_the_day_of_who_made_it(house: HouseOf, paid: Payment) -> None:
    """A key is no second purse."""
    anna = person(house, "anna", Role.OWNER)
    key = house.do(create_api_key, CreateApiKey("hers", ("refund",)), actor=anna).key.api_key_id
    house.do(set_money_limit, SetMoneyLimit(Holder.SUPPORT, "GBP", None, 1500))
    house.do(ask_refund, refund(paid, 1000, "a"), actor=anna)
    house.collect()
    assert waiting(house, paid, 501, f"key:{key}", "b").beyond == ("day",)


def test_the_same_request_again_waits_once(house: HouseOf, paid: Payment) -> None:
    """A second press asks nobody twice; another sum under the same key is a mistake."""
    anna = person(house, "anna")
    assert waiting(house, paid, 2000, anna) == waiting(house, paid, 2000, anna)
    with pytest.raises(IdempotencyMismatch):
        house.do(ask_refund, refund(paid, 2001), actor=anna)


def test_declined_or_expired_nothing_is_done(house: HouseOf, paid: Payment) -> None:
    """And nobody can change that afterwards."""
    anna, otto = person(house, "anna"), person(house, "otto", Role.FINANCE)
    no, late = waiting(house, paid, 2000, anna, "a"), waiting(house, paid, 2000, anna, "b")
    house.do(decide_approval, Decide(no.approval_id, False, "rightly charged"), actor=otto)
    house.later(7 * 24 * 60 + 1)
    with pytest.raises(Conflict) as refused:
        house.do(decide_approval, Decide(late.approval_id, True), actor=otto)
    assert refused.value.code == "approvals.expired"
    assert house.do(expire_approval, late.approval_id).state is ApprovalState.EXPIRED
    assert house.do(expire_approval, no.approval_id).state is ApprovalState.DECLINED
    for one in (no, late):
        with pytest.raises(Conflict) as decided:
            house.do(decide_approval, Decide(one.approval_id, True), actor=otto)
        assert decided.value.code == "approvals.decided"
    assert refunds(house) == []


def test_what_has_become_impossible_is_refused_and_waits_on(house: HouseOf, paid: Payment) -> None:
    """Two requests of 20.00 on a payment of 30.00: the second one is told so, and can be declined."""
    anna, otto = person(house, "anna"), person(house, "otto", Role.FINANCE)
    first, second = (waiting(house, paid, 2000, anna, key) for key in "ab")
    house.do(decide_approval, Decide(first.approval_id, True), actor=otto)
    house.collect()
    with pytest.raises(Conflict) as refused:
        house.do(decide_approval, Decide(second.approval_id, True), actor=otto)
    assert refused.value.code == "payment.refund_beyond_capture"
    assert house.do(decide_approval, Decide(second.approval_id, False), actor=otto).state == "declined"
    assert refunds(house) == [2000]


def test_two_approve_at_once_and_one_of_them_does(house: HouseOf, paid: Payment, house_url: str) -> None:
    """On two connections at the same moment."""
    anna, otto, ida = person(house, "anna"), person(house, "otto", Role.FINANCE), person(house, "ida", Role.OWNER)
    asked = waiting(house, paid, 2000, anna)
    writers = [house.another_writer() for _ in range(2)]
    barrier = threading.Barrier(2)
    answers: list[Any] = []

    def approve(place: int, actor: str) -> None:
        writer = writers[place]
        writer.submit(house.operator, decide_approval, Decide(asked.approval_id, True), answers.append, actor=actor)
        barrier.wait()
        writer.step()

    threads = [threading.Thread(target=approve, args=one) for one in ((0, otto), (1, ida))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for writer in writers:
        writer.stop()
    assert sorted(isinstance(one, Conflict) for one in answers) == [False, True]
    house.collect()
    assert refunds(house) == [2000]
