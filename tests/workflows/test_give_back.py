"""Money given back: never more than was captured, whoever asks at the same moment."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.kernel.errors import BadInput, Conflict, CurrencyMismatch, IdempotencyMismatch, TallywattError
from tallywatt.kernel.identity import PaymentId
from tallywatt.kernel.money import money
from tallywatt.payments.operation import OperationKind
from tallywatt.payments.payment import PaymentState
from tallywatt.workflows.give_back import GiveBack, give_back
from tests.payments.house import HouseOfPayments
from tests.payments.scripted import KEEP_500, LOSE_ANSWER, NEVER_ARRIVE, ScriptedProvider

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


def a_paid_session(house: HouseOfPayments, amount: str = "100.00") -> PaymentId:
    account = house.account()
    payment = house.session_priced(house.customer(account.account_id), amount)
    house.work()
    return payment.payment_id


def asked(payment: PaymentId, amount: str, key: str = "r1", currency: str = "GBP") -> GiveBack:
    return GiveBack(payment, money(amount, currency), "complaint", key)


def test_a_part_goes_back_and_the_books_say_so(house: HouseOfPayments) -> None:
    payment = a_paid_session(house)
    house.write(give_back, asked(payment, "30.00"))
    house.work()
    after = house.payment(payment)
    assert (after.state, after.refunded_minor, after.returnable_minor) == (PaymentState.CAPTURED, 3000, 7000)
    assert house.balance("clearing") == 7000
    assert house.balance("receivable") == -7000
    assert house.allocated(payment) == {"invoice": 7000, "refund_due": 3000}


def test_all_of_it_leaves_nothing_to_give_back(house: HouseOfPayments) -> None:
    payment = a_paid_session(house)
    house.write(give_back, asked(payment, "100.00"))
    house.work()
    assert house.payment(payment).state is PaymentState.REFUNDED
    with pytest.raises(Conflict) as refused:
        house.write(give_back, asked(payment, "0.01", "r2"))
    assert refused.value.code == "payment.refund_beyond_capture"


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (("100.01", "r", "GBP"), Conflict),
        (("0.00", "r", "GBP"), BadInput),
        (("10.00", "r", "EUR"), CurrencyMismatch),
    ],
)
def test_what_cannot_be_given_back_is_refused(
    house: HouseOfPayments, command: tuple[str, str, str], error: type[TallywattError]
) -> None:
    payment = a_paid_session(house)
    amount, key, currency = command
    with pytest.raises(error):
        house.write(give_back, asked(payment, amount, key, currency))


def test_the_same_click_twice_is_one_refund(house: HouseOfPayments, provider: ScriptedProvider) -> None:
    payment = a_paid_session(house)
    first = house.write(give_back, asked(payment, "30.00"))
    house.work()
    assert house.write(give_back, asked(payment, "30.00")).operation_id == first.operation_id
    house.work()
    assert provider.times_sent(OperationKind.REFUND) == 1
    with pytest.raises(IdempotencyMismatch):
        house.write(give_back, asked(payment, "31.00"))


@pytest.mark.parametrize("fault", [LOSE_ANSWER, NEVER_ARRIVE])
def test_a_refund_whose_answer_is_lost_goes_back_once(
    house: HouseOfPayments, provider: ScriptedProvider, fault: str
) -> None:
    payment = a_paid_session(house)
    house.write(give_back, asked(payment, "30.00"))
    provider.script.append(fault)
    house.work_until_quiet()
    assert house.payment(payment).refunded_minor == 3000
    assert provider.views[payment].refunded_minor == 3000


def test_a_refund_that_provably_never_happened_waits_for_a_person(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    """Whoever asked for it must hear of it, and may ask again."""
    payment = a_paid_session(house)
    house.write(give_back, asked(payment, "30.00"))
    provider.script.append(KEEP_500)
    house.work_until_quiet()
    assert house.payment(payment).refunded_minor == 0
    assert house.inbox() == ["operation_not_sent"]
    house.write(give_back, asked(payment, "30.00", "r2"))
    house.work()
    assert house.payment(payment).refunded_minor == 3000


def test_two_refunds_at_once_never_exceed_what_was_captured(house_url: str, provider: ScriptedProvider) -> None:
    """Two people on two connections each give back 80 of 100: one of them hears no."""
    first = HouseOfPayments(house_url, provider, name="first")
    payment = a_paid_session(first)
    second = HouseOfPayments(house_url, provider, now=first.time, name="second")
    barrier = threading.Barrier(2)
    answers: list[Any] = []

    def ask(house: HouseOfPayments, key: str) -> None:
        barrier.wait()
        try:
            answers.append(house.write(give_back, asked(payment, "80.00", key)))
        except Conflict as refused:
            answers.append(refused)

    threads = [threading.Thread(target=ask, args=one) for one in ((first, "a"), (second, "b"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first.work()

    assert sum(isinstance(one, Conflict) for one in answers) == 1
    assert first.payment(payment).refunded_minor == 8000
    assert provider.views[payment].refunded_minor == 8000
    with pytest.raises(Conflict):
        second.write(give_back, asked(payment, "80.00", "c"))
    first.close()
    second.close()
