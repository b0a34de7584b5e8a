"""What the command line and the console do, as resources: changes that see what they change, and things one at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.workflows.add_webhook_endpoint import AddWebhookEndpoint, add_webhook_endpoint
from tallywatt.workflows.create_api_key import CreateApiKey, create_api_key

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene

CHANGES: list[tuple[str, str, str, dict[str, Any]]] = [
    ("PATCH", "/locations/greenmarket", "/locations/greenmarket", {"name": "Green Market"}),
    ("PATCH", "/customers/C1", "/customers/C1", {"name": "Somebody Else", "language": "de"}),
    ("PATCH", "/operators/me", "/operators/me", {"hold_minor": 6000}),
]
"""How it is changed, where, where it is seen, and what."""


@pytest.mark.parametrize(("method", "path", "seen_at", "change"), CHANGES)
def test_who_has_seen_the_newest_may_change_it_and_who_has_not_changes_nothing(
    scene: Scene, method: str, path: str, seen_at: str, change: dict[str, Any]
) -> None:
    """Two people open the same form; the second one hears of the first."""
    client, headers = scene.client(), scene.key()
    seen = client.get(seen_at, headers=headers).headers["etag"]
    first = client.request(method, path, json=change, headers={**headers, "If-Match": seen})
    assert first.status_code == 200, first.text
    shown = client.get(seen_at, headers=headers)
    assert {name: shown.json()[name] for name in change} == change
    late = client.request(method, path, json={**change, "name": "Late"}, headers={**headers, "If-Match": seen})
    assert (late.status_code, late.json()["code"]) == (412, "request.changed_meanwhile")
    assert client.get(seen_at, headers=headers).headers["etag"] == shown.headers["etag"]
    for good in ("*", shown.headers["etag"]):
        assert client.request(method, path, json=change, headers={**headers, "If-Match": good}).status_code == 200
    for bad in ('"none"', "nonsense", '"99999999999999999999-ab"'):
        assert client.request(method, path, json=change, headers={**headers, "If-Match": bad}).status_code == 412


def test_what_is_changed_is_recorded_without_what_is_personal(scene: Scene) -> None:
    """Who, what, when, before, after; of a customer the names of the fields alone."""
    client, headers = scene.client(), scene.key()
    for method, path, _, change in CHANGES:
        client.request(method, path, json=change, headers=headers)
    rows = {row["action"]: row for row in client.get("/actions", headers=headers).json()["items"]}
    assert rows["location.change"]["before"] == {"name": "Greenmarket"}
    assert rows["customer.change"]["after"] == {"fields": ["name", "language"]}
    assert rows["operator.change"]["after"] == {"hold_minor": 6000}


def test_the_same_change_again_changes_nothing(scene: Scene) -> None:
    """A program that repeats itself leaves no trail of nothing."""
    client, headers = scene.client(), scene.key()
    for _ in range(3):
        for method, path, _, change in CHANGES:
            assert client.request(method, path, json=change, headers=headers).status_code == 200
    actions = [row["action"] for row in client.get("/actions", headers=headers).json()["items"]]
    assert [actions.count(name) for name in ("location.change", "customer.change", "operator.change")] == [1, 1, 1]


def test_a_blocked_card_starts_nothing_until_it_is_let_again(scene: Scene) -> None:
    """Somebody rings and has lost a card."""
    client, headers = scene.client(), scene.key()
    [card] = client.get("/tokens?uid=card3", headers=headers).json()["items"]
    assert client.get(f"/tokens/{card['id']}", headers=headers).json()["state"] == "active"
    blocked = client.post(f"/tokens/{card['id']}/block", headers=headers)
    assert (blocked.status_code, blocked.json()["state"]) == (200, "blocked")
    assert client.get("/tokens?state=blocked", headers=headers).json()["items"][0]["uid"] == "CARD3"
    assert client.post(f"/tokens/{card['id']}/unblock", headers=headers).json()["state"] == "active"


def test_an_account_at_a_provider_tells_where_its_secrets_are_and_never_what(scene: Scene) -> None:
    """The reference is what an operator needs to find them again."""
    client, headers = scene.client(), scene.key()
    body = {"name": "second", "currencies": ["GBP", "EUR"], "secret_reference": "env:SECOND"}
    made = client.post("/provider-accounts", json=body, headers=headers)
    assert made.status_code == 201, made.text
    shown = client.get(f"/provider-accounts/{made.json()['id']}", headers=headers).json()
    assert (shown["secret_reference"], shown["is_default"]) == ("env:SECOND", False)
    assert shown["webhook_url"].endswith(f"/webhooks/stripe/{shown['id']}")
    bad = client.post(
        "/provider-accounts", json={**body, "name": "x", "secret_reference": "sk_live_1"}, headers=headers
    )
    assert (bad.status_code, bad.json()["code"]) == (400, "payment.secret_not_a_reference")


def test_figures_and_frames_are_resources(scene: Scene) -> None:
    """From the day's revenue down to the bytes of a frame."""
    client, headers = scene.client(), scene.key()
    scene.wire().charge(5_000_000)
    scene.collect()
    accounts = {row["code"] for row in client.get("/ledger/accounts", headers=headers).json()["items"]}
    assert {"revenue", "tax"} <= {code.partition("/")[0] for code in accounts}
    assert client.get("/revenue?since=2020-01-01", headers=headers).status_code == 200
    [frame, *_] = client.get("/stations/CP1/frames", headers=headers).json()["items"]
    assert "StopTransaction" in client.get(f"/frames/{frame['id']}", headers=headers).json()["text"]
    assert client.get("/evses/GB*TWA*ECP1*1", headers=headers).json()["station"] == "CP1"
    assert client.get("/customers/C1/payment-methods", headers=headers).json()["items"][0]["brand"] == "visa"
    job = client.get("/jobs?state=ready", headers=headers).json()["items"][0]
    assert client.get(f"/jobs/{job['id']}", headers=headers).json()["kind"] == job["kind"]


