"""What all resources of the API have in common: pages, fields, ETags, parameters that are known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.entrypoints.scene import Scene

SESSION: dict[str, Any] = {
    "started_at": "2026-11-20T10:00:00Z", "ended_at": "2026-11-20T11:00:00Z", "energy_wh": "1000",
    "evse": "GB*TWA*ECP3*1", "customer": "C1",
}  # fmt: skip


def bring(scene: Scene, client: TestClient, number: int, hour: int = 10) -> None:
    """A session from elsewhere."""
    times = {"started_at": f"2026-11-20T{hour:02}:00:00Z", "ended_at": f"2026-11-20T{hour:02}:30:00Z"}
    body = {**SESSION, **times, "upstream_id": f"p{number}"}
    assert client.post("/sessions", json=body, headers=scene.key()).status_code == 201


def walk(client: TestClient, path: str, headers: dict[str, str]) -> list[dict[str, Any]]:
    """All items of a list, by its Link headers."""
    items, following = [], path
    while following:
        answer = client.get(following, headers=headers)
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        link = re.fullmatch(r'<([^>]+)>; rel="next"', answer.headers.get("link", ""))
        assert (link is None) == (answer.json()["next"] is None)
        following = link[1] if link else ""
    return items


def test_a_list_is_walked_by_its_links_and_loses_nothing_to_what_is_added(scene: Scene) -> None:
    """Between two pages others write; what was there is told once."""
    client, headers = scene.client(), scene.key()
    for number in range(5):
        bring(scene, client, number)
    first = client.get("/sessions?limit=2&source=api", headers=headers)
    bring(scene, client, 9)
    following = re.fullmatch(r'<([^>]+)>; rel="next"', first.headers["link"])
    assert following is not None
    assert "source=api" in following[1]
    rest = walk(client, following[1], headers)
    assert [row["upstream_id"] for row in first.json()["items"] + rest] == ["p4", "p3", "p2", "p1", "p0"]


def test_a_span_of_time_is_in_the_order_of_that_time(scene: Scene) -> None:
    """A report for a day asks for the starts of that day, whenever they were told."""
    client, headers = scene.client(), scene.key()
    for number, hour in enumerate((9, 7, 11, 8, 10)):
        bring(scene, client, number, hour)
    rows = walk(client, "/sessions?since=2026-11-20T08:00:00Z&until=2026-11-20T11:00:00Z&limit=1", headers)
    assert [row["upstream_id"] for row in rows] == ["p4", "p0", "p3"]
    assert walk(client, "/sessions?since=2026-11-21T00:00:00Z", headers) == []


@pytest.mark.parametrize(
    "path",
    ["/sessions", "/payments", "/invoices", "/locations", "/stations", "/evses", "/commands", "/tariffs",
     "/tariffs/assignments", "/customers", "/tokens", "/api-keys", "/actions", "/inbox", "/jobs?state=ready", "/explanations"],
)  # fmt: skip
def test_every_list_tells_each_item_once_page_by_page(scene: Scene, path: str) -> None:
    """One after the other is the same as all at once."""
    client, headers = scene.client(), scene.key()
    scene.key("read")
    for number in range(3):
        bring(scene, client, number)
    client.post(
        "/sessions", json={**SESSION, "upstream_id": "held", "customer": None, "token": "NOBODY"}, headers=headers
    )
    for _ in range(2):
        client.post("/stations/CP1/commands", json={"action": "reset"}, headers=headers)
    joint = "&" if "?" in path else "?"
    whole = client.get(f"{path}{joint}limit=200", headers=headers).json()["items"]
    assert whole
    assert walk(client, f"{path}{joint}limit=1", headers) == whole


@pytest.mark.parametrize("cursor", ["x", "%3D%3D", "bm9uZQ", "AA", "W10"])
def test_a_made_up_cursor_is_refused(scene: Scene, cursor: str) -> None:
    """With what to do instead."""
    answer = scene.client().get(f"/sessions?cursor={cursor}", headers=scene.key())
    assert (answer.status_code, answer.json()["code"]) == (400, "request.bad_cursor")


def test_only_the_fields_that_are_asked_for_are_told(scene: Scene) -> None:
    """Of each item of a list, and of one thing."""
    client, headers = scene.client(), scene.key()
    bring(scene, client, 1)
    page = client.get("/sessions?fields=id,energy_wh", headers=headers).json()
    assert [sorted(row) for row in page["items"]] == [["energy_wh", "id"]]
    assert page["next"] is None
    one = client.get(f"/sessions/{page['items'][0]['id']}?fields=state", headers=headers).json()
    assert one == {"state": "billed"}


@pytest.mark.parametrize("fields", ["nothing", "id,nothing", ",", "driver_secret"])
def test_a_field_that_is_none_is_refused(scene: Scene, fields: str) -> None:
    """A misspelt name would be an empty column in somebody's report."""
    client, headers = scene.client(), scene.key()
    bring(scene, client, 1)
    answer = client.get(f"/sessions?fields={fields}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "request.unknown_field")


def test_a_parameter_that_nobody_reads_is_refused(scene: Scene) -> None:
    """A misspelt filter would be no filter."""
    answer = scene.client().get("/sessions?stat=billed", headers=scene.key())
    assert (answer.status_code, answer.json()["code"]) == (400, "request.unknown_parameter")
    assert "state" in answer.json()["remedy"]


def test_what_has_not_changed_is_not_sent_again(scene: Scene) -> None:
    """A program that asks every minute costs next to nothing."""
    client, headers = scene.client(), scene.key("read")
    for path in ("/sessions", "/stations/CP1", "/operators/me", "/stations?fields=identity"):
        first = client.get(path, headers=headers)
        etag = first.headers["etag"]
        assert first.headers["cache-control"] == "private, no-cache"
        again = client.get(path, headers={**headers, "If-None-Match": f'"other", {etag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        assert client.get(path, headers={**headers, "If-None-Match": '"other"'}).status_code == 200
    sessions = client.get("/sessions", headers=headers).headers["etag"]
    bring(scene, client, 1)
    assert client.get("/sessions", headers={**headers, "If-None-Match": sessions}).status_code == 200


def test_another_narrowing_is_another_etag(scene: Scene) -> None:
    """A part is not the whole."""
    client, headers = scene.client(), scene.key("read")
    whole, part = (client.get(path, headers=headers).headers["etag"] for path in ("/stations", "/stations?fields=id"))
    assert whole != part
