"""Behind one line of the bank stand many payers: they are carried in pieces, whatever happens between two of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.kernel.errors import Conflict
from tallywatt.kernel.money import money
from tallywatt.payments.bank import BankLine, BankLineState, Carrying
from tallywatt.payments.debit import CollectionState, ToldStatus
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.carry_line import CarryLine, carry_line
from tallywatt.workflows.end_debits import CancelBatch, TakeStatuses, cancel_batch, take_statuses
from tallywatt.workflows.keep_mandate import SignMandate, sign_mandate
from tallywatt.workflows.keep_own_account import AllowInvoice, allow_invoice
from tallywatt.workflows.take_statement import DecideBankLine, decide_bank_line
from tallywatt.workflows.undo_bank_line import UndoBankLine, undo_bank_line
from tests.workflows import test_prepare_debits as debited
from tests.workflows.test_prepare_debits import debtors, quick_debtors

if TYPE_CHECKING:
    from tallywatt.payments.debit import DebitBatch
    from tests.workflows.house_of import HouseOf

__all__ = ["debtors", "quick_debtors"]

PAYERS = 7
ALL = 300 * PAYERS


@pytest.fixture(autouse=True)
def two_in_a_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few that seven are many."""
    monkeypatch.setattr("tallywatt.workflows.collect_line.AT_ONCE", 2)
    monkeypatch.setattr("tallywatt.workflows.undo_debits.AT_ONCE", 2)


def asked(house: HouseOf) -> DebitBatch:
    """Seven payers are asked for three euros each; every other one was asked before, so that the file has two groups."""
    debited.charge(house)
    for number in range(2, PAYERS + 1):
        name = f"C{number}"
        house.do(add_customer, AddCustomer(name, name=name))
        house.do(add_token, AddToken(f"CARD{number}", name))
        house.do(allow_invoice, AllowInvoice(name, money("100.00", "EUR"), 14))
        signed = SignMandate(
            name, debited.OTHER_IBAN, "2026-02-01", reference=f"M-{number}", used_before=number % 2 == 0
        )
        house.do(sign_mandate, signed)
        debited.charge(house, token=f"CARD{number}")
    batch = debited.prepare(house)
    assert (batch.count, batch.total_minor) == (PAYERS, ALL)
    return batch


def came(house: HouseOf, batch: DebitBatch) -> BankLine:
    """One line brings all of it."""
    assert debited.take(house, debited.line(house, batch.total_minor, batch_ref=batch.message_id)) == 1
    return line(house)


def line(house: HouseOf) -> BankLine:
    return house.rows.bank_lines.get("l1")


def stand(house: HouseOf) -> dict[str, int]:
    """How many debits are in which state."""
    states = [one.state.value for one in debited.collections(house)]
    return {one: states.count(one) for one in dict.fromkeys(states)}


def carry(house: HouseOf, *, is_back: bool = False) -> int:
    """The job goes on to the end; how many pieces it was."""
    count = 1
    while house.do(carry_line, CarryLine("l1", is_back)):
        count += 1
    return count


def undo(house: HouseOf) -> BankLine:
    return house.do(undo_bank_line, UndoBankLine("l1", "of next week"), actor="person:p1")


def test_a_crash_between_any_two_pieces_goes_on_and_nobody_is_collected_twice(debtors: HouseOf) -> None:
    """The line is decided at once and for good; each payer's items are paid in the piece that carries them."""
    house = debtors
    batch = asked(house)
    begun = came(house, batch)
    assert (begun.state, begun.under_way, begun.batch_id) == (BankLineState.DEBIT, Carrying.COLLECTING, batch.batch_id)
    done = 2
    assert stand(house) == {"collected": done, "asked": PAYERS - done}
    assert [one.subject_id for one in house.rows.stored_jobs.by(kind="carry_line")] == ["l1"]

    while line(house).under_way is not None:
        house.kill()
        house.adds_up()
        assert debited.take(house, debited.line(house, ALL, batch_ref=batch.message_id)) == 0, "read twice it is known"
        assert house.do(decide_bank_line, DecideBankLine("l1", debit=batch.message_id)).version == line(house).version
        house.do(carry_line, CarryLine("l1"))
        done = min(done + 2, PAYERS)
        assert stand(house).get("collected") == done

    assert debited.open_sums(house) == [0] * PAYERS
    assert len(house.rows.received_transfers.by()) == PAYERS
    before = line(house)
    assert house.do(carry_line, CarryLine("l1")) is False
    assert house.do(carry_line, CarryLine("l1", is_back=True)) is False
    assert line(house) == before
    assert (before.debit_groups, before.carried_to) == (None, None)
    house.adds_up()


