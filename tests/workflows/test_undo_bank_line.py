"""What was decided about a line of the bank is taken back: the opposite is booked, and the line may be decided otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.kernel.money import money
from tallywatt.payments.bank import BankLine, BankLineState
from tallywatt.payments.debit import CollectionState
from tallywatt.payments.own_books import TransferFor
from tallywatt.workflows.add_customer import AddCustomer, add_customer
from tallywatt.workflows.end_debits import CancelBatch, cancel_batch
from tallywatt.workflows.pay_out_balance import PayOutBalance, pay_out_balance
from tallywatt.workflows.receive_transfer import ReceiveTransfer, receive_transfer
from tallywatt.workflows.take_statement import DecideBankLine, decide_bank_line
from tallywatt.workflows.undo_bank_line import UndoBankLine, undo_bank_line
from tests.workflows import test_prepare_debits as debited
from tests.workflows.test_answer_from_books import prepaid
from tests.workflows.test_prepare_debits import debtors, quick_debtors
from tests.workflows.test_take_settlement import paid
from tests.workflows.test_take_statement import at_bank, open_of, owing, payout, stands, take

if TYPE_CHECKING:
    from tests.workflows.house_of import HouseOf

__all__ = ["debtors", "quick_debtors"]


def undo(house: HouseOf, line: str, reason: str = "the wrong one") -> BankLine:
    return house.do(undo_bank_line, UndoBankLine(line, reason), actor="person:p1")


def test_a_transfer_of_the_wrong_customer_is_taken_back_and_given_to_the_right_one(house: HouseOf) -> None:
    """Undone twice it is undone once; what it had paid is open again, and the books know both steps."""
    _, number = owing(house)
    house.do(add_customer, AddCustomer("C9", name="Another"))
    take(house, at_bank(house, "l1", 300))
    for turn in range(2):
        house.do(decide_bank_line, DecideBankLine("l1", customer="C9"))
        assert open_of(house) == [300]
        for _ in range(2):
            after = undo(house, "l1")
        assert (after.state, after.revision, after.undone_by) == (BankLineState.OPEN, turn + 1, "person:p1")
        assert stands(house) == {}
    house.do(decide_bank_line, DecideBankLine("l1", invoice=number))

    assert open_of(house) == [0]
    assert stands(house) == {"bank": 300}
    undo(house, "l1")
    assert open_of(house) == [300]
    told = [one for one in house.rows.actions.by(subject_id="l1") if one.action == "bank.undo"]
    assert [(one.after or {})["note"] for one in told] == ["the wrong one"] * 3
    house.adds_up()


def test_a_payout_is_on_its_way_again_and_is_matched_by_a_person_alone(house: HouseOf) -> None:
    """The provider's list is read again meanwhile: nobody but a person decides what a person has undone."""
    paid(house)
    account = payout(house)
    take(house, at_bank(house))
    assert stands(house) == {"bank": 1000}
    undo(house, "l1")
    payout(house, "po_2", 999)

    assert stands(house) == {"transit": 1999}
    house.do(decide_bank_line, DecideBankLine("l1", account, "po_1"))
    assert stands(house) == {"bank": 1000, "transit": 999}
    undo(house, "l1")
    house.do(decide_bank_line, DecideBankLine("l1", note="rent"))
    undo(house, "l1")
    assert stands(house) == {"transit": 1999}


def test_a_transfer_that_did_not_go_back_pays_again_what_it_had_paid(house: HouseOf) -> None:
    """The return was another customer's; the line with which it came is its own again, and cannot be undone before."""
    _, number = owing(house)
    came = at_bank(house, "came", 300, end_to_end="E2E-1", remittance=number)
    take(house, came, at_bank(house, "back", -300, days=2, end_to_end="E2E-1", remittance="", return_code="AC04"))
    assert open_of(house) == [300]
    with pytest.raises(Conflict) as refused:
        undo(house, "came")
    assert refused.value.code == "bank.went_back"

    undo(house, "back")

    assert open_of(house) == [0]
    assert stands(house) == {"bank": 300}
    house.do(decide_bank_line, DecideBankLine("back", customer="C1"))
    assert open_of(house) == [300]
    undo(house, "back")
    undo(house, "came")
    assert open_of(house) == [300]
    house.adds_up()


