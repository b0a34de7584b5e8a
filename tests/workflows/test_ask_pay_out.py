"""Every way in which money leaves by somebody's hand holds to the limit of the role, and beyond it waits for another person."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import tallywatt
from tallywatt.customers.approval import Approval, ApprovalState, Holder
from tallywatt.customers.roles import Role
from tallywatt.kernel.errors import Conflict
from tallywatt.kernel.money import Money, currency, money
from tallywatt.payments.operation import OperationKind
from tallywatt.payments.own_books import TransferFor
from tallywatt.workflows.add_person import AddPerson, add_person
from tallywatt.workflows.ask_pay_out import AskPayOut, ask_pay_out
from tallywatt.workflows.ask_refund import AskRefund, ask_refund
from tallywatt.workflows.correct_prices import OrderCorrection, order_correction
from tallywatt.workflows.decide_approval import decide_approval
from tallywatt.workflows.give_back import GiveBack
from tallywatt.workflows.pay_out_balance import PayOutBalance
from tallywatt.workflows.receive_transfer import ReceiveTransfer, receive_transfer
from tallywatt.workflows.second_eyes import Decide
from tallywatt.workflows.set_money_limit import SetMoneyLimit, set_money_limit
from tests.workflows.corrected import carried_out, proposed, tariff_of
from tests.workflows.house_of import KWH, HouseOf
from tests.workflows.test_answer_from_books import customer_of, free, pay_in, prepaid

if TYPE_CHECKING:
    from collections.abc import Callable

LEAVES = {
    "workflows/ask_refund.py": "a refund, within the limit or approved",
    "workflows/ask_pay_out.py": "a payout, likewise",
    "workflows/pay_out_balance.py": "what a payout is made of; for people only through the file above",
    "workflows/correct_session.py": "a correction, whose whole sum is held against the limit of who orders it",
    "workflows/return_rest.py": "the house by itself: less was due than was taken",
    "workflows/give_back.py": "what all refunds are made of",
}
"""Files that give money back or pay it out by bank, and why that is within somebody's limit. A new one has to say it here."""
DOORS = ("entrypoints/http/api", "entrypoints/http/console")
"""From there nobody reaches past the limits."""
PAST_THE_LIMITS = re.compile(
    r"\b(give_back|pay_out_balance|correct_session|refund_approved|pay_out_approved)\b(?=[,)\s(])"
)


def test_whatever_gives_money_back_says_whose_limit_it_holds_to() -> None:
    """Another way for money to leave fails here, until somebody has thought of limits."""
    root = Path(tallywatt.__file__).parent
    gives = re.compile(r"\bgive_back\(|pay_out_balance\(work|\"balance_paid_out\"")
    found = {str(one.relative_to(root)) for one in root.rglob("*.py") if gives.search(one.read_text(encoding="utf-8"))}
    found = {one for one in found if one.startswith("workflows/")} - {"workflows/apply_provider_fact.py"}
    assert found == LEAVES.keys(), "its own _give_back only sends away what came for nothing"
    for door in DOORS:
        for file in (root / door).glob("*.py"):
            imported = [line for line in file.read_text(encoding="utf-8").splitlines() if "import" in line]
            assert not [line for line in imported if PAST_THE_LIMITS.search(line.partition(" import ")[2])], file


def person(house: HouseOf, name: str, role: Role) -> str:
    return f"person:{house.do(add_person, AddPerson(name, f'{name}@dundee.example', role)).person_id}"


def gone(house: HouseOf) -> int:
    """What is on its way back to cards, and what was paid out by bank."""
    refunded = sum(one.amount_minor for one in house.rows.operations.by() if one.kind is OperationKind.REFUND)
    entries = {one.entry_id for one in house.rows.entries.by() if one.kind == "balance_paid_out"}
    return refunded + sum(one.amount_minor for one in house.rows.transfers.by() if one.entry_id in entries)


def a_refund(house: HouseOf) -> Callable[[], Any]:
    house.wire().charge(10 * KWH)
    house.collect()
    [payment] = house.rows.payments.by(state="captured")
    refund = GiveBack(payment.payment_id, Money(200, currency("GBP")), "stiff", "r1")
    return lambda: (ask_refund, AskRefund(refund, Holder.FINANCE))


def a_payout_to_cards(house: HouseOf) -> Callable[[], Any]:
    prepaid(house)
    return lambda: (ask_pay_out, AskPayOut(PayOutBalance("C1", "GBP"), Holder.FINANCE))


