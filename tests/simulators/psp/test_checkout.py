"""The hosted page: a person, or a simulated driver, picks a test card."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import stripe

if TYPE_CHECKING:
    from tests.simulators.psp.running import RunningPsp


def a_page(client: Any, **more: Any) -> Any:
    asked: dict[str, Any] = {
        "mode": "payment",
        "line_items": [
            {
                "price_data": {
                    "currency": "gbp",
                    "unit_amount": 4000,
                    "product_data": {"name": "Charging at <Queen Street>"},
                },
                "quantity": 1,
            }
        ],
        "payment_intent_data": {"capture_method": "manual", "metadata": {"payment": "p1"}},
        "success_url": "http://127.0.0.1:1/done?page={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://127.0.0.1:1/back",
        "client_reference_id": "p1",
        "metadata": {"payment": "p1"},
        **more,
    }
    return client.checkout.sessions.create(asked)


def test_a_driver_places_a_hold_on_the_page(psp: RunningPsp) -> None:
    client = psp.client()
    page = a_page(client)
    assert (page.status, page.payment_intent) == ("open", None)
    shown = httpx.get(page.url)
    assert "40.00 GBP" in shown.text
    assert "Charging at &lt;Queen Street&gt;" in shown.text
    assert "default-src 'none'" in shown.headers["content-security-policy"]

    paid = httpx.post(page.url, data={"card": "pm_card_visa"})

    assert (paid.status_code, paid.headers["location"]) == (303, f"http://127.0.0.1:1/done?page={page.id}")
    after = client.checkout.sessions.retrieve(page.id, {"expand": ["payment_intent.latest_charge"]})
    assert after.status == "complete"
    intent: Any = after.payment_intent
    assert (intent.status, intent.amount_capturable, intent.metadata.to_dict()) == (
        "requires_capture",
        4000,
        {"payment": "p1"},
    )
    assert intent.latest_charge.payment_method_details.card.last4 == "4242"
    assert "complete" in httpx.post(page.url, data={"card": "pm_card_visa"}).text


def test_a_declined_driver_may_try_another_card(psp: RunningPsp) -> None:
    client = psp.client()
    page = a_page(client)
    refused = httpx.post(page.url, data={"card": "pm_card_visa_chargeDeclinedInsufficientFunds"})
    assert refused.status_code == 402
    assert "insufficient funds" in refused.text
    assert httpx.post(page.url, data={"card": "pm_card_mastercard"}).status_code == 303
    assert len(client.payment_intents.list({}).data) == 1


@pytest.mark.parametrize(("answer", "status"), [("yes", "complete"), ("no", "open")])
def test_a_bank_may_ask_the_driver(psp: RunningPsp, answer: str, status: str) -> None:
    client = psp.client()
    page = a_page(client)
    asked = httpx.post(page.url, data={"card": "pm_card_authenticationRequired"})
    assert "Your bank asks" in asked.text
    httpx.post(page.url, data={"card": "pm_card_authenticationRequired", "approve": answer})
    assert client.checkout.sessions.retrieve(page.id).status == status


def test_an_expired_page_is_paid_no_more(psp: RunningPsp) -> None:
    client = psp.client()
    page = a_page(client)
    assert client.checkout.sessions.expire(page.id).status == "expired"
    assert "Too late" in httpx.post(f"{psp.url}/c/pay/{page.id}", data={"card": "pm_card_visa"}).text
    with pytest.raises(stripe.InvalidRequestError):
        client.checkout.sessions.expire(page.id)
    assert not client.payment_intents.list({}).data


def test_a_page_lives_between_half_an_hour_and_a_day(psp: RunningPsp) -> None:
    client = psp.client()
    now = int(time.time())  # noqa: TID251 - a page's life is counted on the provider's clock
    for seconds in (60, 2 * 24 * 3600):
        with pytest.raises(stripe.InvalidRequestError):
            a_page(client, expires_at=now + seconds)


def test_a_page_that_is_not_there_says_so(psp: RunningPsp) -> None:
    assert httpx.get(f"{psp.url}/c/pay/cs_test_nothing").status_code == 404
