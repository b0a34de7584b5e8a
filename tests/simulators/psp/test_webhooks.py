"""Webhooks of the simulated provider: authentic by the SDK's own check, repeated until taken, disorderly on request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import stripe

from tallywatt.simulators.psp.faults import Fault
from tests.simulators.psp.running import Endpoint, RunningPsp
from tests.simulators.psp.test_api import a_hold

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "whsec_simulated"


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """Somebody who answers 200."""
    one = Endpoint()
    yield one
    one.close()


def types(endpoint: Endpoint, count: int) -> list[str]:
    return [json.loads(body)["type"] for _, body in endpoint.wait_for(count)]


def test_a_webhook_is_signed_as_the_sdk_checks_it(tmp_path: Path, endpoint: Endpoint) -> None:
    with RunningPsp(tmp_path / "s", webhook=endpoint.url) as psp:
        hold = a_hold(psp.client(), metadata={"payment": "p1"})
        headers, body = endpoint.wait_for(1)[0]
    event = stripe.Webhook.construct_event(body, headers["stripe-signature"], SECRET)
    assert event.type == "payment_intent.amount_capturable_updated"
    assert event.data.object["id"] == hold.id
    assert event.data.object["metadata"].to_dict() == {"payment": "p1"}
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, headers["stripe-signature"], "whsec_other")


def test_a_webhook_is_sent_again_until_it_is_taken(tmp_path: Path) -> None:
    endpoint = Endpoint(answers=[500, 503])
    with RunningPsp(tmp_path / "s", webhook=endpoint.url, retry_seconds=(0.05,)) as psp:
        a_hold(psp.client())
        bodies = {body for _, body in endpoint.wait_for(3)}
    endpoint.close()
    assert len(bodies) == 1


def test_what_was_not_delivered_is_sent_after_a_kill(tmp_path: Path) -> None:
    """The endpoint was down, then the provider: the event is not forgotten."""
    endpoint = Endpoint(answers=[500] * 3)
    with RunningPsp(tmp_path / "s", webhook=endpoint.url, retry_seconds=(30,)) as psp:
        a_hold(psp.client())
        endpoint.wait_for(1)
        psp.kill()
        psp.start()
        bodies = {body for _, body in endpoint.wait_for(2)}
    endpoint.close()
    assert len(bodies) == 1


def test_webhooks_come_twice_and_in_disorder_on_request(tmp_path: Path, endpoint: Endpoint) -> None:
    faults = (Fault("reordered_webhook", times=1), Fault("duplicate_webhook", times=1))
    with RunningPsp(tmp_path / "s", webhook=endpoint.url, faults=faults) as psp:
        hold = a_hold(psp.client())
        psp.client().payment_intents.capture(hold.id)
        seen = types(endpoint, 3)
    assert sorted(seen) == [
        "payment_intent.amount_capturable_updated",
        "payment_intent.succeeded",
        "payment_intent.succeeded",
    ]
    assert seen[0] == "payment_intent.succeeded"


def test_only_events_that_the_endpoint_wants_are_sent(tmp_path: Path, endpoint: Endpoint) -> None:
    with RunningPsp(tmp_path / "s", webhook=endpoint.url, events=("charge.refunded",)) as psp:
        hold = a_hold(psp.client())
        psp.client().payment_intents.capture(hold.id)
        psp.client().refunds.create({"payment_intent": hold.id})
        assert types(endpoint, 1) == ["charge.refunded"]
        assert {one.type for one in psp.client().events.list({"limit": 50}).data} >= {
            "payment_intent.created",
            "refund.created",
        }
