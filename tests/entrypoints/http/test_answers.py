"""Every answer: errors of one shape, headers that guard a page, an API that documents itself."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tallywatt.entrypoints.http.problems import status_of
from tallywatt.kernel import errors
from tests.entrypoints.scene import TARIFF

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.BadInput("x"), 400), (errors.CurrencyMismatch("x"), 400), (errors.NotSignedIn("x"), 401),
        (errors.NotAllowed("x"), 403), (errors.NotFound("x"), 404), (errors.Stale("x"), 409), (errors.Busy("x"), 503),
        (errors.SecondWriter("x"), 500), (errors.TallywattError("x"), 500),
    ],
)  # fmt: skip
def test_the_place_of_an_error_in_the_tree_decides_its_status(error: errors.TallywattError, status: int) -> None:
    """Endpoints translate nothing."""
    assert status_of(error) == status


def test_an_error_is_told_as_problem_details_with_a_stable_code(scene: Scene) -> None:
    """For programs the code, for people the sentence and what to do."""
    answer = scene.client().post("/tokens", json={"uid": "X", "customer": "nobody"}, headers=scene.key())
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["code"] == "customers.not_found"
    assert body["status"] == 404
    assert "tallywatt customer add" in body["remedy"]


def test_what_cannot_be_read_is_told_field_by_field(scene: Scene) -> None:
    """A misspelt member is refused, not ignored."""
    answer = scene.client().post("/sessions", json={"upstream_id": "1", "enrgy": 3}, headers=scene.key())
    assert (answer.status_code, answer.json()["code"]) == (422, "request.unreadable")
    assert {"at": "body.enrgy", "problem": "Extra inputs are not permitted"} in answer.json()["errors"]


def test_a_body_that_is_too_long_is_not_read_to_its_end(scene: Scene) -> None:
    """Memory is not given to whoever asks for it."""
    headers = {**scene.key(), "Content-Type": "application/json"}
    answer = scene.client().post("/tariffs", content=b"[" + b" " * 3_000_000, headers=headers)
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["/nothing", "/sessions/", "/console/nothing"])
def test_an_address_that_is_none_is_told_in_the_same_shape(scene: Scene, path: str) -> None:
    """Also where no route of ours was reached."""
    answer = scene.client().get(path, headers=scene.key())
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_browser_reads_a_page_instead(scene: Scene) -> None:
    """The same problem, for eyes."""
    answer = scene.client().get("/s/nobody", headers={"Accept": "text/html,*/*"})
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "sessions.not_found" in answer.text


def test_every_answer_carries_the_strict_policy(scene: Scene) -> None:
    """No inline script, nothing from elsewhere, no frame around us, no secret in a referrer."""
    client = scene.signed_in()
    for path in ("/console", "/health", "/nothing", "/static/app.css", "/evse/GB*TWA*ECP1*1"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_pages_are_not_kept_and_static_files_are(scene: Scene) -> None:
    """A static file's address carries the version of its content."""
    client = scene.signed_in()
    page = client.get("/console")
    assert page.headers["cache-control"] == "no-store"
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text):
        answer = client.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]


def test_no_page_names_another_origin_or_carries_script_or_style_of_its_own(scene: Scene) -> None:
    """What the policy forbids is not tried either."""
    scene.wire().charge(5_000_000)
    scene.collect()
    client = scene.signed_in()
    session = scene.session()
    paths = [
        "/console",
        "/console/stations",
        "/docs",
        f"/console/sessions/{session['id']}",
        f"/s/{session['driver_secret']}",
    ]
    for path in paths:
        text = client.get(path).text
        assert not re.search(r"\s(style|on\w+)=", text), path
        assert not re.search(r"<(style|script)>", text), path
        assert not re.search(r'(src|href)="(https?:)?//', text), path


def test_the_api_documents_itself(scene: Scene) -> None:
    """OpenAPI 3.1 and a page of it, from our own origin."""
    client, headers = scene.client(), scene.key("read")
    api = client.get("/openapi.json", headers=headers).json()
    assert api["openapi"].startswith("3.1")
    assert "/sessions" in api["paths"]
    assert not any(path.startswith(("/console", "/s/", "/pay/", "/evse/")) for path in api["paths"])
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            assert operation["description"], (method, path)
    page = client.get("/docs", headers=headers).text
    assert "/sessions" in page
    assert "energy_wh" in page


def test_a_first_page_is_light(scene: Scene) -> None:
    """Page, style, script and font together stay under 100 kB, as they go over the line."""
    client = scene.signed_in()
    page = client.get("/console")
    files = set(re.findall(r'"(/static/[^"]+)"', page.text))
    assert len(files) > 3
    sent = [client.get(address).num_bytes_downloaded for address in files]
    assert page.num_bytes_downloaded + sum(sent) < 100_000


def test_health_tells_nothing_about_anybody(scene: Scene) -> None:
    """It is open."""
    answer = scene.client().get("/health")
    assert answer.status_code == 200
    assert set(json.loads(answer.text)) == {"status", "version", "position"}


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_text_that_no_database_holds_is_refused_at_the_door(scene: Scene, text: str) -> None:
    """SQLite would keep what PostgreSQL refuses: neither is asked."""
    client, headers = scene.client(), {**scene.key(), "Content-Type": "application/json"}
    for path, body in (
        ("/locations", {"reference": text, "name": "x"}),
        ("/customers", {"reference": "x", "name": text}),
        ("/tariffs", {**TARIFF, "name": text}),
    ):
        answer = client.post(path, content=json.dumps(body), headers=headers)
        assert answer.status_code in {400, 422}, (path, answer.text)
    assert client.get("/customers?cursor=a%00b", headers=headers).status_code == 400
    assert client.get("/customers/a%00b", headers=headers).status_code == 400


def test_a_tariff_keeps_every_digit_of_its_prices(scene: Scene) -> None:
    """A number in JSON is read as it is written, not as a float."""
    body = json.dumps({**TARIFF, "id": "exact"}).replace('"0.35"', "0.3500000000000000000001")
    headers = {**scene.key(), "Content-Type": "application/json"}
    answer = scene.client().post("/tariffs", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "tariff.out_of_range")
    body = json.dumps({**TARIFF, "id": "exact"}).replace('"0.35"', "0.3515")
    made = scene.client().post("/tariffs", content=body, headers=headers)
    assert made.status_code == 201
    shown = scene.client().get(f"/tariffs/{made.json()['id']}", headers=headers).json()
    assert shown["tariff"]["elements"][0]["price_components"][0]["price"] == "0.3515"


def test_a_number_beyond_what_a_database_counts_is_refused(scene: Scene) -> None:
    """Before it becomes an error inside."""
    headers = scene.key()
    for path in (f"/events?after={2**64}", "/sessions?limit=201", "/sessions?limit=0", f"/jobs?limit={10**30}"):
        assert scene.client().get(path, headers=headers).status_code == 422, path
