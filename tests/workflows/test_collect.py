"""What a session costs is collected: once, for the right sum, or it stays owed and says why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tallywatt.kernel.identity import SessionId
from tallywatt.kernel.money import money
from tallywatt.payments.account import MethodState
from tallywatt.payments.codes import Advice
from tallywatt.payments.operation import OperationKind
from tallywatt.payments.payment import PaymentState
from tallywatt.payments.provider import Declined
from tallywatt.workflows.collect import Collection, intend_collection
from tallywatt.workflows.try_again import TryAgain, try_again
from tests.payments.house import HouseOfPayments
from tests.payments.scripted import LOSE_ANSWER, ScriptedProvider

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def provider() -> ScriptedProvider:
    return ScriptedProvider()


@pytest.fixture
def house(house_url: str, provider: ScriptedProvider) -> Iterator[HouseOfPayments]:
    made = HouseOfPayments(house_url, provider)
    yield made
    made.close()


def test_a_stored_card_is_prepared_first_and_then_charged_once(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    """The harmless object's id is on our disk before money moves, so that it can always be found again."""
    account = house.account()
    payment = house.session_priced(house.customer(account.account_id), "12.40")

    house.work()

    done = house.payment(payment.payment_id)
    assert (done.state, done.captured_minor, done.provider_ref) == (
        PaymentState.CAPTURED,
        1240,
        f"pi_{payment.payment_id}",
    )
    assert house.kinds(payment.payment_id) == [("prepare", "succeeded"), ("charge", "succeeded")]
    assert provider.captured == {payment.payment_id: 1240}
    assert house.balance(f"clearing/{account.account_id}") == 1240
    assert house.balance("receivable/customer/customer-c1") == -1240
    assert house.allocated(payment.payment_id) == {"invoice": 1240}


def test_the_same_session_priced_again_is_the_same_payment(house: HouseOfPayments, provider: ScriptedProvider) -> None:
    account = house.account()
    customer = house.customer(account.account_id)
    first = house.session_priced(customer, "12.40")
    house.work()
    assert house.session_priced(customer, "12.40").payment_id == first.payment_id
    house.work()
    assert provider.captured == {first.payment_id: 1240}


def test_yen_and_euro_cents_are_whole_minor_units(house: HouseOfPayments, provider: ScriptedProvider) -> None:
    """A currency without cents must not be charged a hundredfold."""
    account = house.account()
    customer = house.customer(account.account_id)
    yen = house.session_priced(customer, "1240", "JPY", "s1")
    euro = house.session_priced(customer, "19.99", "EUR", "s2")
    house.work()
    assert provider.captured == {yen.payment_id: 1240, euro.payment_id: 1999}


