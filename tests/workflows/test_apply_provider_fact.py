"""One function takes in all that a provider says. What the payment's state forbids is booked to suspense, never dropped."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tallywatt.payments.fact import ProviderFact, Source
from tallywatt.payments.operation import OperationKind, OperationState
from tallywatt.payments.payment import PaymentState
from tallywatt.payments.provider import Pending, View, ViewStatus
from tallywatt.workflows.apply_provider_fact import apply_provider_fact
from tallywatt.workflows.void_hold import VoidHold, void_hold
from tests.payments.house import HouseOfPayments
from tests.payments.scripted import ScriptedProvider

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


def a_hold(house: HouseOfPayments, provider: ScriptedProvider) -> str:
    house.account()
    payment = house.hold()
    house.work()
    house.tell(payment.payment_id, provider.driver_pays(payment.payment_id, 4000))
    return payment.payment_id


def test_a_capture_of_what_we_had_let_go_goes_to_suspense(house: HouseOfPayments, provider: ScriptedProvider) -> None:
    """Somebody captured at the provider's dashboard what we voided: the money is there, and not ours to keep quietly."""
    payment = a_hold(house, provider)
    house.write(void_hold, VoidHold(payment, "start_rejected"))  # type: ignore[arg-type]  # an id is a text
    house.work()
    captured = replace(provider.views[payment], status=ViewStatus.CAPTURED, captured_minor=1000)

    for _ in range(3):
        house.tell(payment, captured)

    after = house.payment(payment)
    assert (after.state, after.captured_minor, after.suspense_minor) == (PaymentState.VOIDED, 0, 1000)
    assert house.balance("suspense") == -1000
    assert house.balance("clearing") == 1000
    assert house.allocated(payment) == {"suspense": 1000}
    assert house.inbox() == ["payment_surplus"]


def test_more_than_was_due_goes_to_suspense_and_the_due_part_does_not(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    payment = a_hold(house, provider)
    house.session_begins(payment)
    house.held_session_priced(payment, "12.40")
    house.tell(payment, replace(provider.views[payment], status=ViewStatus.CAPTURED, captured_minor=4000))
    after = house.payment(payment)
    assert (after.captured_minor, after.suspense_minor) == (1240, 2760)
    assert house.allocated(payment) == {"invoice": 1240, "suspense": 2760}
    assert house.balance("clearing") == 4000
    assert house.balance("suspense") == -2760


@pytest.mark.parametrize(
    ("view", "summary"),
    [
        (View(ViewStatus.CAPTURED, "EUR", authorised_minor=1240, captured_minor=1240), "other_currency"),
        (View(ViewStatus.CAPTURED, "GBP", "pi_other", authorised_minor=1240, captured_minor=1240), "other_object"),
        (View(ViewStatus.VOIDED, "GBP"), "released_after_capture"),
        (View(ViewStatus.CAPTURED, "GBP", captured_minor=1240, refunded_minor=9000), "refund_beyond_capture"),
    ],
)
def test_what_cannot_be_true_changes_nothing_and_asks_a_person(
    house: HouseOfPayments, provider: ScriptedProvider, view: View, summary: str
) -> None:
    account = house.account()
    payment = house.session_priced(house.customer(account.account_id), "12.40")
    house.work()
    before = house.payment(payment.payment_id)

    for _ in range(2):
        house.tell(payment.payment_id, view)

    assert house.payment(payment.payment_id) == before
    (item,) = house.ask(lambda work: work.inbox.by())
    assert item.kind == "payment_contradicted"
    assert summary in item.summary
    assert house.balance("clearing") == 1240


def test_a_late_word_of_an_earlier_decline_does_not_decide_the_present_attempt(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    """Webhooks are delayed by days; the attempt on its way was written down after what they tell of."""
    account = house.account()
    payment = house.session_priced(house.customer(account.account_id), "12.40")
    house.work(rounds=1)
    house.later(5)
    old = house.time - 10_000
    house.time = old  # type: ignore[assignment]  # the provider's clock, when it said so
    view = View(ViewStatus.DECLINED, "GBP", f"pi_{payment.payment_id}", code="insufficient_funds")
    house.tell(payment.payment_id, view)
    house.later(10)
    assert house.kinds(payment.payment_id)[-1] == ("charge", "intended")
    house.work()
    assert house.payment(payment.payment_id).captured_minor == 1240


def test_a_void_that_finds_the_hold_gone_is_done(house: HouseOfPayments, provider: ScriptedProvider) -> None:
    payment = a_hold(house, provider)
    house.tell(payment, provider.hold_expires(payment))
    house.write(void_hold, VoidHold(payment, "never_plugged_in"))  # type: ignore[arg-type]  # an id is a text
    house.work()
    assert house.payment(payment).state is PaymentState.EXPIRED
    assert provider.times_sent(OperationKind.VOID) == 0
    assert house.inbox() == []


def test_a_refused_request_stops_and_waits_for_a_person(house: HouseOfPayments, provider: ScriptedProvider) -> None:
    """Asking for the same again would be refused again, for ever."""
    payment = a_hold(house, provider)
    house.session_begins(payment)
    provider.views[payment] = replace(provider.views[payment], status=ViewStatus.PROCESSING)
    house.held_session_priced(payment, "12.40")
    house.work_until_quiet()
    assert provider.times_sent(OperationKind.CAPTURE) == 1
    assert house.inbox() == ["operation_failed"]
    assert house.payment(payment).state is PaymentState.AUTHORISED


def test_a_capture_that_was_refused_before_its_own_answer_came_is_not_asked_for_again(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    """Adyen answers that it has received a capture, and refuses it by notification: the notification may be first."""
    payment = a_hold(house, provider)
    house.session_begins(payment)
    house.held_session_priced(payment, "12.40")
    capture = house.operations(payment)[-1]
    assert (capture.kind, capture.state) == (OperationKind.CAPTURE, OperationState.INTENDED)

    house.tell(payment, View(ViewStatus.PROCESSING, code="refused", failed_operation=capture.operation_id))
    received = Pending(View(ViewStatus.PROCESSING, provider_ref=f"pi_{payment}"), "mod_1")
    reply = ProviderFact(payment, received, Source.REPLY, capture.operation_id, sent_at=house.time)
    for _ in range(2):
        house.write(apply_provider_fact, reply)
    house.work()

    assert house.kinds(payment)[-1] == ("capture", "failed")
    assert [kind for kind, _ in house.kinds(payment)].count("capture") == 1
    assert house.payment(payment).state is PaymentState.AUTHORISED
    assert house.inbox() == ["operation_failed"]
