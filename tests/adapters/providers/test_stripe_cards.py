"""The Stripe adapter on the official SDK and the simulated provider: the whole way of the money, and every break in it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import stripe

from tallywatt.adapters.providers.stripe_cards import StripeCards
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, NotSignedIn
from tallywatt.kernel.money import money
from tallywatt.payments.operation import Operation, OperationKind, OperationState, request_hash, request_text
from tallywatt.payments.payment import PaymentState
from tallywatt.payments.provider import Enquiry, Failed, NotSent, Succeeded, Unknown, View, ViewStatus
from tallywatt.simulators.psp import books
from tallywatt.simulators.psp.delivery import signature
from tallywatt.workflows.give_back import GiveBack, give_back
from tallywatt.workflows.take_webhook import TakeWebhook, take_webhook
from tallywatt.workflows.void_hold import VoidHold, void_hold
from tallywatt.workflows.wake_unresolved import WakeUnresolved, wake_unresolved
from tests.payments.house import HouseOfPayments, crash_when, dies
from tests.simulators.psp.running import KEY, Endpoint, RunningPsp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "whsec_simulated"
OLD_SECRET = "whsec_before"


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    one = Endpoint()
    yield one
    one.close()


@pytest.fixture
def psp(tmp_path: Path, endpoint: Endpoint) -> Iterator[RunningPsp]:
    with RunningPsp(tmp_path / "psp.jsonl", webhook=endpoint.url) as running:
        yield running


@pytest.fixture
def cards(psp: RunningPsp) -> StripeCards:
    timeout = httpx.Timeout(1.0, connect=10.0)
    return StripeCards(KEY, (SECRET, OLD_SECRET), base_url=psp.url, timeout=timeout)


@pytest.fixture
def house(sqlite_house_url: str, cards: StripeCards) -> Iterator[HouseOfPayments]:
    made = HouseOfPayments(sqlite_house_url, cards, now=Instant(int(time.time() * 1000)))  # noqa: TID251 - the provider's clock is the real one
    yield made
    made.close()


def a_customer(house: HouseOfPayments, cards: StripeCards, token: str = "pm_card_visa") -> Any:
    account = house.account()
    return house.customer(account.account_id, cards.store_method("customer-c1", token, "store"))


def hear_webhooks(house: HouseOfPayments, cards: StripeCards, endpoint: Endpoint, count: int) -> None:
    """Take in what has come so far, as the route for webhooks does."""
    (account,) = house.ask(lambda work: work.provider_accounts.by())
    for headers, body in endpoint.wait_for(count):
        house.write(take_webhook, TakeWebhook(account.account_id, cards.read_webhook(headers, body), body))


def a_held_payment(house: HouseOfPayments, cards: StripeCards, endpoint: Endpoint) -> Any:
    house.account()
    payment = house.hold()
    house.work()
    page = house.payment(payment.payment_id)
    assert httpx.post(page.hosted_page_url or "", data={"card": "pm_card_visa"}).status_code == 303
    hear_webhooks(house, cards, endpoint, 2)
    return payment.payment_id


def test_a_stored_card_is_charged(house: HouseOfPayments, cards: StripeCards, psp: RunningPsp) -> None:
    payment = house.session_priced(a_customer(house, cards), "12.40")

    house.work()

    after = house.payment(payment.payment_id)
    assert (after.state, after.captured_minor, after.card_last4) == (PaymentState.CAPTURED, 1240, "4242")
    totals = books.read(psp.state)
    assert totals.captured_minor == {"GBP": 1240}
    assert totals.captured_by("tallywatt_payment") == {payment.payment_id: 1240}
    operations = {one.operation_id for one in house.operations(payment.payment_id)}
    assert set(totals.captured_by("tallywatt_operation")) <= operations


def test_a_driver_holds_charges_pays_and_gets_a_part_back(
    house: HouseOfPayments, cards: StripeCards, endpoint: Endpoint, psp: RunningPsp
) -> None:
    payment = a_held_payment(house, cards, endpoint)
    held = house.payment(payment)
    assert (held.state, held.authorised_minor) == (PaymentState.AUTHORISED, 4000)
    assert held.hold_expires_at is not None

    assert house.session_begins(payment)
    house.held_session_priced(payment, "12.40")
    house.work()
    house.write(give_back, GiveBack(payment, money("2.40", "GBP"), "complaint", "r1"))
    house.work()

    after = house.payment(payment)
    assert (after.state, after.captured_minor, after.refunded_minor) == (PaymentState.CAPTURED, 1240, 240)
    totals = books.read(psp.state)
    assert (totals.captured_minor, totals.refunded_minor, totals.holds_open) == ({"GBP": 1240}, {"GBP": 240}, 0)
    hear_webhooks(house, cards, endpoint, 4)
    assert house.payment(payment) == after
    assert house.balance("clearing") == 1000


def test_a_hold_is_released(house: HouseOfPayments, cards: StripeCards, endpoint: Endpoint, psp: RunningPsp) -> None:
    payment = a_held_payment(house, cards, endpoint)
    house.write(void_hold, VoidHold(payment, "start_rejected"))
    house.work()
    assert house.payment(payment).state is PaymentState.VOIDED
    assert (books.read(psp.state).voided, books.read(psp.state).holds_open) == (1, 0)


def test_a_page_is_closed(house: HouseOfPayments, psp: RunningPsp) -> None:
    house.account()
    payment = house.hold()
    house.work()
    house.write(void_hold, VoidHold(payment.payment_id, "cancelled"))
    house.work()
    after = house.payment(payment.payment_id)
    assert after.state is PaymentState.ABANDONED
    assert "Too late" in httpx.get(after.hosted_page_url or "").text


def test_a_page_paid_while_it_is_closed_is_found_and_voided(house: HouseOfPayments, psp: RunningPsp) -> None:
    """The driver pays in the second in which we let go; the refusal makes us look, and what is held is released."""
    house.account()
    payment = house.hold()
    house.work()
    page = house.payment(payment.payment_id)
    house.write(void_hold, VoidHold(payment.payment_id, "cancelled"))
    httpx.post(page.hosted_page_url or "", data={"card": "pm_card_visa"})

    house.work()

    assert house.payment(payment.payment_id).state is PaymentState.VOIDED
    assert books.read(psp.state).holds_open == 0


@pytest.mark.parametrize(
    ("token", "code", "advice"),
    [
        ("pm_card_chargeCustomerFail", "declined", "other_method"),
        ("pm_card_authenticationRequired", "authentication_required", "ask_driver"),
    ],
)
def test_a_stored_card_that_fails_is_a_decline_with_advice(
    house: HouseOfPayments, cards: StripeCards, psp: RunningPsp, token: str, code: str, advice: str
) -> None:
    payment = house.session_priced(a_customer(house, cards, token), "12.40")
    house.work()
    after = house.payment(payment.payment_id)
    assert (after.state, after.reason) == (PaymentState.DECLINED, code)
    charge = house.operations(payment.payment_id)[-1]
    assert (charge.state, charge.code, charge.advice) == (OperationState.DECLINED, code, advice)
    assert books.read(psp.state).captured_minor == {}


@pytest.mark.parametrize(
    ("minor", "code", "advice"),
    [
        (900_002, "insufficient_funds", "retry_later"),
        (900_003, "lost_or_stolen", "do_not_retry"),
        (900_005, "expired_card", "other_method"),
        (900_008, "do_not_honor", "other_method"),
        (900_009, "suspected_fraud", "do_not_retry"),
    ],
)
def test_why_a_card_is_declined_becomes_our_own_code(
    house: HouseOfPayments, cards: StripeCards, minor: int, code: str, advice: str
) -> None:
    """The advice decides whether anybody tries again: a stolen card never."""
    payment = house.session_priced(a_customer(house, cards), f"{minor // 100}.{minor % 100:02d}")
    house.work()
    charge = house.operations(payment.payment_id)[-1]
    assert (charge.code, charge.advice) == (code, advice)


@pytest.mark.parametrize(
    "kind", ["lost_answer", "hang_up", "error_500", "error_500_after_work", "rate_limit", "refuse"]
)
@pytest.mark.parametrize("path", ["/v1/payment_intents", "/confirm"])
def test_whatever_goes_wrong_the_card_is_charged_once(
    house: HouseOfPayments, cards: StripeCards, psp: RunningPsp, kind: str, path: str
) -> None:
    customer = a_customer(house, cards)
    psp.fault(kind, path=path, method="POST", times=1, milliseconds=50)
    payment = house.session_priced(customer, "12.40")

    house.work_until_quiet()
    time.sleep(0.1)
    house.write(wake_unresolved, WakeUnresolved())
    house.work_until_quiet()

    assert house.payment(payment.payment_id).state is PaymentState.CAPTURED
    assert books.read(psp.state).captured_minor == {"GBP": 1240}
    assert house.balance("clearing") == 1240


def test_a_timeout_is_unknown_and_the_money_is_found(
    house: HouseOfPayments, cards: StripeCards, psp: RunningPsp
) -> None:
    customer = a_customer(house, cards)
    psp.fault("latency", path="/confirm", milliseconds=1500, times=1)
    payment = house.session_priced(customer, "12.40")
    house.work()
    assert house.kinds(payment.payment_id)[-1] == ("charge", "unknown")
    time.sleep(0.7)
    house.work_until_quiet()
    assert books.read(psp.state).captured_minor == {"GBP": 1240}
    assert house.payment(payment.payment_id).captured_minor == 1240


def test_a_key_in_use_is_unknown_not_failed(cards: StripeCards, psp: RunningPsp) -> None:
    """A worker that is slow, not dead, still has it in hand."""
    operation = an_operation(OperationKind.HOSTED_PAGE)
    psp.fault("latency", milliseconds=1500, times=1)
    assert isinstance(cards.send(operation), Unknown)
    again = cards.send(operation)
    assert isinstance(again, Unknown)
    assert "409" in again.cause
    assert not again.ended
    time.sleep(0.8)
    assert isinstance(cards.send(operation), Succeeded)


def test_the_same_key_with_other_bytes_is_never_taken_for_a_refusal(cards: StripeCards) -> None:
    """What was sent under it before may have had its effect."""
    assert isinstance(cards.send(an_operation(OperationKind.HOSTED_PAGE)), Succeeded)
    other = cards.send(an_operation(OperationKind.HOSTED_PAGE, amount_minor=5000))
    assert other == Unknown("the key was used for another request", ended=True)


def test_throttling_is_not_sent_and_says_when_to_come_back(cards: StripeCards, psp: RunningPsp) -> None:
    psp.fault("rate_limit", times=1, seconds=7)
    assert cards.send(an_operation(OperationKind.HOSTED_PAGE)) == NotSent("throttled", 7)


def test_a_refused_connection_is_not_sent(cards: StripeCards, psp: RunningPsp) -> None:
    psp.stop()
    assert isinstance(cards.send(an_operation(OperationKind.HOSTED_PAGE)), NotSent)
    assert isinstance(cards.enquire(Enquiry("p", Instant(0), "pi_1")), NotSent)


def test_a_wrong_key_sends_nothing(psp: RunningPsp) -> None:
    cards = StripeCards("sk_live_wrong", (SECRET,), base_url=psp.url)
    assert isinstance(cards.send(an_operation(OperationKind.HOSTED_PAGE)), NotSent)


def test_a_request_that_makes_no_sense_is_refused_for_good(cards: StripeCards) -> None:
    outcome = cards.send(an_operation(OperationKind.HOSTED_PAGE, amount_minor=10))
    assert isinstance(outcome, Failed)
    assert outcome.code == "amount_too_small"


def test_a_capture_of_an_expired_hold_shows_the_hold_as_expired(
    house: HouseOfPayments, cards: StripeCards, endpoint: Endpoint, psp: RunningPsp
) -> None:
    payment = a_held_payment(house, cards, endpoint)
    house.session_begins(payment)
    psp.kill()
    psp.start()
    httpx.post(f"{psp.url}/_expire_holds")
    house.held_session_priced(payment, "12.40")
    house.work()
    after = house.payment(payment)
    assert (after.state, after.captured_minor, after.due_minor) == (PaymentState.EXPIRED, 0, 1240)
    assert books.read(psp.state).captured_minor == {}


def test_both_processes_die_and_the_money_is_counted_once(
    house: HouseOfPayments, cards: StripeCards, endpoint: Endpoint, psp: RunningPsp
) -> None:
    """We die after the provider captured; then the provider dies; then both come back."""
    payment = a_held_payment(house, cards, endpoint)
    house.session_begins(payment)
    house.held_session_priced(payment, "12.40")
    crash_when(cards, "send")
    dies(house.work)
    psp.kill()
    house.restart()
    psp.start()

    house.work_until_quiet()

    assert house.payment(payment).captured_minor == 1240
    assert books.read(psp.state).captured_minor == {"GBP": 1240}
    assert house.balance("clearing") == 1240


def test_a_lost_object_is_found_by_our_reference(house: HouseOfPayments, cards: StripeCards, psp: RunningPsp) -> None:
    """Its id never reached us and its key is forgotten: what it carries of ours is how it is found."""
    customer = a_customer(house, cards)
    psp.fault("lost_answer", path="/v1/payment_intents", times=1)
    payment = house.session_priced(customer, "12.40")
    house.work()
    created = house.payment(payment.payment_id).created_at
    seen = cards.enquire(Enquiry(payment.payment_id, created))
    assert isinstance(seen, View)
    assert seen.status is ViewStatus.PREPARED
    assert cards.enquire(Enquiry("nobody", created)) is None
    assert cards.enquire(Enquiry("nobody", created, provider_ref="pi_nothing")) is None


def test_a_lost_page_is_found_by_our_reference(cards: StripeCards, psp: RunningPsp) -> None:
    operation = an_operation(OperationKind.HOSTED_PAGE)
    cards.send(operation)
    seen = cards.enquire(Enquiry(operation.payment_id, Instant(int(time.time() * 1000))))  # noqa: TID251 - the provider's clock is the real one
    assert isinstance(seen, View)
    assert (seen.status, seen.page_url is not None) == (ViewStatus.REQUIRES_ACTION, True)


def test_a_card_that_cannot_be_stored_says_so(cards: StripeCards) -> None:
    with pytest.raises(BadInput):
        cards.store_method("c", "pm_card_visa_chargeDeclined", "k")


def a_body(**more: Any) -> str:
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "payment_intent.succeeded",
        "created": int(time.time()),  # noqa: TID251 - signatures age on the real clock
        "livemode": False,
        "data": {"object": {"object": "customer", "id": "cus_1"}},
        **more,
    }
    return json.dumps(event)


def signed(body: str, secret: str, age: int = 0) -> dict[str, str]:
    return {"stripe-signature": signature(body, secret, int(time.time()) - age)}  # noqa: TID251 - as above


def test_a_webhook_is_authentic_under_any_secret_that_is_valid_now(cards: StripeCards) -> None:
    """While a secret is replaced, both sign."""
    body = a_body()
    for secret in (SECRET, OLD_SECRET):
        assert cards.read_webhook(signed(body, secret), body.encode()).event_id == "evt_1"


@pytest.mark.parametrize("wrong", ["forged", "stale", "changed", "unsigned", "garbled"])
def test_a_webhook_that_is_not_authentic_and_fresh_is_refused(cards: StripeCards, wrong: str) -> None:
    body = a_body()
    headers = {
        "forged": signed(body, "whsec_other"),
        "stale": signed(body, SECRET, age=301),
        "changed": signed(body.replace("evt_1", "evt_2"), SECRET),
        "unsigned": {},
        "garbled": {"stripe-signature": "t=,v1"},
    }[wrong]
    with pytest.raises(NotSignedIn):
        cards.read_webhook(headers, body.encode())


def test_a_webhook_of_the_other_mode_is_refused(cards: StripeCards) -> None:
    """A live event must never count in a test account, nor the other way round."""
    body = a_body(livemode=True)
    with pytest.raises(NotSignedIn):
        cards.read_webhook(signed(body, SECRET), body.encode())


def test_signed_nonsense_is_bad_input(cards: StripeCards) -> None:
    body = "[]"
    with pytest.raises(BadInput):
        cards.read_webhook(signed(body, SECRET), body.encode())


def test_a_dispute_is_read_as_one(cards: StripeCards) -> None:
    """It is kept as a dispute with its sum, and asks for a person there."""
    told = {
        "object": "dispute",
        "id": "dp_1",
        "payment_intent": "pi_1",
        "amount": 1240,
        "currency": "gbp",
        "status": "needs_response",
    }
    body = a_body(type="charge.dispute.created", data={"object": told})
    event = cards.read_webhook(signed(body, SECRET), body.encode())
    assert (event.attention, event.provider_ref, event.view) == (None, "pi_1", None)
    assert event.dispute is not None
    assert (event.dispute.amount_minor, event.dispute.currency) == (1240, "GBP")


def test_the_official_sdk_sends_nothing_about_itself() -> None:
    """Telemetry is off, and the adapter alone decides about retries."""
    assert stripe.enable_telemetry is False


def an_operation(kind: OperationKind, amount_minor: int = 4000) -> Operation:
    request = request_text(
        {
            "amount_minor": amount_minor,
            "currency": "GBP",
            "operation_id": "o1",
            "payment_id": "p1",
            "reference": "p1",
            "title": "Queen Street",
            "success_url": "http://127.0.0.1:1/ok",
            "cancel_url": "http://127.0.0.1:1/back",
            "expires_at": 2040 + int(time.time()) // 10_000 * 10_000 + 10_000,  # noqa: TID251 - a page's life is counted there
        }
    )
    return Operation(
        operation_id="o1",  # type: ignore[arg-type]  # an id is a text
        payment_id="p1",  # type: ignore[arg-type]  # an id is a text
        account_id="a1",  # type: ignore[arg-type]  # an id is a text
        kind=kind,
        amount_minor=amount_minor,
        currency="GBP",
        idempotency_key="o1",
        request=request,
        request_hash=request_hash(request),
        state=OperationState.INTENDED,
        attempts=0,
        first_sent_at=None,
        last_sent_at=None,
        provider_ref=None,
        code=None,
        advice=None,
        error=None,
        created_at=Instant(0),
        resolved_at=None,
    )
