"""Sessions rated again: what was too much is credited and given back, once; what was too little stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.customers.approval import Holder
from tallywatt.customers.roles import Role
from tallywatt.invoicing.correction import CorrectionState, Outcome
from tallywatt.invoicing.invoice import InvoiceKind
from tallywatt.invoicing.words import printed
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.payments.operation import OperationKind
from tallywatt.payments.provider import Declined
from tallywatt.workflows.add_person import AddPerson, add_person
from tallywatt.workflows.correct_prices import (
    DiscardCorrection,
    EndCorrection,
    NotePriced,
    OpenCorrection,
    OrderCorrection,
    PricedAgain,
    discard_correction,
    end_correction,
    note_priced,
    open_correction,
    order_correction,
)
from tallywatt.workflows.correct_session import CorrectSession, correct_session
from tallywatt.workflows.decide_approval import decide_approval
from tallywatt.workflows.print_invoice import GatherPaper, gather_paper
from tallywatt.workflows.second_eyes import Decide
from tallywatt.workflows.set_money_limit import SetMoneyLimit, set_money_limit
from tests.workflows.house_of import KWH, HouseOf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.invoicing.correction import CorrectedSession, Correction
    from tallywatt.metering.session import Session

RANGE = (Instant(0), Instant(1 << 45))


@pytest.fixture
def house(house_url: str) -> Iterator[HouseOf]:
    with HouseOf(house_url) as made:
        made.furnish()
        made.keep_a_card()
        yield made


@pytest.fixture
def sessions(house: HouseOf) -> list[Session]:
    """Two of 3.00 that were paid, and one whose card was declined."""
    wire = house.wire()
    for _ in range(2):
        wire.charge(10 * KWH)
        house.collect()
    wire.charge(10 * KWH)
    house.collect(lambda _: Declined("insufficient_funds", "later", "no"))
    return sorted(house.rows.sessions.by(state="billed"), key=lambda one: one.session_id)


def priced(house: HouseOf, sessions: list[Session], *now_minor: int) -> Correction:
    """A correction whose sessions cost that much now."""
    made = house.do(open_correction, OpenCorrection("plain", *RANGE, "wrong price"))
    rows = tuple(PricedAgain(one.session_id, minor) for one, minor in zip(sessions, now_minor, strict=True))
    house.do(note_priced, NotePriced(made.correction_id, rows))
    house.do(note_priced, NotePriced(made.correction_id, rows))
    return house.do(note_priced, NotePriced(made.correction_id, (), len(rows)))


def carried_out(house: HouseOf, correction: Correction) -> list[CorrectedSession]:
    """Every session, twice, as after a crash; then what the provider does."""
    open_ones = house.rows.corrected_sessions.by(correction_id=correction.correction_id, outcome="open")
    for one in [*open_ones, *open_ones]:
        house.do(correct_session, CorrectSession(correction.correction_id, one.session_id))
    house.collect()
    house.do(end_correction, EndCorrection(correction.correction_id))
    found = house.rows.corrected_sessions.by(correction_id=correction.correction_id)
    return sorted(found, key=lambda one: one.session_id)


def test_what_was_paid_goes_back_what_is_owed_is_owed_less_and_too_little_stays(
    house: HouseOf, sessions: list[Session]
) -> None:
    """Each with a credit note, once however often it is done; the audit agrees with all of it."""
    correction = priced(house, sessions, 200, 350, 250)
    assert (correction.state, correction.less_minor, correction.more_minor, correction.largest_minor) == (
        CorrectionState.PROPOSED, 150, 50, 100
    )  # fmt: skip
    assert house.do(order_correction, OrderCorrection(correction.correction_id, None)).state == "running"
    rows = carried_out(house, correction)
    assert [(one.outcome, one.credited_minor, one.refunded_minor) for one in rows] == [
        (Outcome.RETURNED, 0, 100), (Outcome.WAIVED, 0, 0), (Outcome.RETURNED, 50, 0)
    ]  # fmt: skip
    notes = {one.session_id: one for one in house.rows.invoices.by() if one.kind is InvoiceKind.CREDIT_NOTE}
    assert {key: one.gross_minor for key, one in notes.items()} == {
        sessions[0].session_id: 100, sessions[2].session_id: 50
    }  # fmt: skip
    document = house.do(gather_paper, GatherPaper(notes[sessions[2].session_id].invoice_id, "https://x.example"))
    assert "Taken off what is owed" in str(printed(document))
    [owed] = house.rows.payments.by(state="declined")
    assert (owed.due_minor, owed.amount_minor) == (250, 250)
    assert house.rows.corrections.get(correction.correction_id).state is CorrectionState.DONE
    house.adds_up()


def test_a_second_correction_starts_from_the_first(house: HouseOf, sessions: list[Session]) -> None:
    """Otherwise what went back once would go back again."""
    first = priced(house, sessions, 200, 300, 300)
    house.do(order_correction, OrderCorrection(first.correction_id, None))
    carried_out(house, first)
    again = priced(house, sessions, 200, 300, 300)
    assert again.state is CorrectionState.DONE
    cheaper = priced(house, sessions, 150, 300, 300)
    house.do(order_correction, OrderCorrection(cheaper.correction_id, None))
    assert [one.refunded_minor for one in carried_out(house, cheaper)] == [50]
    refunds = [one.amount_minor for one in house.rows.operations.by() if one.kind is OperationKind.REFUND]
    assert sorted(refunds) == [50, 100]
    house.adds_up()


def test_a_payment_on_its_way_is_waited_for(house: HouseOf) -> None:
    """What is not captured yet cannot go back; it is done when the provider has answered."""
    house.wire().charge(10 * KWH)
    sessions = house.rows.sessions.by(state="billed")
    correction = priced(house, sessions, 100)
    house.do(order_correction, OrderCorrection(correction.correction_id, None))
    command = CorrectSession(correction.correction_id, sessions[0].session_id)
    assert house.do(correct_session, command).outcome is Outcome.OPEN
    house.collect()
    assert house.do(correct_session, command).refunded_minor == 200
    house.collect()
    house.adds_up()


def test_beyond_a_limit_another_person_approves(house: HouseOf, sessions: list[Session]) -> None:
    """The sum counts against the day, the largest session against the payment; a decline leaves it to be asked again."""
    house.do(set_money_limit, SetMoneyLimit(Holder.FINANCE, "GBP", 100, 150))
    people = [house.do(add_person, AddPerson(n, f"{n}@dundee.example", Role.FINANCE)).person_id for n in "ab"]
    anna, otto = (f"person:{one}" for one in people)
    correction = priced(house, sessions, 200, 200, 300)
    order = OrderCorrection(correction.correction_id, Holder.FINANCE)
    assert house.do(order_correction, order, actor=anna).state is CorrectionState.WAITING
    assert house.do(order_correction, order, actor=anna).state is CorrectionState.WAITING
    [asked] = house.rows.approvals.by()
    assert (asked.amount_minor, asked.beyond) == (200, ("day",))
    with pytest.raises(Conflict):
        house.do(discard_correction, DiscardCorrection(correction.correction_id), actor=anna)
    house.do(decide_approval, Decide(asked.approval_id, False), actor=otto)
    house.do(order_correction, order, actor=anna)
    [again] = house.rows.approvals.by(state="waiting")
    house.do(decide_approval, Decide(again.approval_id, True), actor=otto)
    assert house.rows.corrections.get(correction.correction_id).state is CorrectionState.RUNNING
    assert [one.refunded_minor for one in carried_out(house, correction)] == [100, 100]
    house.adds_up()


def test_discarded_nothing_is_done(house: HouseOf, sessions: list[Session]) -> None:
    """All prices stay as they are, whoever presses afterwards."""
    correction = priced(house, sessions, 200, 300, 300)
    house.do(discard_correction, DiscardCorrection(correction.correction_id))
    with pytest.raises(Conflict):
        house.do(order_correction, OrderCorrection(correction.correction_id, None))
    command = CorrectSession(correction.correction_id, sessions[0].session_id)
    assert house.do(correct_session, command).outcome is Outcome.OPEN
    assert not [one for one in house.rows.operations.by() if one.kind is OperationKind.REFUND]


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (OpenCorrection("plain", *RANGE, " "), BadInput),
        (OpenCorrection("plain", RANGE[1], RANGE[0], "why"), BadInput),
        (OpenCorrection("nowhere", *RANGE, "why"), NotFound),
    ],
)
def test_what_cannot_be_meant_is_refused(house: HouseOf, command: OpenCorrection, error: type[Exception]) -> None:
    """With a sentence, before anything is priced."""
    with pytest.raises(error):
        house.do(open_correction, command)
