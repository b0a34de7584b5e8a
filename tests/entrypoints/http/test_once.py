"""Writes are answered once: the same key with the same request is the same answer."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.workflows.add_webhook_endpoint import AddWebhookEndpoint, add_webhook_endpoint
from tallywatt.workflows.answer_once import KEPT_SECONDS
from tallywatt.workflows.create_api_key import CreateApiKey, create_api_key

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene

LOCATION = {"reference": "north", "name": "North"}


def test_the_same_key_gives_the_same_answer_and_does_nothing_twice(scene: Scene) -> None:
    """The answer was lost on its way; the caller asks again."""
    client, headers = scene.client(), {**scene.key(), "Idempotency-Key": "one"}
    first = client.post("/locations", json=LOCATION, headers=headers)
    again = client.post("/locations", json=LOCATION, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert len(client.get("/locations", headers=headers).json()["items"]) == 3


def test_the_same_key_with_another_request_is_refused(scene: Scene) -> None:
    """A program that mixes up its keys must hear of it."""
    client, headers = scene.client(), {**scene.key(), "Idempotency-Key": "one"}
    client.post("/locations", json=LOCATION, headers=headers)
    for answer in (
        client.post("/locations", json={**LOCATION, "name": "South"}, headers=headers),
        client.post("/customers", json={"reference": "x"}, headers=headers),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "request.idempotency_mismatch")


def test_two_callers_may_use_the_same_key(scene: Scene) -> None:
    """Keys belong to whoever sends them."""
    client = scene.client()
    one, other = {**scene.key(), "Idempotency-Key": "k"}, {**scene.key(), "Idempotency-Key": "k"}
    assert client.post("/locations", json=LOCATION, headers=one).status_code == 201
    assert client.post("/locations", json={**LOCATION, "reference": "south"}, headers=other).status_code == 201


def test_a_request_that_failed_may_be_mended_and_sent_again(scene: Scene) -> None:
    """Nothing was done, so there is nothing to keep."""
    client, headers = scene.client(), {**scene.key(), "Idempotency-Key": "one"}
    bad = client.post("/locations", json={**LOCATION, "zone": "Nowhere/Town"}, headers=headers)
    assert (bad.status_code, bad.json()["code"]) == (400, "time.unknown_zone")
    assert client.post("/locations", json=LOCATION, headers=headers).status_code == 201


def test_without_a_key_every_request_is_a_new_one(scene: Scene) -> None:
    """The second location of that reference is a conflict then."""
    client, headers = scene.client(), scene.key()
    assert client.post("/locations", json=LOCATION, headers=headers).status_code == 201
    answer = client.post("/locations", json=LOCATION, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "locations.reference_taken")


def test_a_refund_asks_for_a_key(scene: Scene) -> None:
    """Money that is given back twice does not come back by itself."""
    scene.wire().charge(10_000_000)
    scene.collect()
    payment = scene.session()["payments"][0]
    client, headers = scene.client(), scene.key()
    path, body = f"/payments/{payment['id']}/refunds", {"amount_minor": 100}
    answer = client.post(path, json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "request.no_idempotency_key")
    keyed = {**headers, "Idempotency-Key": "r1"}
    first, again = (client.post(path, json=body, headers=keyed) for _ in range(2))
    assert (first.status_code, again.json()["id"]) == (202, first.json()["id"])
    scene.collect()
    assert shown(scene, payment["id"])["refunded_minor"] == 100


SECRET: list[tuple[str, dict[str, Any], str]] = [
    ("/api-keys", {"name": "script", "scopes": ["read"]}, "key"),
    ("/api-keys/{key}/rotate", {}, "key"),
    ("/webhook-endpoints", {"url": "https://hooks.example.org/"}, "secret"),
    ("/webhook-endpoints/{endpoint}/rotate", {}, "secret"),
]
"""Writes whose answers open something, and the member that does."""


@pytest.mark.parametrize(("path", "body", "member"), SECRET, ids=[one[0] for one in SECRET])
def test_an_answer_that_tells_a_secret_is_told_again_and_lies_nowhere_in_the_clear(
    scene: Scene, path: str, body: dict[str, Any], member: str
) -> None:
    """Its first copy was lost on the way: without the second one the caller would have made what nobody can use."""
    client, headers = scene.client(), {**scene.key(), "Idempotency-Key": "one"}
    names = {
        "key": scene.do(create_api_key, CreateApiKey("rotated")).key.api_key_id,
        "endpoint": scene.do(add_webhook_endpoint, AddWebhookEndpoint("https://a.example/")).endpoint.endpoint_id,
    }
    first, again = (client.post(path.format(**names), json=body, headers=headers) for _ in range(2))
    assert first.is_success, first.text
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert {first.headers["cache-control"], again.headers["cache-control"]} == {"no-store"}
    secret = first.json()[member]
    [kept] = scene.do(lambda work, _: work.answered_requests.by(), None)
    assert secret not in kept.body
    assert secret.encode() not in base64.b64decode(kept.body)
    database = Path(scene.house.settings.url.removeprefix("sqlite:///"))
    assert not [one for one in database.parent.glob(f"{database.name}*") if secret.encode() in one.read_bytes()]


def test_an_answer_that_told_a_secret_is_forgotten_and_nothing_is_done_again(scene: Scene) -> None:
    """A day later the secret is gone from the table; the caller is told so, and holds no second key unawares."""
    client, headers = scene.client(), {**scene.key(), "Idempotency-Key": "one"}
    body = {"name": "script", "scopes": ["read"]}
    assert client.post("/api-keys", json=body, headers=headers).status_code == 201
    assert scene.house.forget() == 0
    [kept] = scene.do(lambda work, _: work.answered_requests.by(), None)
    scene.do(lambda work, row: work.answered_requests.put(row), replace(kept, forget_at=scene.now))
    late = client.post("/api-keys", json=body, headers=headers)
    assert (late.status_code, late.json()["code"]) == (409, "request.answer_forgotten")
    assert scene.house.forget() == 1
    [kept] = scene.do(lambda work, _: work.answered_requests.by(), None)
    assert (kept.body, kept.key_id) == ("", None)
    late = client.post("/api-keys", json=body, headers=headers)
    assert (late.status_code, late.json()["code"]) == (409, "request.answer_forgotten")
    assert len(scene.do(lambda work, _: work.api_keys.by(name="script"), None)) == 1


def test_an_answer_that_nobody_asks_for_again_is_deleted(scene: Scene) -> None:
    """A program that writes once a second would leave a hundred million of them behind."""
    client, headers = scene.client(), {**scene.key(), "Idempotency-Key": "old"}
    client.post("/locations", json=LOCATION, headers=headers)
    [kept] = scene.do(lambda work, _: work.answered_requests.by(), None)
    old = replace(kept, created_at=type(kept.created_at)(kept.created_at - KEPT_SECONDS * 1000 - 1))
    scene.do(lambda work, row: work.answered_requests.put(row), old)
    client.post("/locations", json={**LOCATION, "reference": "south"}, headers={**headers, "Idempotency-Key": "new"})

    assert scene.house.forget() == 1

    [left] = scene.do(lambda work, _: work.answered_requests.by(), None)
    assert left.idempotency_key == "new"
    again = client.post("/locations", json=LOCATION, headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "locations.reference_taken"), "what was done stays done"


def shown(scene: Scene, payment_id: str) -> dict[str, Any]:
    """A payment as it stands."""
    row = scene.house.ask_now(scene.house.views.payment, scene.operator, payment_id)
    assert row is not None
    return row
