"""Before a hold ends, what is beyond doubt is taken from it; what is decided later adds up with that, whichever way."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.money import money
from tallywatt.metering.session import SessionState
from tallywatt.payments.allocation import Target
from tallywatt.payments.operation import OperationKind
from tallywatt.payments.payment import PaymentState
from tallywatt.payments.provider import Failed, Succeeded, View, ViewStatus
from tallywatt.workflows.boot_station import boot_station
from tallywatt.workflows.hold_ends import BEFORE_MS, SECURE_HOLD
from tallywatt.workflows.intend_operation import intend_operation
from tallywatt.workflows.lose_stop import LoseStop, lose_stop
from tallywatt.workflows.pay_ad_hoc import PayAdHoc, pay_ad_hoc
from tallywatt.workflows.put_rule import PutProfile, put_profile
from tallywatt.workflows.resolve_inbox import Decision, ResolveItem, resolve_item
from tallywatt.workflows.secure_hold import SecureHold, secure_hold
from tallywatt.workflows.start_paid_session import StartPaidSession, start_paid_session
from tallywatt.workflows.take_next_step import ADJUST_WITHIN_MS
from tests.workflows.house_of import HouseOf, kwh, yes
from tests.workflows.test_market_prices import follow_the_market

if TYPE_CHECKING:
    from tallywatt.kernel.identity import SessionId
    from tallywatt.payments.operation import Operation
    from tallywatt.payments.payment import Payment
    from tallywatt.payments.provider import Outcome
    from tallywatt.workflows.ports import UnitOfWork

DAY = 24 * 3_600_000
MEASURED, BEYOND_DOUBT = 150, 90
"""5 kWh in two counts at 0.30, of which 3 kWh are beyond doubt."""


def held_until(ends_at: Instant | None, operation: Operation) -> Outcome:
    """The provider says when its hold ends."""
    answer = yes(operation)
    if operation.kind is not OperationKind.HOSTED_PAGE:
        return answer
    ref, minor = f"pi_{operation.payment_id}", operation.amount_minor
    status = ViewStatus.AUTHORISED
    return Succeeded(View(status, "GBP", ref, authorised_minor=minor, hold_expires_at=ends_at, card_brand="visa"))


def a_paid_tag(house: HouseOf, hold: str = "45", ends_at: Instant | None = None) -> str:
    """Somebody without an account has paid at the EVSE; the tag of the start."""
    evse = house.rows.evses.by(number=1)[0]
    asked = PayAdHoc(evse.evse_id, money(hold, "GBP"), "Depot", "http://x/{secret}", "http://x")
    payment = house.do(pay_ad_hoc, asked)
    house.collect(partial(held_until, ends_at))
    house.do(start_paid_session, StartPaidSession(payment.payment_id))
    [tag] = house.rows.tokens.by(type="AD_HOC_USER")
    return tag.uid


def a_doubtful_session(house: HouseOf, tag: str) -> SessionId:
    """Its register fell and stayed down: 3 kWh before, 2 kWh after."""
    wire = house.wire()
    transaction = wire.start(meter=0, token=tag)
    wire.sample(transaction, (house.later(20), kwh(3)), (house.later(20), kwh(1)))
    house.later(20)
    wire.stop(transaction, kwh(2))
    session = house.session(transaction)
    assert session.state is SessionState.HELD
    return session.session_id


def the_payment(house: HouseOf) -> Payment:
    [payment] = house.rows.payments.by()
    return payment


def allocated(house: HouseOf) -> dict[Target, int]:
    """What the payment's money is for."""
    sums: dict[Target, int] = {}
    for row in house.rows.allocations.by(payment_id=the_payment(house).payment_id):
        sums[row.target] = sums.get(row.target, 0) + row.amount_minor
    return {target: minor for target, minor in sums.items() if minor}


def decide(house: HouseOf, decision: Decision) -> None:
    """A person decides about what is held."""
    [item] = house.inbox("meter_reset")
    house.do(resolve_item, ResolveItem(item.item_id, decision), actor="person:1")
    house.collect()