def test_a_declined_card_leaves_the_sum_owed_with_the_reason(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    account = house.account()
    provider.declines["pm_c1"] = Declined(
        "insufficient_funds", Advice.RETRY_LATER.value, "Your card has insufficient funds."
    )
    payment = house.session_priced(house.customer(account.account_id), "12.40")

    house.work()

    after = house.payment(payment.payment_id)
    assert (after.state, after.reason, after.captured_minor) == (PaymentState.DECLINED, "insufficient_funds", 0)
    charge = house.operations(payment.payment_id)[-1]
    assert (charge.code, charge.advice) == ("insufficient_funds", "retry_later")
    assert house.balance("clearing") == 0
    assert provider.times_sent(OperationKind.CHARGE) == 1


def test_a_declined_card_is_tried_again_when_a_person_says_so(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    """A new attempt is a new operation with a new key, on the same object, after the last one is known to have ended."""
    account = house.account()
    provider.declines["pm_c1"] = Declined("insufficient_funds", Advice.RETRY_LATER.value, "no funds")
    payment = house.session_priced(house.customer(account.account_id), "12.40")
    house.work()
    provider.declines.clear()

    house.write(try_again, TryAgain(payment.payment_id))
    house.work()

    assert house.payment(payment.payment_id).state is PaymentState.CAPTURED
    kinds = house.kinds(payment.payment_id)
    assert kinds == [("prepare", "succeeded"), ("charge", "declined"), ("charge", "succeeded")]
    keys = [one.idempotency_key for one in house.operations(payment.payment_id)]
    assert len(set(keys)) == 3


@pytest.mark.parametrize(("amount", "reason"), [("0.29", "below_minimum"), ("12.40", "no_method")])
def test_what_cannot_be_collected_stays_owed_and_says_why(
    house: HouseOfPayments, provider: ScriptedProvider, amount: str, reason: str
) -> None:
    account = house.account()
    customer = house.customer(account.account_id)
    if reason == "no_method":
        (method,) = house.ask(lambda work: work.payment_methods.by())
        house.ask(lambda work: work.payment_methods.put(replace(method, state=MethodState.REMOVED)))

    payment = house.session_priced(customer, amount)
    house.work()

    assert (payment.state, payment.reason) == (PaymentState.OWED, reason)
    assert not provider.sent


def test_a_session_that_costs_nothing_has_nothing_to_collect(house: HouseOfPayments) -> None:
    account = house.account()
    customer = house.customer(account.account_id)
    assert house.write(intend_collection, Collection(SessionId("s"), None, money("0", "GBP"), customer)) is None


def test_case_32_a_part_of_the_hold_is_captured_and_the_rest_let_go(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    account = house.account()
    payment = a_held_session(house, provider)

    house.held_session_priced(payment, "12.40")
    house.work()

    done = house.payment(payment)
    assert (done.state, done.captured_minor, done.authorised_minor) == (PaymentState.CAPTURED, 1240, 4000)
    assert house.balance(f"clearing/{account.account_id}") == 1240
    assert house.balance(f"receivable/ad_hoc/{payment}") == -1240


@pytest.mark.parametrize(("amount", "reason"), [("0.00", None), ("0.10", "below_minimum")])
def test_case_33_nothing_or_too_little_due_lets_the_whole_hold_go(
    house: HouseOfPayments, provider: ScriptedProvider, amount: str, reason: str | None
) -> None:
    """A capture of nothing is an error at every provider; the driver's money is released instead."""
    house.account()
    payment = a_held_session(house, provider)

    house.held_session_priced(payment, amount)
    house.work()

    done = house.payment(payment)
    assert (done.state, done.captured_minor, done.reason) == (PaymentState.VOIDED, 0, reason)
    assert provider.times_sent(OperationKind.CAPTURE) == 0


def test_case_34_more_than_the_hold_captures_the_hold_and_leaves_the_rest_owed(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    house.account()
    payment = a_held_session(house, provider)

    house.held_session_priced(payment, "41.50")
    house.work()

    done = house.payment(payment)
    assert (done.state, done.captured_minor, done.due_minor, done.reason) == (
        PaymentState.CAPTURED,
        4000,
        4150,
        "beyond_hold",
    )


def test_case_35_a_capture_after_the_hold_has_expired_leaves_the_sum_owed(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    """The station was offline for a week: one finds out when the capture bounces."""
    house.account()
    payment = a_held_session(house, provider)
    provider.hold_expires(payment)

    house.held_session_priced(payment, "12.40")
    house.work()

    done = house.payment(payment)
    assert (done.state, done.captured_minor, done.due_minor) == (PaymentState.EXPIRED, 0, 1240)
    assert house.kinds(payment)[-1] == ("capture", "failed")
    assert house.inbox() == ["operation_failed"]
    assert house.balance("clearing") == 0


def test_a_lost_answer_never_takes_the_money_twice(house: HouseOfPayments, provider: ScriptedProvider) -> None:
    """The provider took the money, its answer was lost, and the process died before it could ask."""
    house.account()
    payment = a_held_session(house, provider)
    house.held_session_priced(payment, "12.40")
    provider.script.append(LOSE_ANSWER)

    house.work()
    assert house.kinds(payment)[-1] == ("capture", "unknown")
    house.restart()
    house.later(5)
    house.work()

    assert house.payment(payment).captured_minor == 1240
    assert provider.captured == {payment: 1240}
    assert provider.times_sent(OperationKind.CAPTURE) == 1
    assert house.balance("clearing") == 1240


def a_held_session(house: HouseOfPayments, provider: ScriptedProvider) -> str:
    """A driver has placed a hold of 40 and has begun to charge."""
    payment = house.hold()
    house.work()
    view = provider.driver_pays(payment.payment_id, 4000)
    house.tell(payment.payment_id, view)
    assert house.session_begins(payment.payment_id)
    return payment.payment_id
