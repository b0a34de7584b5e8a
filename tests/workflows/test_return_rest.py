"""What was taken beyond what is due goes back by itself, whatever was on its way when that was decided."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.money import money
from tallywatt.payments.allocation import Target
from tallywatt.payments.dispute import DisputeState, ToldDispute
from tallywatt.payments.fact import ProviderFact, Source
from tallywatt.payments.operation import OperationKind
from tallywatt.payments.payment import PaymentState
from tallywatt.payments.provider import Failed, NotSent
from tallywatt.workflows.apply_provider_fact import apply_provider_fact
from tallywatt.workflows.give_back import GiveBack, give_back
from tallywatt.workflows.resolve_inbox import Decision
from tallywatt.workflows.return_rest import MOST_TRIES
from tallywatt.workflows.take_dispute import TakeDispute, take_dispute
from tallywatt.workflows.take_next_step import take_next_step
from tests.payments.scripted import LOSE_ANSWER
from tests.workflows.house_of import HouseOf
from tests.workflows.test_secure_hold import BEYOND_DOUBT, allocated, the_payment
from tests.workflows.test_secure_part import Street


@pytest.fixture
def street(house: HouseOf) -> Street:
    found = Street(house)
    found.begin()
    return found


@pytest.fixture
def quick(quick_house: HouseOf) -> Street:
    found = Street(quick_house)
    found.begin()
    return found


def asked(street: Street) -> list[tuple[str, int]]:
    return [(kind, minor) for kind, minor, _ in street.asked()]


@pytest.mark.parametrize("answer_is_lost", [False, True])
def test_a_part_that_is_taken_after_the_session_was_written_off(street: Street, *, answer_is_lost: bool) -> None:
    """It was asked for while it was due: it is the driver's own money that goes back, and nobody has to look for its owner."""
    street.secure()
    if answer_is_lost:
        street.provider.script.append(LOSE_ANSWER)
    street.decide(Decision.WRITE_OFF)
    payment = the_payment(street.house)
    assert asked(street) == [("capture", BEYOND_DOUBT), ("refund", BEYOND_DOUBT), ("void", 4410)]
    assert (payment.state, payment.refunded_minor, payment.suspense_minor) == (PaymentState.REFUNDED, BEYOND_DOUBT, 0)
    assert allocated(street.house) == {Target.REFUND_DUE: BEYOND_DOUBT}
    assert not street.house.inbox()
    street.house.adds_up()


def test_what_a_person_gave_back_before_goes_back_once(street: Street) -> None:
    """A refund of a third has no answer when the session is written off: two thirds follow it."""
    street.secure()
    street.work()
    payment = the_payment(street.house)
    third = GiveBack(payment.payment_id, money("0.30", "GBP"), "asked for", "desk/1")
    street.house.do(give_back, third, actor="person:1")
    street.provider.script.append(LOSE_ANSWER)
    street.decide(Decision.WRITE_OFF)
    payment = the_payment(street.house)
    assert asked(street) == [("capture", 90), ("refund", 30), ("refund", 60), ("void", 4410)]
    assert (payment.state, payment.refunded_minor, payment.beyond_due_minor) == (PaymentState.REFUNDED, 90, 0)
    assert allocated(street.house) == {Target.REFUND_DUE: BEYOND_DOUBT}
    assert not street.house.inbox()
    street.house.adds_up()


def test_a_hold_that_is_taken_once_gives_its_part_back_likewise(quick_house: HouseOf) -> None:
    """Where the provider lets go of the rest with the first capture, too."""
    street = Street(quick_house)
    street.begin(several_captures=False)
    street.secure()
    street.decide(Decision.WRITE_OFF)
    payment = the_payment(quick_house)
    assert (payment.captured_minor, payment.refunded_minor, payment.suspense_minor) == (90, 90, 0)
    assert payment.state is PaymentState.REFUNDED
    quick_house.adds_up()


def disputed(street: Street) -> TakeDispute:
    """The bank takes back what was taken of the hold; as it was told."""
    payment, now = the_payment(street.house), street.house.now
    told = ToldDispute("dp_1", DisputeState.OPEN, 90, "GBP", 90, "fraudulent", now, None, payment.payment_id)
    take = TakeDispute(payment.account_id, told)
    street.house.do(take_dispute, take, actor="webhook")
    return take


def test_a_disputed_part_is_left_to_a_person(quick: Street) -> None:
    """The bank gives it back already; what is still held is let go all the same."""
    quick.secure()
    quick.work()
    disputed(quick)
    quick.decide(Decision.WRITE_OFF)
    assert asked(quick) == [("capture", BEYOND_DOUBT), ("void", 4410)]
    assert sorted(one.kind for one in quick.house.inbox()) == ["payment_disputed", "refund_awaited"]


def test_what_waited_for_a_dispute_goes_back_when_it_is_won(street: Street) -> None:
    """The bank has given it to the operator again: it is the driver's, of a session that is written off."""
    street.secure()
    street.work()
    take = disputed(street)
    street.decide(Decision.WRITE_OFF)
    said_at = Instant(take.told.said_at + 60_000)
    won = replace(take.told, state=DisputeState.WON, withdrawn_minor=0, said_at=said_at)
    for _ in range(2):
        street.house.do(take_dispute, replace(take, told=won), actor="webhook")
        street.work()
    assert asked(street) == [("capture", BEYOND_DOUBT), ("void", 4410), ("refund", BEYOND_DOUBT)]
    assert the_payment(street.house).refunded_minor == BEYOND_DOUBT
    street.house.adds_up()


def test_a_refund_that_was_refused_is_not_asked_for_again_by_itself(quick: Street) -> None:
    """It would be refused again; a person has it in the inbox."""
    quick.secure()
    quick.work()
    quick.wish(Decision.WRITE_OFF)
    quick.work(lambda one: Failed("refused", "no") if one.kind is OperationKind.REFUND else quick.provider.send(one))
    before = len(quick.house.rows.operations.by())
    quick.house.do(take_next_step, the_payment(quick.house))
    quick.work()
    assert len(quick.house.rows.operations.by()) == before
    assert [one.kind for one in quick.house.inbox()] == ["operation_failed"]
    assert the_payment(quick.house).beyond_due_minor == BEYOND_DOUBT


def test_a_refund_that_never_arrived_is_asked_for_anew_some_times(quick: Street) -> None:
    """A provider that keeps its fault under a key does nothing under it: the next one has a key of its own."""
    quick.secure()
    quick.work()
    quick.wish(Decision.WRITE_OFF)
    keys = []
    for _ in range(MOST_TRIES):
        [open_] = [one for one in quick.house.rows.operations.by() if one.is_unresolved]
        assert (open_.kind, open_.amount_minor) == (OperationKind.REFUND, BEYOND_DOUBT)
        keys.append(open_.idempotency_key)
        assert not quick.house.inbox(), "nobody has to look while it is tried"
        gone = ProviderFact(open_.payment_id, NotSent("never seen"), Source.JANITOR, open_.operation_id)
        quick.house.do(apply_provider_fact, gone)
    assert len(set(keys)) == MOST_TRIES
    assert [one.kind for one in quick.house.inbox()] == ["refund_awaited"]
    quick.work()
    payment = the_payment(quick.house)
    assert (payment.state, payment.open_hold_minor) == (PaymentState.CAPTURED, 0)
    assert asked(quick) == [("capture", BEYOND_DOUBT), ("void", 4410)]