def test_a_station_and_an_endpoint_are_changed_by_who_has_seen_the_newest(scene: Scene) -> None:
    """Also an endpoint that is written with every delivery: only its settings count."""
    client, headers = scene.client(), scene.key()
    made = scene.do(add_webhook_endpoint, AddWebhookEndpoint("https://a.example/")).endpoint
    for path, change in (
        ("/stations/CP1", {"location": "greenmarket"}),
        (f"/webhook-endpoints/{made.endpoint_id}", {"description": "bookkeeping"}),
    ):
        seen = client.get(path, headers=headers).headers["etag"]
        scene.do(
            lambda work, key: work.webhook_endpoints.put(replace(work.webhook_endpoints.get(key))), made.endpoint_id
        )
        assert client.patch(path, json=change, headers={**headers, "If-Match": seen}).status_code == 200
        late = client.patch(path, json=change, headers={**headers, "If-Match": seen})
        assert (late.status_code, late.json()["code"]) == (412, "request.changed_meanwhile")
        newest = client.get(path, headers=headers)
        assert {name: newest.json()[name] for name in change} == change
        again = client.patch(path, json=change, headers={**headers, "If-Match": newest.headers["etag"]})
        assert again.status_code == 200


def test_the_price_before_a_start_is_for_everybody(scene: Scene) -> None:
    """What the page at the post shows, for apps and for other people's maps; with no credential."""
    client = scene.client()
    told = client.get("/evses/GB*TWA*ECP1*1/price")
    assert told.status_code == 200
    assert told.json()["currency"] == "GBP"
    assert {one["dimension"] for one in told.json()["lines"]} == {"ENERGY", "FLAT"}
    assert sum(one["applies_now"] for one in told.json()["lines"]) == 2
    assert "ratelimit" in told.headers
    nobody = client.get("/evses/GB*TWA*E404*1/price")
    assert (nobody.status_code, nobody.json()["code"]) == (404, "evses.not_found")
    [row] = scene.do(lambda work, _: work.tariff_assignments.by(), None)
    answer = client.post(f"/tariffs/assignments/{row.assignment_id}/end", json={}, headers=scene.key("sell"))
    assert answer.status_code == 200
    gone = client.get("/evses/GB*TWA*ECP1*1/price")
    assert (gone.status_code, gone.json()["code"]) == (409, "offers.no_tariff")


def test_actions_are_narrowed_by_who_and_by_what(scene: Scene) -> None:
    """In the API and on the console: everything that one key did, and every change of one kind."""
    made = scene.do(create_api_key, CreateApiKey("mover", ("read", "sell")))
    key = {"Authorization": f"Bearer {made.text}"}
    client = scene.client()
    for location in ("greenmarket", "queen-street"):
        assert client.patch("/stations/CP1", json={"location": location}, headers=key).status_code == 200
    client.post("/locations", json={"reference": "north", "name": "North"}, headers=key)
    by = client.get(f"/actions?who={made.key.api_key_id}", headers=key).json()["items"]
    assert [one["action"] for one in by] == ["location.add", "station.change", "station.change"]
    both = client.get(f"/actions?who={made.key.api_key_id}&action=station.change", headers=key).json()["items"]
    assert len(both) == 2
    browser = scene.signed_in()
    page = browser.get(f"/console/audit-trail?who={made.key.api_key_id}&action=station.change").text
    assert "By one alone: mover" in page.replace("&nbsp;", " ")
    assert page.count('<th scope="row">') == 2
    assert browser.get("/console/audit-trail?who=nobody").status_code == 200