def test_what_was_used_of_a_balance_is_not_taken_from_it(house: HouseOf) -> None:
    """A balance never goes below zero; with the sum on it again the line is undone."""
    prepaid(house, "1.00")
    take(house, at_bank(house, "came", 500))
    house.do(decide_bank_line, DecideBankLine("came", customer="C1", target=TransferFor.BALANCE))
    house.do(pay_out_balance, PayOutBalance("C1", "GBP", by_bank="SEPA 7"))
    with pytest.raises(Conflict) as refused:
        undo(house, "came")
    assert refused.value.code == "bank.balance_used"
    assert house.rows.bank_lines.get("came").state is BankLineState.TRANSFER

    again = ReceiveTransfer("again", money("5.00", "GBP"), "2026-03-20", "C1", target=TransferFor.BALANCE)
    house.do(receive_transfer, again)
    undo(house, "came")
    house.adds_up()


def test_debits_that_did_not_come_with_a_line_are_asked_for_again(debtors: HouseOf) -> None:
    """They wait in the books a second time, come with the right line, and go back with another: all of it adds up."""
    house = debtors
    debited.charge(house)
    debited.prepare(house)
    [one] = debited.collections(house)
    debited.take(house, debited.line(house, 300, "wrong", end_to_end=one.end_to_end))
    undo(house, "wrong")

    [asked] = debited.collections(house)
    assert (asked.state, asked.revision, asked.transfer_id) == (CollectionState.ASKED, 1, None)
    assert debited.open_sums(house) == [300]
    assert debited.prepare(house, key="another").count == 0, "nothing is asked for twice"
    house.do(decide_bank_line, DecideBankLine("wrong", note="not ours"))
    assert debited.take(house, debited.line(house, 300, "right", end_to_end=one.end_to_end)) == 1
    assert debited.open_sums(house) == [0]
    back = debited.line(house, -350, "back", end_to_end=one.end_to_end, return_code="MS03")
    assert debited.take(house, back) == 1
    house.adds_up()
    with pytest.raises(Conflict):
        undo(house, "right")

    for _ in range(2):
        undo(house, "back")
    [there] = debited.collections(house)
    assert (there.state, there.fee_minor, there.return_line_id) == (CollectionState.COLLECTED, 0, None)
    assert debited.open_sums(house) == [0]
    house.do(decide_bank_line, DecideBankLine("back", debit=one.end_to_end))
    [gone] = debited.collections(house)
    assert (gone.state, gone.fee_minor) == (CollectionState.RETURNED, 50)
    undo(house, "back")
    undo(house, "right")
    assert debited.open_sums(house) == [300]
    house.adds_up()


@pytest.mark.parametrize("second_comes", [True, False])
def test_of_two_debits_that_wait_for_one_item_it_is_asked_for_once(debtors: HouseOf, second_comes: bool) -> None:
    """A transfer that was not theirs had paid some of it: that is asked for, and then the rest did not come either."""
    house = debtors
    debited.charge(house)
    [owed] = house.rows.customer_holds.by()
    debited.take(house, debited.line(house, 100, "some", remittance="for C1"))
    if house.rows.bank_lines.get("some").state is BankLineState.OPEN:
        house.do(decide_bank_line, DecideBankLine("some", customer="C1"))
    debited.prepare(house)
    [first] = debited.collections(house)
    assert first.amount_minor == 200
    debited.take(house, debited.line(house, 200, "rest", end_to_end=first.end_to_end))
    undo(house, "some")
    assert debited.prepare(house, key="second").count == 1
    [second] = [one for one in debited.collections(house) if one.state is CollectionState.ASKED]
    undo(house, "rest")
    house.adds_up()
    assert debited.prepare(house, key="third").count == 0

    if second_comes:
        debited.take(house, debited.line(house, 100, "late", end_to_end=second.end_to_end))
    else:
        house.do(cancel_batch, CancelBatch(second.batch_id))
    asked = {one.collection_id for one in house.rows.debit_parts.by(payment_id=owed.payment_id) if one.is_open}
    assert asked == {first.collection_id}
    assert debited.prepare(house, key="fourth").count == 0, "the first one is at the bank still"
    house.adds_up()


def test_what_cannot_be_undone_says_why(quick_house: HouseOf) -> None:
    """Nothing decided, no reason, no such line."""
    take(quick_house, at_bank(quick_house))
    with pytest.raises(Conflict, match="nothing was decided"):
        undo(quick_house, "l1")
    with pytest.raises(BadInput):
        undo(quick_house, "l1", " ")
    with pytest.raises(NotFound):
        undo(quick_house, "nobody")