def a_payout_by_bank(house: HouseOf) -> Callable[[], Any]:
    prepaid(house)
    told = ReceiveTransfer("hand-1", money("5.00", "GBP"), "2026-03-20", customer="C1", target=TransferFor.BALANCE)
    house.do(receive_transfer, told)
    return lambda: (ask_pay_out, AskPayOut(PayOutBalance("C1", "GBP", by_bank="SEPA 7"), Holder.FINANCE))


def a_correction(house: HouseOf) -> Callable[[], Any]:
    house.wire().charge(10 * KWH)
    house.collect()
    correction = proposed(house, tariff_of(0.10, 20))
    return lambda: (order_correction, OrderCorrection(correction.correction_id, Holder.FINANCE))


WAYS: dict[str, tuple[Callable[[HouseOf], Callable[[], Any]], int]] = {
    "refund": (a_refund, 200),
    "payout to cards": (a_payout_to_cards, 2000),
    "payout by bank": (a_payout_by_bank, 2500),
    "correction": (a_correction, 200),
}


@pytest.mark.parametrize("way", WAYS)
def test_money_leaves_alone_up_to_the_limit_and_beyond_it_with_a_second_person(quick_house: HouseOf, way: str) -> None:
    """One unit below what is asked and nothing leaves; asked twice it waits once; who asked does not approve it."""
    house = quick_house
    house.keep_a_card()
    order, minor = WAYS[way][0](house), WAYS[way][1]
    workflow, command = order()
    house.do(set_money_limit, SetMoneyLimit(Holder.FINANCE, "GBP", minor - 1, None))
    anna, otto = person(house, "anna", Role.FINANCE), person(house, "otto", Role.FINANCE)
    for _ in range(2):
        house.do(workflow, command, actor=anna)
        house.collect()
    assert gone(house) == 0
    [asked] = house.rows.approvals.by()
    assert (asked.state, asked.amount_minor, asked.beyond) == (ApprovalState.WAITING, minor, ("payment",))
    with pytest.raises(Conflict):
        house.do(decide_approval, Decide(asked.approval_id, approve=True), actor=anna)

    for _ in range(2):
        house.do(decide_approval, Decide(asked.approval_id, approve=True), actor=otto)
    if way == "correction":
        carried_out(house, house.rows.corrections.by()[0])
    house.collect()
    assert gone(house) == minor
    house.adds_up()


@pytest.mark.parametrize("way", ["refund", "payout to cards", "payout by bank", "correction"])
def test_a_day_has_one_limit_for_all_ways_together(quick_house: HouseOf, way: str) -> None:
    """Whoever has given away what a day allows gives no more by another door."""
    house = quick_house
    house.keep_a_card()
    workflow, command = WAYS[way][0](house)()
    minor = WAYS[way][1]
    house.do(set_money_limit, SetMoneyLimit(Holder.FINANCE, "GBP", None, minor))
    anna = person(house, "anna", Role.FINANCE)
    house.do(workflow, command, actor=anna)
    assert house.rows.approvals.by() == []
    house.wire("CP1").charge(10 * KWH, evse=2)
    house.collect()
    later = [one for one in house.rows.payments.by(state="captured") if one.session_id and one.returnable_minor > 0]
    refund = GiveBack(later[-1].payment_id, Money(1, currency("GBP")), "one more", "r2")
    answer = house.do(ask_refund, AskRefund(refund, Holder.FINANCE), actor=anna)
    assert isinstance(answer, Approval)
    assert answer.beyond == ("day",)


def test_no_more_is_paid_out_than_was_approved(quick_house: HouseOf) -> None:
    """What came in since stays; what was used since cannot go, and the request says so."""
    house = quick_house
    customer = prepaid(house)
    house.do(set_money_limit, SetMoneyLimit(Holder.FINANCE, "GBP", 0, None))
    anna, otto = person(house, "anna", Role.FINANCE), person(house, "otto", Role.FINANCE)
    command = AskPayOut(PayOutBalance("C1", "GBP"), Holder.FINANCE)
    first = house.do(ask_pay_out, command, actor=anna)
    assert isinstance(first, Approval)
    pay_in(house, "7.00")
    house.do(decide_approval, Decide(first.approval_id, approve=True), actor=otto)
    house.collect()
    assert (gone(house), free(house, customer)) == (2000, 700)

    second = house.do(ask_pay_out, command, actor=anna)
    assert isinstance(second, Approval)
    assert second.amount_minor == 700
    house.do(ask_pay_out, AskPayOut(PayOutBalance("C1", "GBP"), None))
    house.collect()
    assert (free(house, customer_of(house)), gone(house)) == (700, 2000), "one waits, so nothing goes beside it"
    house.adds_up()