@pytest.mark.parametrize(
    ("ends_in", "looked_at_in"),
    [
        pytest.param(5 * DAY, 5 * DAY - BEFORE_MS, id="a day before"),
        pytest.param(8 * 3_600_000, 6 * 3_600_000, id="a quarter of what is left, where that is less"),
        pytest.param(-1000, 0, id="at once, when it is over"),
        pytest.param(None, 7 * DAY - 3_600_000 - BEFORE_MS, id="as long as this provider's holds live"),
    ],
)
def test_a_hold_behind_a_held_session_is_looked_at_before_it_ends(
    quick_house: HouseOf, ends_in: int | None, looked_at_in: int
) -> None:
    """Early enough that a failure can be tried again, and late enough that a person may decide first."""
    house = quick_house
    # The session takes an hour.
    ends_at = None if ends_in is None else Instant(house.now + 3_600_000 + ends_in)
    session_id = a_doubtful_session(house, a_paid_tag(house, ends_at=ends_at))
    [job] = house.rows.stored_jobs.by(kind=SECURE_HOLD)
    assert (job.subject_id, job.run_at - house.now) == (session_id, looked_at_in)


def test_what_is_beyond_doubt_is_taken_and_the_session_stays_with_a_person(house: HouseOf) -> None:
    """The item is open, there is no invoice, and the money is the payer's until there is one."""
    session_id = a_doubtful_session(house, a_paid_tag(house))
    for _ in range(2):
        house.do(secure_hold, SecureHold(session_id), actor="worker")
        house.collect()
    payment = the_payment(house)
    assert (payment.state, payment.captured_minor) == (PaymentState.CAPTURED, BEYOND_DOUBT)
    assert [one.kind for one in house.inbox()] == ["meter_reset"]
    assert house.rows.invoices.by() == []
    assert allocated(house) == {Target.BALANCE: BEYOND_DOUBT}
    assert [one.action for one in house.rows.actions.by(subject_id=payment.payment_id)] == ["payment.secure"]
    house.adds_up()


def test_what_is_decided_later_is_owed_beyond_what_was_taken(house: HouseOf) -> None:
    """All of it is billed: the part is on the invoice, the rest is a receivable with its reason."""
    session_id = a_doubtful_session(house, a_paid_tag(house))
    house.do(secure_hold, SecureHold(session_id))
    house.collect()
    decide(house, Decision.RELEASE)
    [invoice] = house.rows.invoices.by()
    payment = the_payment(house)
    assert invoice.gross_minor == MEASURED
    assert (payment.captured_minor, payment.due_minor, payment.reason) == (BEYOND_DOUBT, MEASURED, "beyond_hold")
    assert payment.invoice_id == invoice.invoice_id
    assert allocated(house) == {Target.INVOICE: BEYOND_DOUBT}
    house.adds_up()


def test_a_proposal_that_is_accepted_was_paid_already(house: HouseOf) -> None:
    """What is beyond doubt is what is proposed: nothing is owed, and nothing goes back."""
    session_id = a_doubtful_session(house, a_paid_tag(house))
    house.do(secure_hold, SecureHold(session_id))
    house.collect()
    decide(house, Decision.ACCEPT)
    payment = the_payment(house)
    assert (payment.captured_minor, payment.due_minor, payment.reason) == (BEYOND_DOUBT, BEYOND_DOUBT, None)
    assert allocated(house) == {Target.INVOICE: BEYOND_DOUBT}
    house.adds_up()


def test_what_was_taken_goes_back_when_the_session_is_written_off(house: HouseOf) -> None:
    """Nothing is owed: all of it is given back, by an operation of its own, and no credit note is written."""
    session_id = a_doubtful_session(house, a_paid_tag(house))
    house.do(secure_hold, SecureHold(session_id))
    house.collect()
    decide(house, Decision.WRITE_OFF)
    payment = the_payment(house)
    assert (payment.state, payment.refunded_minor) == (PaymentState.REFUNDED, BEYOND_DOUBT)
    assert allocated(house) == {Target.REFUND_DUE: BEYOND_DOUBT}
    assert house.rows.invoices.by() == []
    house.adds_up()


