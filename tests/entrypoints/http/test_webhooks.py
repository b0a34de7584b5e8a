"""Webhooks: open to the world, and worth nothing without the provider's signature."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene

SECRET = "whsec_a_secret_of_this_test"


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The account names its secrets by reference; the environment holds them."""
    monkeypatch.setenv("KEY", "sk_test_1")
    monkeypatch.setenv("HOOK", SECRET)


def event(scene: Scene, event_id: str = "evt_1") -> bytes:
    """Something that the provider tells about an object that is none of ours."""
    return json.dumps(
        {
            "id": event_id, "object": "event", "api_version": "2025-01-01", "created": scene.house.machine.now() // 1000,
            "type": "payment_intent.succeeded", "livemode": False,
            "data": {
                "object": {
                    "id": "pi_other", "object": "payment_intent", "metadata": {}, "status": "succeeded", "currency": "gbp",
                    "amount": 500, "amount_received": 500, "amount_capturable": 0,
                }
            },
        }
    ).encode()  # fmt: skip


def signed(scene: Scene, body: bytes, secret: str = SECRET, age_seconds: int = 0) -> dict[str, str]:
    """The header that the provider sends with it."""
    at = scene.house.machine.now() // 1000 - age_seconds
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={at},v1={mac}", "Content-Type": "application/json"}


def path(scene: Scene, provider: str = "stripe") -> str:
    """Where the provider sends it."""
    return f"/webhooks/{provider}/{scene.account.account_id}"


def test_a_signed_webhook_is_kept_before_it_is_answered_and_once(scene: Scene) -> None:
    """Providers send again until they hear a yes."""
    body = event(scene)
    first, again = (scene.client().post(path(scene), content=body, headers=signed(scene, body)) for _ in range(2))
    assert (first.status_code, first.json()) == (200, {"taken": "ignored"})
    assert (again.status_code, again.json()) == (200, {"taken": "duplicate"})
    rows = scene.house.ask_now(scene.house.views.webhook_events, scene.operator)
    assert [row["event_id"] for row in rows] == ["evt_1"]


@pytest.mark.parametrize("case", ["none", "other secret", "old", "changed body"])
def test_without_a_good_signature_nothing_is_kept(scene: Scene, case: str) -> None:
    """Anybody can send anything to this address."""
    body = event(scene)
    headers: dict[str, Any] = {
        "none": {},
        "other secret": signed(scene, body, "whsec_other"),
        "old": signed(scene, body, age_seconds=3600),
        "changed body": signed(scene, body + b" "),
    }[case]
    assert scene.client().post(path(scene), content=body, headers=headers).status_code == 401
    assert scene.house.ask_now(scene.house.views.webhook_events, scene.operator) == []


def test_an_account_that_is_none_or_of_another_provider_takes_nothing(scene: Scene) -> None:
    """The address names both."""
    body = event(scene)
    headers = signed(scene, body)
    assert scene.client().post("/webhooks/stripe/nobody", content=body, headers=headers).status_code == 404
    assert scene.client().post(path(scene, "adyen"), content=body, headers=headers).status_code == 400


def test_a_webhook_of_megabytes_is_none(scene: Scene) -> None:
    """It is not even read to its end."""
    assert scene.client().post(path(scene), content=b" " * 2_000_000).status_code in {400, 413}


def test_who_cannot_sign_keeps_nobody_waiting(scene: Scene) -> None:
    """The address is known to the world: what anybody may send must not stand in the line of those who write."""
    body = event(scene)
    asked = scene.house.store.writer.commands
    for headers in ({}, signed(scene, body, "whsec_guessed"), signed(scene, body, age_seconds=3600)):
        assert scene.client().post(path(scene), content=body, headers=headers).status_code == 401
    assert scene.client().post("/webhooks/stripe/nobody", content=body).status_code == 404

    assert scene.house.store.writer.commands == asked
