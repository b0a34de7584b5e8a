"""A file of many payers is refused as a whole, or let go: decided at once, carried out in pieces over any crash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.kernel.errors import Conflict
from tallywatt.payments.debit import CollectionState, MandateState, ToldStatus
from tallywatt.workflows.end_debits import (
    CancelBatch,
    EndDebits,
    TakeStatuses,
    cancel_batch,
    end_debits,
    take_statuses,
)
from tests.workflows import test_prepare_debits as debited
from tests.workflows.test_carry_line import ALL, PAYERS, asked, stand
from tests.workflows.test_prepare_debits import debtors, quick_debtors

if TYPE_CHECKING:
    from tallywatt.payments.debit import DebitBatch
    from tests.workflows.house_of import HouseOf

__all__ = ["debtors", "quick_debtors"]


@pytest.fixture(autouse=True)
def two_in_a_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few that seven are many."""
    monkeypatch.setattr("tallywatt.workflows.end_debits.AT_ONCE", 2)


def rest(house: HouseOf) -> EndDebits:
    """What the job that is written down goes on with."""
    [job] = house.rows.stored_jobs.by(kind="end_debits")
    told = job.payload
    batch_id = job.subject_id.partition("/")[0]
    return EndDebits(batch_id, CollectionState(told["state"]), told["reason"], told["group"])


def refused(batch: DebitBatch, group: str | None = None) -> TakeStatuses:
    """A bank's report about all of a file, or a group of it."""
    name = None if group is None else f"{batch.message_id}-{group}"
    return TakeStatuses((ToldStatus(batch.message_id, name, None, is_rejected=True, reason="AC04"),), "ab12")


def test_a_file_of_many_is_let_go_over_crashes_and_nothing_comes_of_it_meanwhile(debtors: HouseOf) -> None:
    """From the first piece on it is cancelled: no line of the bank brings any of it, and no other file asks for part of it."""
    house = debtors
    batch = asked(house)
    house.do(cancel_batch, CancelBatch(batch.batch_id))
    done = 2
    while done < PAYERS:
        assert stand(house) == {"cancelled": done, "asked": PAYERS - done}
        house.kill()
        house.adds_up()
        still = next(one for one in debited.collections(house) if one.state is CollectionState.ASKED)
        one, all_ = f"one {done}", f"all {done}"
        assert debited.take(house, debited.line(house, 300, one, end_to_end=still.end_to_end)) == 0
        assert debited.take(house, debited.line(house, ALL - 300 * done, all_, batch_ref=batch.message_id)) == 0
        with pytest.raises(Conflict) as busy:
            debited.prepare(house)
        assert busy.value.code == "debits.under_way"
        house.do(cancel_batch, CancelBatch(batch.batch_id))
        house.do(end_debits, rest(house))
        done = min(done + 2, PAYERS)

    assert stand(house) == {"cancelled": PAYERS}
    assert house.do(end_debits, rest(house)) is False
    assert debited.open_sums(house) == [300] * PAYERS
    house.adds_up()


def test_a_bank_refuses_a_file_of_many_and_each_of_them_has_the_reason(debtors: HouseOf) -> None:
    """The answer counts all of them, whoever was reached already; the same report again, or the job again, changes nothing."""
    house = debtors
    batch = asked(house)
    assert house.do(take_statuses, refused(batch)).rejected == PAYERS
    assert stand(house) == {"rejected": 2, "asked": PAYERS - 2}
    house.kill()
    assert house.do(take_statuses, refused(batch)).rejected == PAYERS - 2, "what is not ended yet"
    while house.do(end_debits, rest(house)):
        house.adds_up()

    assert house.do(take_statuses, refused(batch)).rejected == 0
    assert stand(house) == {"rejected": PAYERS}
    assert {one.reason for one in debited.collections(house)} == {"AC04"}
    assert {one.state for one in house.rows.mandates.by()} == {MandateState.ENDED}
    assert debited.open_sums(house) == [300] * PAYERS
    house.adds_up()


def test_a_group_that_is_refused_leaves_the_others_of_the_file(quick_debtors: HouseOf) -> None:
    """Those of the other group come with a line of their own meanwhile; a name that no group has refuses nothing."""
    house = quick_debtors
    batch = asked(house)
    first = [one for one in debited.collections(house) if one.group == "CORE-FRST"]
    assert house.do(take_statuses, refused(batch, "CORE-none")).rejected == 0
    assert house.do(take_statuses, refused(batch, "CORE-FRST")).rejected == len(first)
    recurrent = ALL - 300 * len(first)
    assert debited.take(house, debited.line(house, recurrent, batch_ref=f"{batch.message_id}-CORE-RCUR")) == 1
    while house.do(end_debits, rest(house)):
        pass

    states = {(one.group, one.state.value) for one in debited.collections(house)}
    assert states == {("CORE-FRST", "rejected"), ("CORE-RCUR", "collected")}
    house.adds_up()


def test_what_comes_with_a_line_is_not_refused_by_a_job_that_was_late(
    quick_debtors: HouseOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two words of a bank that contradict each other: whose debits are being carried have come."""
    monkeypatch.setattr("tallywatt.workflows.collect_line.AT_ONCE", 2)
    house = quick_debtors
    batch = asked(house)
    assert debited.take(house, debited.line(house, ALL, batch_ref=batch.message_id)) == 1
    assert house.do(take_statuses, refused(batch)).rejected == 0
    wanted = EndDebits(batch.batch_id, CollectionState.REJECTED, "AC04")
    assert house.do(end_debits, wanted) is False

    assert stand(house) == {"collected": 2, "asked": PAYERS - 2}
    house.adds_up()
