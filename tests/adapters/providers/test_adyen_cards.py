"""What is Adyen's own: everything is decided in signed notifications, which come twice, late, in disorder, or never."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tallywatt.adapters.providers.adyen_cards import AdyenCards
from tallywatt.kernel.errors import BadInput, Broken, NotSignedIn
from tallywatt.kernel.money import money
from tallywatt.payments.operation import OperationKind, OperationState
from tallywatt.payments.payment import PaymentState
from tallywatt.payments.provider import Enquiry, Pending, Unknown, ViewStatus
from tallywatt.simulators.psp import books
from tallywatt.simulators.psp.adyen import sign
from tallywatt.workflows.give_back import GiveBack, give_back
from tallywatt.workflows.take_webhook import Taken, TakeWebhook, take_webhook
from tallywatt.workflows.void_hold import VoidHold, void_hold
from tests.adapters.providers.bench import HMAC, MERCHANT, Bench, an_operation_of, open_bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def bench(tmp_path: Path, sqlite_house_url: str) -> Iterator[Bench]:
    made = open_bench("adyen", tmp_path, sqlite_house_url)
    yield made
    made.close()


@pytest.fixture
def cards() -> AdyenCards:
    return AdyenCards("AQEnobody", (HMAC,), merchant=MERCHANT, base_url="http://127.0.0.1:1/checkout")


def a_body(key: str = HMAC, live: str = "false", **more: Any) -> bytes:
    item: dict[str, Any] = {
        "amount": {"currency": "EUR", "value": 4000},
        "eventCode": "AUTHORISATION",
        "eventDate": "2026-11-21T10:00:00+01:00",
        "merchantAccountCode": MERCHANT,
        "merchantReference": "p1",
        "pspReference": "ABCDEFGH12345678",
        "paymentMethod": "mc",
        "success": "true",
        **more,
    }
    item["additionalData"] = {"cardSummary": "4444", "hmacSignature": sign(item, key)}
    return json.dumps({"live": live, "notificationItems": [{"NotificationRequestItem": item}]}).encode()


def test_a_signed_notification_is_read(cards: AdyenCards) -> None:
    event = cards.read_webhook({}, a_body())
    assert event.view is not None
    assert (event.view.status, event.view.authorised_minor, event.view.card_brand) == (
        ViewStatus.AUTHORISED,
        4000,
        "mastercard",
    )
    assert (event.payment_id, event.provider_ref, event.view.card_last4) == ("p1", "ABCDEFGH12345678", "4444")
    assert event.event_id == cards.read_webhook({}, a_body()).event_id


def test_case_63_a_notification_is_authentic_under_any_key_that_is_valid_now() -> None:
    """Two keys while one is being replaced."""
    both = AdyenCards("AQEnobody", (HMAC, "00" * 32), merchant=MERCHANT, base_url="http://127.0.0.1:1/checkout")
    assert both.read_webhook({}, a_body("00" * 32)).payment_id == "p1"


@pytest.mark.parametrize("wrong", ["key", "sum", "reference", "success", "merchant", "mode", "unsigned"])
def test_case_22_a_notification_that_is_not_authentic_is_refused(cards: AdyenCards, wrong: str) -> None:
    """Whatever decides about money is signed: the sum, the references, the code, the success."""
    told = json.loads(a_body())
    item = told["notificationItems"][0]["NotificationRequestItem"]
    match wrong:
        case "key":
            told = json.loads(a_body("11" * 32))
        case "sum":
            item["amount"]["value"] = 1
        case "reference":
            item["merchantReference"] = "p2"
        case "success":
            item["success"] = "false"
        case "merchant":
            told = json.loads(a_body(merchantAccountCode="SomebodyElse"))
        case "mode":
            told["live"] = "true"
        case _:
            del item["additionalData"]
    with pytest.raises(NotSignedIn):
        cards.read_webhook({}, json.dumps(told).encode())


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"notificationItems": []}', b'{"notificationItems": [{}]}', b"\xff"]
)
def test_what_is_not_one_notification_is_bad_input(cards: AdyenCards, body: bytes) -> None:
    with pytest.raises(BadInput):
        cards.read_webhook({}, body)


def test_a_signed_notification_without_a_moment_is_bad_input(cards: AdyenCards) -> None:
    with pytest.raises(BadInput):
        cards.read_webhook({}, a_body(eventDate="yesterday"))


@pytest.mark.parametrize("code", ["NOTIFICATION_OF_FRAUD", "REFUND_FAILED", "REFUNDED_REVERSED"])
def test_case_44_what_only_a_person_can_deal_with_asks_for_one(cards: AdyenCards, code: str) -> None:
    """A refund that failed, a dispute."""
    event = cards.read_webhook({}, a_body(eventCode=code, originalReference="ORIGINAL12345678"))
    assert event.attention == code.lower()
    assert event.provider_ref == "ORIGINAL12345678"


def test_a_live_account_without_its_endpoint_says_so() -> None:
    with pytest.raises(Broken):
        AdyenCards("AQEnobody", (HMAC,), merchant=MERCHANT, live=True)


def test_a_modification_is_only_received(bench: Bench) -> None:
    """The answer to a capture says nothing about the money: it is taken when the notification says so."""
    house, payment = bench.house, bench.held()
    house.session_begins(payment)
    house.held_session_priced(payment, "12.40")
    house.work()
    before = house.payment(payment)
    assert (before.state, before.captured_minor) == (PaymentState.AUTHORISED, 0)
    assert house.operations(payment)[-1].state is OperationState.PENDING
    bench.hear(1)
    assert house.payment(payment).captured_minor == 1240


def test_a_capture_that_fails_later_is_not_taken_for_one(bench: Bench) -> None:
    """It was received, and the hold was gone: nothing is booked, the sum stays owed, and a person is asked."""
    house, payment = bench.house, bench.held()
    house.session_begins(payment)
    httpx.post(f"{bench.psp.url}/_expire_holds")
    house.held_session_priced(payment, "12.40")
    house.work()
    bench.hear_until(lambda: house.operations(payment)[-1].state is OperationState.FAILED)
    after = house.payment(payment)
    assert (after.captured_minor, after.due_minor, after.reason) == (0, 1240, "refused")
    assert "operation_failed" in house.inbox()
    assert house.balance("clearing") == 0


def test_two_refunds_told_one_by_one_add_up(bench: Bench) -> None:
    house, payment = bench.house, bench.held()
    house.session_begins(payment)
    house.held_session_priced(payment, "12.40")
    house.work()
    bench.hear_until(lambda: house.payment(payment).state is PaymentState.CAPTURED)
    for key, total in (("r1", 240), ("r2", 480)):
        house.write(give_back, GiveBack(payment, money("2.40", "GBP"), "complaint", key))
        house.work()
        bench.hear_until(lambda total=total: house.payment(payment).refunded_minor == total)  # type: ignore[misc]  # bound in the loop
    bench.heard = 0
    bench.hear(1)
    assert house.payment(payment).refunded_minor == 480
    assert books.read(bench.psp.state).refunded_minor == {"GBP": 480}
    assert house.balance("clearing") == 760


def test_case_23_a_hold_told_after_its_release_stays_released(bench: Bench) -> None:
    """Notifications come in any order: the money is gone, whatever is told about it later."""
    payment = bench.opened()
    bench.psp.fault("reordered_webhook", path="adyen.AUTHORISATION", times=1)
    bench.pays(payment)
    bench.house.write(void_hold, VoidHold(payment.payment_id, "cancelled"))
    bench.house.work()
    bench.hear_until(lambda: len(bench.endpoint.taken) == 2 and bench.heard == 2)
    codes = [
        json.loads(body)["notificationItems"][0]["NotificationRequestItem"]["eventCode"]
        for _, body in bench.endpoint.taken
    ]
    assert codes == ["CANCELLATION", "AUTHORISATION"]
    assert bench.house.payment(payment.payment_id).state is PaymentState.VOIDED
    assert books.read(bench.psp.state).holds_open == 0


def test_case_5_a_declined_card_leaves_the_page_open_for_another(bench: Bench) -> None:
    payment = bench.opened()
    assert bench.pays(payment, "pm_card_visa_chargeDeclined") == 402
    bench.hear(1)
    assert bench.house.payment(payment.payment_id).state is PaymentState.REQUIRES_ACTION
    assert bench.pays(payment) == 303
    bench.hear(1)
    assert bench.house.payment(payment.payment_id).authorised_minor == 4000


def test_case_21_a_notification_about_a_payment_that_nobody_knows_is_kept_and_listed(bench: Bench) -> None:
    account = bench.account()
    body = a_body(merchantReference="somebody-else")
    event = bench.cards.read_webhook({}, body)
    taken = bench.house.write(take_webhook, TakeWebhook(account.account_id, event, body))
    assert taken is Taken.UNMATCHED
    assert bench.house.inbox() == ["webhook_unmatched"]


def test_a_payment_itself_cannot_be_asked_about(bench: Bench) -> None:
    """Nothing may be concluded from a silence: only the page can be looked at."""
    payment = bench.opened()
    seen = bench.cards.enquire(Enquiry(payment.payment_id, payment.created_at, page_ref=payment.page_ref))
    assert seen is not None
    assert seen.status is ViewStatus.REQUIRES_ACTION
    assert isinstance(bench.cards.enquire(Enquiry("p", payment.created_at, provider_ref="X")), Unknown)
    assert isinstance(bench.cards.list_since(payment.created_at), Unknown)


def test_a_lost_notification_leaves_a_capture_on_its_way_and_never_repeats_it(bench: Bench) -> None:
    """Nobody knows what became of it: it is not asked for again under another key, and a person can see it."""
    house, payment = bench.house, bench.held()
    house.session_begins(payment)
    bench.psp.fault("lost_webhook", path="adyen.CAPTURE", times=1)
    house.held_session_priced(payment, "12.40")
    house.work_until_quiet(hours=12)
    last = house.operations(payment)[-1]
    assert (last.kind, last.state) == (OperationKind.CAPTURE, OperationState.PENDING)
    assert books.read(bench.psp.state).captured_minor == {"GBP": 1240}


def test_the_sum_of_a_hold_can_be_changed_at_adyen(bench: Bench) -> None:
    """The simulator speaks it as the SDK does; an amount update is received like any other modification."""
    payment = bench.held()
    ref = bench.house.payment(payment).provider_ref
    request = {"merchantAccount": MERCHANT, "amount": {"value": 5000, "currency": "GBP"}, "reference": "up"}
    changes = bench.cards._checkout.modifications_api
    answer = changes.update_authorised_amount(request, ref, idempotency_key="up")
    assert answer.message["status"] == "received"
    assert books.read(bench.psp.state).held_minor == {"GBP": 5000}


def test_an_answer_to_a_page_is_the_page(bench: Bench) -> None:
    assert not isinstance(bench.cards.send(an_operation_of(OperationKind.HOSTED_PAGE)), Pending)


def test_cents_are_charged_where_the_provider_names_no_least_sum(bench: Bench) -> None:
    """Stripe takes fifty of them at least; Adyen says nothing of the kind."""
    payment = bench.house.session_priced(bench.customer(), "0.12")
    bench.house.work()
    assert bench.house.payment(payment.payment_id).captured_minor == 12


def test_an_error_before_any_work_keeps_nothing_under_its_key(bench: Bench) -> None:
    """The same request again is carried out: one charge."""
    payment = bench.house.session_priced(bench.customer(), "12.40").payment_id
    bench.psp.fault("error_500", path="/payments", times=1)
    bench.house.work()
    bench.house.work_until_quiet(hours=0.1)
    assert bench.house.payment(payment).captured_minor == 1240
    assert books.read(bench.psp.state).captured_minor == {"GBP": 1240}


def test_a_key_is_good_for_a_week(bench: Bench) -> None:
    """Whoever asks again after two days gets the same answer, and nothing is done twice."""
    operation = an_operation_of(OperationKind.HOSTED_PAGE)
    first = bench.cards.send(operation)
    httpx.post(f"{bench.psp.url}/_later", json={"seconds": 2 * 24 * 3600}).raise_for_status()
    again = bench.cards.send(operation)
    assert first.view.page_ref == again.view.page_ref