def test_a_line_of_many_is_undone_in_pieces_and_may_come_again(debtors: HouseOf) -> None:
    """Undone to the end each of them is asked again; asked for twice, or over a crash, it is one undoing."""
    house = debtors
    batch = asked(house)
    came(house, batch)
    carry(house)
    for _ in range(2):
        after = undo(house)
        assert (after.state, after.under_way, after.revision) == (BankLineState.DEBIT, Carrying.UNDOING, 0)
    assert stand(house) == {"collected": PAYERS - 2, "asked": 2}
    for refused in (DecideBankLine("l1", debit=batch.message_id), DecideBankLine("l1", note="rent")):
        with pytest.raises(Conflict) as busy:
            house.do(decide_bank_line, refused)
        assert busy.value.code == "bank.under_way"
    with pytest.raises(Conflict) as busy:
        house.do(cancel_batch, CancelBatch(batch.batch_id))
    assert busy.value.code == "bank.under_way"
    house.kill()
    house.adds_up()

    carry(house, is_back=True)
    opened = line(house)
    assert (opened.state, opened.under_way, opened.revision) == (BankLineState.OPEN, None, 1)
    assert (opened.undone_by, opened.undo_note) == ("person:p1", "of next week")
    assert stand(house) == {"asked": PAYERS}
    assert debited.open_sums(house) == [300] * PAYERS
    house.adds_up()
    told = [one for one in house.rows.actions.by(subject_id="l1") if one.action == "bank.undo"]
    assert [(one.after or {})["under_way"] for one in told] == ["undoing"]

    house.do(decide_bank_line, DecideBankLine("l1", debit=batch.message_id))
    carry(house)
    assert debited.open_sums(house) == [0] * PAYERS
    house.adds_up()


def test_a_decision_that_is_undone_in_the_middle_takes_back_what_was_done(debtors: HouseOf) -> None:
    """Those who were not carried yet are left as they are, and the job that was to carry them finds nothing to do."""
    house = debtors
    batch = asked(house)
    came(house, batch)
    house.do(carry_line, CarryLine("l1"))
    assert stand(house) == {"collected": 4, "asked": 3}
    undo(house)
    assert house.do(carry_line, CarryLine("l1")) is False
    carry(house, is_back=True)

    assert stand(house) == {"asked": PAYERS}
    assert line(house).state is BankLineState.OPEN
    assert len([one for one in debited.collections(house) if one.revision]) == 4
    house.adds_up()


