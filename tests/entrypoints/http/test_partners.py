"""Outgoing webhooks through the API: added, changed, tested, replayed, and nobody sees another operator's."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from standardwebhooks.webhooks import Webhook

from tallywatt.entrypoints.worker import Courier
from tallywatt.partners.catalogue import NAMES
from tests.entrypoints.http.test_doors import token_of
from tests.entrypoints.scene import Scene
from tests.entrypoints.worker.post import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.testclient import TestClient


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A partner's system."""
    with Receiver() as built:
        yield built


@pytest.fixture
def client(scene: Scene) -> TestClient:
    """A program of the operator."""
    scene.house.settings.webhook_allow = "127.0.0.1"
    client = scene.client()
    client.headers.update(scene.key())
    return client


def listening(client: TestClient, receiver: Receiver, **more: Any) -> dict[str, Any]:
    """An endpoint for a receiver."""
    answer = client.post("/webhook-endpoints", json={"url": receiver.url, **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def deliver(scene: Scene) -> int:
    """The courier goes round until nothing is due."""
    return Courier(scene.house).step()


def test_a_whole_session_is_heard_as_the_published_schemas_say(
    scene: Scene, client: TestClient, receiver: Receiver
) -> None:
    """From the plug to the paid invoice, in order, each message as `GET /event-types` promised."""
    webhook = Webhook(listening(client, receiver)["secret"])
    schemas = {one["type"]: one["schema"] for one in client.get("/event-types").json()["items"]}
    wire = scene.wire()
    wire.start()
    wire.sample("1", (scene.later(30), 5_000_000))
    scene.later(30)
    wire.stop("1", 10_000_000)
    scene.collect()
    deliver(scene)

    messages = [webhook.verify(one.body, one.headers) for one in receiver.seen]
    for message in messages:
        jsonschema_rs.validator_for(schemas[message["type"]]).validate(message)
    session = [one["type"] for one in messages if one["aggregate"]["type"] == "session"]
    assert session[0] == "session.started"
    assert session[-1] == "session.billed"
    assert "payment.captured" in [one["type"] for one in messages]
    [billed] = [one for one in messages if one["type"] == "session.billed"]
    assert billed["data"]["energy_wh"] == "10000"
    assert billed["data"]["net_minor"] + billed["data"]["tax_minor"] == billed["data"]["gross_minor"]


def test_the_catalogue_is_told_with_its_schemas(client: TestClient) -> None:
    """A program can look what there is, and check what it gets."""
    items = client.get("/event-types").json()["items"]
    assert tuple(one["type"] for one in items) == NAMES
    for one in items:
        jsonschema_rs.meta.validate(one["schema"])


def test_the_secret_is_shown_once(client: TestClient, receiver: Receiver) -> None:
    """In the answer that makes it, which nobody keeps."""
    answer = client.post("/webhook-endpoints", json={"url": receiver.url}, headers={"Idempotency-Key": "one"})
    assert answer.headers["cache-control"] == "no-store"
    secret = answer.json()["secret"]
    rotated = client.post(f"/webhook-endpoints/{answer.json()['id']}/rotate", json={"old_holds_seconds": 60}).json()
    shown = client.get(f"/webhook-endpoints/{answer.json()['id']}")
    assert secret.startswith("whsec_")
    assert rotated["secret"] != secret
    assert "whsec_" not in shown.text
    assert len(shown.json()["secrets"]) == 2
    assert "sealed" not in shown.text


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"url": "http://169.254.169.254/latest/meta-data"}, "webhooks.private_address"),
        ({"url": "http://hooks.example.org"}, "webhooks.not_https"),
        ({"url": "https://hooks.example.org", "event_types": ["session.exploded"]}, "webhooks.unknown_event_type"),
        ({"url": "nothing"}, "webhooks.bad_url"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_remedy(client: TestClient, body: dict[str, Any], code: str) -> None:
    """Before anything is stored."""
    answer = client.post("/webhook-endpoints", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["remedy"]
    assert client.get("/webhook-endpoints").json()["items"] == []


def test_a_test_and_its_replay_stand_in_the_log(scene: Scene, client: TestClient, receiver: Receiver) -> None:
    """Pressed, delivered, looked at, and sent once more under the same id."""
    path = f"/webhook-endpoints/{listening(client, receiver)['id']}"
    receiver.answers = lambda _: (200, {}, b"thank you")
    assert client.post(f"{path}/test").status_code == 202
    deliver(scene)
    [row] = client.get(f"{path}/deliveries?state=delivered").json()["items"]
    assert client.post(f"{path}/replay", json={"delivery": row["id"]}).status_code == 202
    deliver(scene)

    log = client.get(f"{path}/deliveries/{row['id']}").json()
    assert [one["answer"] for one in log["tries"]] == ["thank you", "thank you"]
    assert log["body"].encode() == receiver.seen[0].body == receiver.seen[1].body
    assert receiver.seen[0].id == receiver.seen[1].id == log["message_id"]


def test_everything_since_a_position_is_sent_again(scene: Scene, client: TestClient, receiver: Receiver) -> None:
    """Also what happened before the endpoint was there."""
    path = f"/webhook-endpoints/{listening(client, receiver, event_types=['location.added'])['id']}"
    deliver(scene)
    assert receiver.seen == []
    answer = client.post(f"{path}/replay", json={"after": 0})
    assert answer.status_code == 202
    deliver(scene)
    assert [one.json["type"] for one in receiver.seen] == ["location.added"] * 2
    assert client.post(f"{path}/replay", json={"after": 0, "since": "2026-01-01T00:00:00Z"}).status_code == 422
    assert client.post(f"{path}/replay", json={}).status_code == 422


def test_pages_of_the_log_follow_each_other(scene: Scene, client: TestClient, receiver: Receiver) -> None:
    """Newest first, nothing twice."""
    path = f"/webhook-endpoints/{listening(client, receiver)['id']}"
    for _ in range(5):
        client.post(f"{path}/test")
    deliver(scene)
    first = client.get(f"{path}/deliveries?limit=3").json()
    second = client.get(f"{path}/deliveries?limit=3&cursor={first['next']}").json()
    positions = [one["position"] for one in first["items"] + second["items"]]
    assert positions == sorted(positions, reverse=True)
    assert len(set(positions)) == 5
    assert second["next"] is None


def test_an_endpoint_is_changed_disabled_enabled_and_removed(
    scene: Scene, client: TestClient, receiver: Receiver
) -> None:
    """Each step is written down with who took it; the secret never is."""
    made = listening(client, receiver, description="the ERP")
    path = f"/webhook-endpoints/{made['id']}"
    changed = client.patch(path, json={"event_types": ["payment.*"], "description": "the till"}).json()
    assert (changed["event_types"], changed["description"], changed["url"]) == (["payment.*"], "the till", receiver.url)
    assert client.post(f"{path}/disable").json()["state"] == "disabled"
    assert client.post(f"{path}/test").json()["code"] == "webhooks.endpoint_disabled"
    assert client.post(f"{path}/enable", json={}).json()["state"] == "enabled"
    assert client.delete(path).json()["state"] == "removed"
    assert client.get(path).status_code == 404
    assert client.post(f"{path}/enable", json={}).status_code == 404

    actions = client.get(f"/actions?subject={made['id']}").json()["items"]
    assert {one["action"].partition(".")[2] for one in actions} == {"add", "change", "disable", "enable", "remove"}
    assert made["secret"].removeprefix("whsec_") not in str(actions)


def test_another_operators_endpoints_are_not_found(scene: Scene, client: TestClient, receiver: Receiver) -> None:
    """Not even that they are there is told."""
    path = f"/webhook-endpoints/{listening(client, receiver)['id']}"
    client.post(f"{path}/test")
    deliver(scene)
    [row] = client.get(f"{path}/deliveries").json()["items"]
    other = Scene.beside(scene, "perth").furnish().key()
    for method, at, body in (
        ("GET", path, None), ("PATCH", path, {}), ("DELETE", path, None), ("POST", f"{path}/test", None),
        ("POST", f"{path}/rotate", {}), ("POST", f"{path}/replay", {"delivery": row["id"]}),
        ("GET", f"{path}/deliveries", None), ("GET", f"{path}/deliveries/{row['id']}", None),
        ("POST", f"{path}/enable", {}), ("POST", f"{path}/disable", None),
    ):  # fmt: skip
        answer = scene.client().request(method, at, json=body, headers=other)
        assert answer.status_code == 404, (method, at, answer.text)
    assert scene.client().get("/webhook-endpoints", headers=other).json()["items"] == []


def test_the_console_shows_what_happens_and_the_secret_once(scene: Scene, receiver: Receiver) -> None:
    """Added by a form, tested by a button, looked at in the log, sent again."""
    scene.house.settings.webhook_allow = "127.0.0.1"
    client = scene.signed_in()
    at = "/console/settings/webhooks"
    token = token_of(client)
    refused = client.post(at, data={"csrf": token, "url": "http://10.0.0.1/"})
    assert refused.status_code == 400
    assert "not a public address" in refused.text

    made = client.post(at, data={"csrf": token, "url": receiver.url, "types": ["session.*"], "description": "the ERP"})
    [secret] = re.findall(r"whsec_[A-Za-z0-9+/=]+", made.text)
    [row] = scene.house.ask_now(scene.house.views.webhook_endpoints, scene.operator, scene.house.machine.now())
    own = f"{at}/{row['id']}"
    assert "whsec_" not in client.get(own).text
    assert client.post(f"{own}/test", data={"csrf": token}).status_code == 303
    deliver(scene)
    Webhook(html.unescape(secret)).verify(receiver.seen[0].body, receiver.seen[0].headers)
    page = client.get(own).text
    assert "webhook_endpoint.tested" in page
    [delivery] = set(re.findall(rf"{own}/deliveries/([0-9a-f-]+)", page))
    assert client.post(f"{own}/deliveries/{delivery}", data={"csrf": token}).status_code == 303
    assert client.post(f"{own}/replay", data={"csrf": token, "since": "2020-01-01T00:00"}).status_code == 303
    assert client.post(f"{own}/replay", data={"csrf": token, "since": "soon"}).status_code == 400
    deliver(scene)
    assert "204" in client.get(f"{own}/deliveries/{delivery}").text
    assert len(receiver.seen) >= 2
    assert "whsec_" in client.post(f"{own}/rotate", data={"csrf": token, "grace_hours": "0"}).text
    changed = client.post(own, data={"csrf": token, "url": receiver.url, "more": "payment.captured, token.added"})
    assert changed.status_code == 303
    for step in ("disable", "enable", "remove"):
        assert client.post(f"{own}/{step}", data={"csrf": token}).status_code == 303
    assert client.get(own).status_code == 404