def test_what_was_taken_beyond_the_bill_goes_back_and_is_no_credit(house: HouseOf) -> None:
    """The model's profile came later, and halves what was beyond doubt: 0.75 are billed, and 0.15 go back."""
    session_id = a_doubtful_session(house, a_paid_tag(house))
    house.do(secure_hold, SecureHold(session_id))
    house.collect()
    house.do(boot_station, house.wire().booted())
    halves = {"counts": "boot", "values_over": 2, "ends_over": 2}
    house.do(put_profile, PutProfile("maker", vendor="maker", habits=halves))
    decide(house, Decision.ACCEPT)
    [invoice] = house.rows.invoices.by()
    payment = the_payment(house)
    assert (invoice.gross_minor, payment.captured_minor, payment.refunded_minor) == (75, 90, 15)
    assert allocated(house) == {Target.INVOICE: 75, Target.REFUND_DUE: 15}
    house.adds_up()


def test_a_decision_while_the_capture_is_on_its_way_is_kept(house: HouseOf) -> None:
    """The provider answers after the person: what it took is for the invoice that there is by then."""
    session_id = a_doubtful_session(house, a_paid_tag(house))
    house.do(secure_hold, SecureHold(session_id))
    decide(house, Decision.RELEASE)
    payment = the_payment(house)
    assert (payment.captured_minor, payment.due_minor, payment.reason) == (BEYOND_DOUBT, MEASURED, "beyond_hold")
    assert allocated(house) == {Target.INVOICE: BEYOND_DOUBT}
    house.adds_up()


def test_a_part_that_could_not_be_taken_does_not_spoil_the_whole(house: HouseOf) -> None:
    """The provider refuses the part; the hold is still there when the person decides, and all of it is taken."""
    session_id = a_doubtful_session(house, a_paid_tag(house))
    house.do(secure_hold, SecureHold(session_id))
    house.collect(lambda _: Failed("not_now", "come back later"))
    assert the_payment(house).captured_minor == 0
    decide(house, Decision.RELEASE)
    payment = the_payment(house)
    assert (payment.state, payment.captured_minor) == (PaymentState.CAPTURED, MEASURED)
    assert allocated(house) == {Target.INVOICE: MEASURED}
    house.adds_up()


def test_a_hold_that_was_to_grow_is_no_part_that_is_taken(house: HouseOf) -> None:
    """Nothing is heard of the growth: all that is held is taken for the whole, and what is missing is owed with its reason."""
    session_id = a_doubtful_session(house, a_paid_tag(house, hold="1"))
    payment_id = the_payment(house).payment_id

    def to_grow(work: UnitOfWork, minor: int) -> Operation:
        payment = work.payments.lock(payment_id)
        return intend_operation(work, payment, OperationKind.ADJUST, minor, {"provider_ref": payment.provider_ref})

    house.do(to_grow, 200)
    house.do(secure_hold, SecureHold(session_id))
    house.later(ADJUST_WITHIN_MS / 60_000)
    decide(house, Decision.RELEASE)
    payment = the_payment(house)
    assert (payment.state, payment.captured_minor, payment.due_minor) == (PaymentState.CAPTURED, 100, MEASURED)
    assert payment.reason == "beyond_hold"
    assert allocated(house) == {Target.INVOICE: 100}
    house.adds_up()


def test_a_decision_comes_before_the_end_of_the_hold(quick_house: HouseOf) -> None:
    """Then there is nothing left to secure."""
    house = quick_house
    session_id = a_doubtful_session(house, a_paid_tag(house))
    decide(house, Decision.RELEASE)
    assert house.do(secure_hold, SecureHold(session_id)) is None
    assert the_payment(house).captured_minor == MEASURED
    house.adds_up()