def test_what_banks_say_meanwhile_finds_the_line_decided(debtors: HouseOf) -> None:
    """A refusal comes too late for a debit that has come; what goes back waits until it was carried; a file is not let go."""
    house = debtors
    batch = asked(house)
    came(house, batch)
    last = max(debited.collections(house), key=lambda one: (one.group, one.mandate_id))
    assert last.state is CollectionState.ASKED
    with pytest.raises(Conflict) as busy:
        house.do(cancel_batch, CancelBatch(batch.batch_id))
    assert busy.value.code == "bank.under_way"
    rejected = ToldStatus(batch.message_id, None, last.end_to_end, is_rejected=True, reason="AC04")
    told = house.do(take_statuses, TakeStatuses((rejected,), "ab12"))
    assert (told.rejected, told.unknown) == (0, 1)
    for given in (
        debited.line(house, 300, "again", end_to_end=last.end_to_end),
        debited.line(house, -300, "back", end_to_end=last.end_to_end, return_code="MS03"),
    ):
        assert debited.take(house, given) == 0
        with pytest.raises(Conflict) as busy:
            house.do(decide_bank_line, DecideBankLine(given.line_id, debit=last.end_to_end))
        assert busy.value.code == "bank.under_way"
    mandate = house.rows.mandates.get(debited.collections(house)[-1].mandate_id)
    unnamed = debited.line(house, -300, "unnamed", mandate_ref=mandate.reference, return_code="MS03")
    is_same = mandate.mandate_id == last.mandate_id

    debited.take(house, unnamed)
    carry(house)
    assert stand(house) == {"collected": PAYERS - (1 if is_same else 2), "returned": 1 if is_same else 2}
    assert house.rows.bank_lines.get("back").state is BankLineState.DEBIT
    house.adds_up()
    with pytest.raises(Conflict) as refused:
        undo(house)
    assert refused.value.code == "bank.went_back"
    assert line(house).under_way is None
    for gone in ("back", "unnamed"):
        if house.rows.bank_lines.get(gone).state is BankLineState.DEBIT:
            house.do(undo_bank_line, UndoBankLine(gone, "it is there"))
    undo(house)
    carry(house, is_back=True)
    house.adds_up()


def test_nothing_goes_back_of_what_is_being_undone(quick_debtors: HouseOf) -> None:
    """A person has said that it did not come: a line that takes it back waits for a person."""
    house = quick_debtors
    batch = asked(house)
    came(house, batch)
    carry(house)
    undo(house)
    there = next(one for one in debited.collections(house) if one.state is CollectionState.COLLECTED)
    back = debited.line(house, -300, "back", end_to_end=there.end_to_end, return_code="MS03")
    assert debited.take(house, back) == 0
    assert debited.take(house, debited.line(house, 600, "l2", batch_ref=batch.message_id)) == 0, "two are asked again"
    carry(house, is_back=True)

    assert stand(house) == {"asked": PAYERS}
    assert house.rows.bank_lines.get("back").state is BankLineState.OPEN
    house.adds_up()


def test_two_groups_of_a_file_come_with_lines_of_their_own_at_once(debtors: HouseOf) -> None:
    """Neither takes payers of the other, whichever job is faster."""
    house = debtors
    batch = asked(house)
    sums = dict.fromkeys(("CORE-FRST", "CORE-RCUR"), 0)
    for one in debited.collections(house):
        sums[one.group] += one.amount_minor
    for name, group in (("l1", "CORE-RCUR"), ("l2", "CORE-FRST")):
        told = debited.line(house, sums[group], name, batch_ref=f"{batch.message_id}-{group}")
        assert debited.take(house, told) == 1
    more = True
    while more:
        waits = [house.do(carry_line, CarryLine(name)) for name in ("l2", "l1")]
        more = any(waits)
    for one in debited.collections(house):
        assert one.line_id == ("l1" if one.group == "CORE-RCUR" else "l2")
    house.adds_up()


def test_a_payer_with_many_items_ends_a_piece(quick_debtors: HouseOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fleet's sessions are many payers' worth of work."""
    house = quick_debtors
    monkeypatch.setattr("tallywatt.workflows.collect_line.AT_ONCE", 50)
    monkeypatch.setattr("tallywatt.workflows.collect_line.MOST_ITEMS", 3)
    monkeypatch.setattr("tallywatt.workflows.undo_debits.AT_ONCE", 50)
    monkeypatch.setattr("tallywatt.workflows.undo_debits.MOST_ITEMS", 3)
    batch = asked(house)
    came(house, batch)
    assert stand(house) == {"collected": 3, "asked": PAYERS - 3}
    carry(house)
    undo(house)
    assert stand(house) == {"collected": PAYERS - 3, "asked": 3}
    carry(house, is_back=True)
    assert stand(house) == {"asked": PAYERS}
    house.adds_up()
