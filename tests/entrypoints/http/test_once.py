"""Writes are answered once: the same key with the same request is the same answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


def test_the_answer_of_a_new_key_is_kept_nowhere(scene: Scene) -> None:
    """It holds the key's own text: an answer that is kept would be a secret in the clear."""
    client, headers = scene.client(), {**scene.key(), "Idempotency-Key": "one"}
    made = client.post("/api-keys", json={"name": "script", "scopes": ["read"]}, headers=headers)
    assert made.status_code == 201
    assert client.get("/sessions", headers={"Authorization": f"Bearer {made.json()['key']}"}).status_code == 200
    assert scene.do(lambda work, _: work.answered_requests.by(), None) == []


def shown(scene: Scene, payment_id: str) -> dict[str, Any]:
    """A payment as it stands."""
    row = scene.house.ask_now(scene.house.views.payment, scene.operator, payment_id)
    assert row is not None
    return row