def test_no_more_than_is_held_is_taken(quick_house: HouseOf) -> None:
    """0.50 were held, and 0.90 are beyond doubt."""
    house = quick_house
    session_id = a_doubtful_session(house, a_paid_tag(house, "0.50"))
    house.do(secure_hold, SecureHold(session_id))
    house.collect()
    assert the_payment(house).captured_minor == 50
    decide(house, Decision.RELEASE)
    assert the_payment(house).due_minor == MEASURED
    house.adds_up()


def test_where_nothing_is_beyond_doubt_a_person_is_told_that_the_hold_ends(house: HouseOf) -> None:
    """400 kWh in an hour at 22 kW: no stretch of it can be believed. Nothing is taken; the decision closes both items."""
    tag = a_paid_tag(house)
    transaction = house.wire().charge(kwh(400), token=tag)
    session = house.session(transaction)
    for _ in range(2):
        house.do(secure_hold, SecureHold(session.session_id))
    assert the_payment(house).due_minor is None
    assert sorted(one.kind for one in house.inbox()) == ["hold_ends", "implausible"]
    [item] = house.inbox("implausible")
    house.do(resolve_item, ResolveItem(item.item_id, Decision.WRITE_OFF))
    house.collect()
    assert house.inbox() == []
    assert the_payment(house).state is PaymentState.VOIDED
    house.adds_up()


def test_of_a_lost_stop_what_was_heard_is_beyond_doubt(quick_house: HouseOf) -> None:
    """Not what the next start told: that may have been somebody else's energy."""
    house = quick_house
    wire = house.wire()
    transaction = wire.start(meter=0, token=a_paid_tag(house))
    wire.sample(transaction, (house.later(30), kwh(5)))
    house.later(30)
    wire.start(meter=kwh(7))
    session = house.session(transaction)
    house.do(lose_stop, LoseStop(session.session_id))
    [job] = house.rows.stored_jobs.by(kind=SECURE_HOLD)
    assert job.subject_id == session.session_id
    house.do(secure_hold, SecureHold(session.session_id))
    house.collect()
    assert the_payment(house).captured_minor == 150
    house.adds_up()


def test_an_awaited_price_is_in_doubt(quick_house: HouseOf) -> None:
    """The energy is certain, and what it costs is not."""
    house = quick_house
    follow_the_market(house, missing="hold")
    transaction = house.wire().charge(kwh(10), token=a_paid_tag(house))
    session = house.session(transaction)
    assert session.state is SessionState.HELD
    house.do(secure_hold, SecureHold(session.session_id))
    assert the_payment(house).due_minor is None
    assert sorted(one.kind for one in house.inbox()) == ["hold_ends", "price_awaited"]


def test_securing_and_deciding_at_once_take_the_money_once(house: HouseOf) -> None:
    """A worker and a person, each on a connection of its own."""
    session_id = a_doubtful_session(house, a_paid_tag(house))
    [item] = house.inbox("meter_reset")
    writers = [house.writer, house.another_writer()]
    answers: list[object] = []
    writers[0].submit(house.operator, secure_hold, SecureHold(session_id), answers.append, actor="worker")
    order = ResolveItem(item.item_id, Decision.RELEASE)
    writers[1].submit(house.operator, resolve_item, order, answers.append, actor="person:1")
    threads = [threading.Thread(target=writer.step) for writer in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writers[1].stop()
    assert [one for one in answers if isinstance(one, Exception)] == []
    house.collect()
    payment = the_payment(house)
    assert payment.captured_minor in {BEYOND_DOUBT, MEASURED}
    assert (payment.due_minor, allocated(house)) == (MEASURED, {Target.INVOICE: payment.captured_minor})
    captures = [one for one in house.rows.operations.by() if one.kind is OperationKind.CAPTURE]
    assert len(captures) == 1
    house.adds_up()
