"""The simulated provider's API, driven by the official SDK: what it does, and above all what it refuses."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import stripe

from tallywatt.simulators.psp import books

if TYPE_CHECKING:
    from tests.simulators.psp.running import RunningPsp


def a_hold(client: Any, amount: int = 5000, currency: str = "gbp", **more: Any) -> Any:
    asked: dict[str, Any] = {
        "amount": amount,
        "currency": currency,
        "capture_method": "manual",
        "payment_method": "pm_card_visa",
        "confirm": True,
        "allowed_payment_method_types": ["card"],
        **more,
    }
    return client.payment_intents.create(asked)


def test_a_hold_is_captured_in_part_once_and_the_rest_is_released(psp: RunningPsp) -> None:
    """A driver pays for what was charged, not for what was held."""
    client = psp.client()
    hold = a_hold(client, metadata={"payment": "p1"})
    assert (hold.status, hold.amount_capturable) == ("requires_capture", 5000)

    taken = client.payment_intents.capture(hold.id, {"amount_to_capture": 1240, "expand": ["latest_charge"]})

    assert (taken.status, taken.amount_received, taken.amount_capturable) == ("succeeded", 1240, 0)
    charge: Any = taken.latest_charge
    assert (charge.amount_captured, charge.amount_refunded) == (1240, 0)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.payment_intents.capture(hold.id, {"amount_to_capture": 100})
    assert refused.value.code == "payment_intent_unexpected_state"
    totals = books.read(psp.state)
    assert totals.captured_minor == {"GBP": 1240}
    assert totals.captured_by("payment") == {"p1": 1240}
    assert totals.holds_open == 0


def test_more_than_is_held_is_never_captured(psp: RunningPsp) -> None:
    client = psp.client()
    hold = a_hold(client)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.payment_intents.capture(hold.id, {"amount_to_capture": 5001})

    assert refused.value.code == "amount_too_large"
    assert books.read(psp.state).held_minor == {"GBP": 5000}


def test_a_cancelled_hold_is_not_captured(psp: RunningPsp) -> None:
    client = psp.client()
    hold = a_hold(client)
    assert client.payment_intents.cancel(hold.id).status == "canceled"

    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.payment_intents.capture(hold.id)

    assert refused.value.code == "payment_intent_unexpected_state"
    assert refused.value.error.payment_intent.status == "canceled"  # type: ignore[union-attr]  # the SDK types it as optional
    assert books.read(psp.state).voided == 1


def test_a_refund_never_exceeds_what_was_captured(psp: RunningPsp) -> None:
    client = psp.client()
    hold = a_hold(client)
    with pytest.raises(stripe.InvalidRequestError):
        client.refunds.create({"payment_intent": hold.id})
    client.payment_intents.capture(hold.id, {"amount_to_capture": 1000})

    client.refunds.create({"payment_intent": hold.id, "amount": 600})
    with pytest.raises(stripe.InvalidRequestError):
        client.refunds.create({"payment_intent": hold.id, "amount": 401})
    client.refunds.create({"payment_intent": hold.id, "amount": 400})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.refunds.create({"payment_intent": hold.id})

    assert refused.value.code == "charge_already_refunded"
    assert [one.amount for one in client.refunds.list({"payment_intent": hold.id}).data] == [400, 600]


def test_what_the_bank_has_taken_back_is_refunded_only_after_it_is_won(psp: RunningPsp) -> None:
    """A disputed charge is refused: the driver would have the money twice."""
    client = psp.client()
    hold = a_hold(client)
    client.payment_intents.capture(hold.id)
    [dispute] = httpx.post(f"{psp.url}/_dispute", json={"payment_intent": hold.id}).json()

    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.refunds.create({"payment_intent": hold.id, "amount": 100})
    assert refused.value.code == "charge_disputed"
    assert books.read(psp.state).refunded_minor == {}

    httpx.post(f"{psp.url}/_decide", json={"dispute": dispute["id"], "status": "won"}).raise_for_status()
    assert client.refunds.create({"payment_intent": hold.id, "amount": 100}).amount == 100


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (29, "gbp", "amount_too_small"),
        (49, "eur", "amount_too_small"),
        (49, "jpy", "amount_too_small"),
        (1005, "kwd", "invalid_charge_amount"),
    ],
)
def test_amounts_are_minor_units_of_their_currency(psp: RunningPsp, amount: int, currency: str, code: str) -> None:
    """Thirty pence, fifty cents, fifty yen: the least that a card is charged; and no thousandths of a dinar."""
    client = psp.client()
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.payment_intents.create({"amount": amount, "currency": currency})
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", None),
    ],
)
def test_documented_cards_are_declined_as_documented(
    psp: RunningPsp, card: str, code: str, decline_code: str | None
) -> None:
    client = psp.client()
    with pytest.raises(stripe.CardError) as declined:
        a_hold(client, payment_method=card)
    assert declined.value.code == code
    assert getattr(declined.value.error, "decline_code", None) == decline_code
    assert declined.value.error.payment_intent.status == "requires_payment_method"  # type: ignore[union-attr]  # as above


def test_a_magic_amount_is_declined_whatever_the_card(psp: RunningPsp) -> None:
    client = psp.client()
    with pytest.raises(stripe.CardError) as declined:
        a_hold(client, amount=900_002)
    assert declined.value.error.decline_code == "insufficient_funds"  # type: ignore[union-attr]  # as above


def test_a_stored_card_is_charged_without_the_driver(psp: RunningPsp) -> None:
    client = psp.client()
    customer = client.customers.create({"metadata": {"ours": "c1"}})
    method = client.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    prepared = client.payment_intents.create(
        {"amount": 1240, "currency": "gbp", "customer": customer.id, "payment_method": method.id}
    )
    assert prepared.status == "requires_confirmation"

    charged = client.payment_intents.confirm(prepared.id, {"off_session": True})

    assert (charged.status, charged.amount_received) == ("succeeded", 1240)


def test_a_card_that_wants_its_holder_is_declined_off_session(psp: RunningPsp) -> None:
    client = psp.client()
    customer = client.customers.create({})
    method = client.payment_methods.attach("pm_card_authenticationRequired", {"customer": customer.id})
    with pytest.raises(stripe.CardError) as declined:
        client.payment_intents.create(
            {
                "amount": 1240,
                "currency": "gbp",
                "customer": customer.id,
                "payment_method": method.id,
                "confirm": True,
                "off_session": True,
            }
        )
    assert declined.value.code == "authentication_required"


def test_a_card_that_fails_later_can_be_stored(psp: RunningPsp) -> None:
    client = psp.client()
    customer = client.customers.create({})
    with pytest.raises(stripe.CardError):
        client.payment_methods.attach("pm_card_visa_chargeDeclined", {"customer": customer.id})
    stored = client.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer.id})
    assert stored.customer == customer.id
    with pytest.raises(stripe.CardError):
        a_hold(client, customer=customer.id, payment_method=stored.id)


def test_unknown_parameters_missing_ones_and_wrong_types_are_refused(psp: RunningPsp) -> None:
    """A typing error in a parameter would otherwise be silently ignored here and matter in production."""
    client = psp.client()
    for asked, code in (
        ({"amount": 500, "currency": "gbp", "capture_metod": "manual"}, "parameter_unknown"),
        ({"currency": "gbp"}, "parameter_missing"),
        ({"amount": "5.00", "currency": "gbp"}, "parameter_invalid_integer"),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.payment_intents.create(asked)  # type: ignore[arg-type]  # wrong on purpose
        assert refused.value.code == code


def test_only_a_test_key_opens_the_api_and_each_key_has_its_own_objects(psp: RunningPsp) -> None:
    hold = a_hold(psp.client())
    for key in ("sk_live_tallywatt", "sk_test_"):
        with pytest.raises(stripe.AuthenticationError):
            psp.client(key).payment_intents.retrieve(hold.id)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        psp.client("sk_test_somebody_else").payment_intents.retrieve(hold.id)
    assert refused.value.code == "resource_missing"


def test_the_same_key_is_the_same_request(psp: RunningPsp) -> None:
    """A second click, a retry after a lost answer: one payment."""
    client = psp.client()
    asked: Any = {"amount": 500, "currency": "gbp"}
    first = client.payment_intents.create(asked, {"idempotency_key": "k1"})
    again = client.payment_intents.create(asked, {"idempotency_key": "k1"})
    assert first.id == again.id
    assert again.last_response.headers["idempotent-replayed"] == "true"  # type: ignore[union-attr]  # there is a response
    with pytest.raises(stripe.IdempotencyError):
        client.payment_intents.create({"amount": 600, "currency": "gbp"}, {"idempotency_key": "k1"})


def test_a_decline_is_replayed_as_a_decline(psp: RunningPsp) -> None:
    client = psp.client()
    prepared = client.payment_intents.create({"amount": 900_002, "currency": "gbp", "payment_method": "pm_card_visa"})
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            client.payment_intents.confirm(prepared.id, {}, {"idempotency_key": "confirm"})
    assert len(client.charges.list({"payment_intent": prepared.id}).data) == 1


def test_a_refused_parameter_does_not_use_up_the_key(psp: RunningPsp) -> None:
    client = psp.client()
    with pytest.raises(stripe.InvalidRequestError):
        client.payment_intents.create({"amount": 500}, {"idempotency_key": "k2"})  # type: ignore[typeddict-item]  # wrong on purpose
    assert client.payment_intents.create({"amount": 500, "currency": "gbp"}, {"idempotency_key": "k2"}).amount == 500


def test_the_same_key_at_the_same_time_is_a_conflict(psp: RunningPsp) -> None:
    psp.fault("latency", milliseconds=600, times=1)
    came: list[Any] = []

    def ask() -> None:
        try:
            came.append(
                psp.client().payment_intents.create({"amount": 500, "currency": "gbp"}, {"idempotency_key": "k3"})
            )
        except stripe.StripeError as error:
            came.append((error.http_status, error.error and error.error.code))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert came[0] == (409, "idempotency_key_in_use")
    assert came[1].amount == 500


def test_objects_are_found_by_list_and_by_search(psp: RunningPsp) -> None:
    """How a payment is found again whose answer was lost."""
    client = psp.client()
    made = [
        client.payment_intents.create({"amount": 500 + n, "currency": "gbp", "metadata": {"n": str(n)}})
        for n in range(5)
    ]
    page = client.payment_intents.list({"limit": 2, "created": {"gte": made[0].created}})
    assert [one.amount for one in page.data] == [504, 503]
    assert [one.amount for one in page.auto_paging_iter()] == [504, 503, 502, 501, 500]
    found = client.payment_intents.search({"query": "metadata['n']:'3'"})
    assert [one.id for one in found.data] == [made[3].id]


def test_balance_transactions_and_charges_are_listed_for_reconciliation(psp: RunningPsp) -> None:
    client = psp.client()
    hold = a_hold(client)
    client.payment_intents.capture(hold.id, {"amount_to_capture": 2000})
    client.refunds.create({"payment_intent": hold.id, "amount": 500})

    booked = client.balance_transactions.list({"limit": 10}).data

    assert [(one.type, one.amount, one.fee) for one in booked] == [("refund", -500, 0), ("charge", 2000, 50)]
    assert client.charges.list({"payment_intent": hold.id}).data[0].amount_captured == 2000


def test_a_setup_intent_stores_a_card_for_later(psp: RunningPsp) -> None:
    client = psp.client()
    customer = client.customers.create({})
    setup = client.setup_intents.create(
        {"customer": customer.id, "payment_method": "pm_card_visa", "confirm": True, "usage": "off_session"}
    )
    assert setup.status == "succeeded"
    assert client.payment_methods.retrieve(str(setup.payment_method)).customer == customer.id


def test_a_hold_that_has_expired_is_found_released(psp: RunningPsp) -> None:
    """No webhook is promised at expiry: one finds out when the capture bounces."""
    client = psp.client()
    hold = a_hold(client)
    assert httpx.post(f"{psp.url}/_expire_holds").json() == {"expired": 1}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.payment_intents.capture(hold.id)
    assert refused.value.error.payment_intent.cancellation_reason == "automatic"  # type: ignore[union-attr]  # as above
