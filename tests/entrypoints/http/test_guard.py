"""What holds for every request and answer: nothing from another site changes anything, and all headers are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.entrypoints.http.app import build_app
from tallywatt.entrypoints.http.doors import COOKIE
from tests.entrypoints.http.test_doors import token_of
from tests.entrypoints.scene import Scene

if TYPE_CHECKING:
    from starlette.testclient import TestClient

RECOMMENDED = {
    "content-security-policy",
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
    "referrer-policy",
    "x-content-type-options",
    "x-dns-prefetch-control",
    "x-frame-options",
    "x-permitted-cross-domain-policies",
    "cache-control",
}
"""What the OWASP Secure Headers Project lists, but for strict-transport-security, which only makes sense over https."""
TELLING = {"server", "x-powered-by"}


@pytest.mark.parametrize("path", ["/console", "/health", "/nothing", "/static/app.css", "/sessions", "/s/x", "/a\0b"])
def test_every_answer_carries_what_is_recommended_and_does_not_tell_what_runs_here(scene: Scene, path: str) -> None:
    """Good answers and refused ones."""
    headers = scene.client().get(path.replace("\0", "%00")).headers
    assert set(headers) >= RECOMMENDED
    assert not TELLING & set(headers)
    assert headers["referrer-policy"] == "no-referrer"
    for source in ("unsafe-inline", "unsafe-eval", "data:", "*"):
        assert source not in headers["content-security-policy"]
    assert headers["content-security-policy"].startswith("default-src 'none'")


def test_only_pages_on_which_somebody_pays_let_a_form_end_at_a_provider(scene: Scene) -> None:
    """Browsers ask the page with the form about each redirect: the way of a rest leads to the provider's own page."""
    client = over_https(scene).client()
    rules = {
        path: client.get(path).headers["content-security-policy"].partition("form-action ")[2].partition(";")[0]
        for path in ("/s/x", "/evse/x", "/sessions", "/sign-in", "/console", "/search")
    }
    assert {path for path, rule in rules.items() if rule == "'self' https:"} == {"/s/x", "/evse/x"}
    assert {rules[path] for path in ("/sessions", "/sign-in", "/console", "/search")} == {"'self'"}


def over_https(scene: Scene) -> Scene:
    """The same house, reached over https."""
    scene.house.settings = scene.house.settings.model_copy(update={"public_url": "https://testserver"})
    again = Scene.beside(scene, scene.slug)
    again.app, again.operator = build_app(scene.house), scene.operator
    return again


def test_over_https_browsers_are_told_to_stay_there_and_the_cookie_is_bound_to_the_host(scene: Scene) -> None:
    """No neighbour below the same domain can set or read the session's cookie."""
    assert "strict-transport-security" not in scene.client().get("/health").headers
    client = over_https(scene).client()
    client.base_url = "https://testserver"
    answer = client.post(scene.link())
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert "upgrade-insecure-requests" in answer.headers["content-security-policy"]
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"__Host-{COOKIE}=")
    assert {"httponly", "secure", "path=/", "samesite=lax"} <= {part.strip().lower() for part in cookie.split(";")}
    assert "domain" not in cookie.lower()
    assert client.get("/console").status_code == 200
    token = token_of(client)
    left = client.post("/console/leave", data={"csrf": token}).headers.get_list("set-cookie")
    assert any(one.startswith(f"__Host-{COOKIE}=") and "Max-Age=0" in one for one in left)


def retry(client: TestClient, token: str, headers: dict[str, str]) -> str:
    """What becomes of a form of the console with a good token: its code, or `done`."""
    answer = client.post("/console/jobs/x/retry", data={"csrf": token}, headers=headers)
    return str(answer.json()["code"])


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, "jobs.not_found"),
        ({"Sec-Fetch-Site": "none"}, "jobs.not_found"),
        ({"Sec-Fetch-Site": "cross-site"}, "access.cross_site"),
        ({"Sec-Fetch-Site": "same-site"}, "access.cross_site"),
        ({"Origin": "https://elsewhere.example"}, "access.cross_site"),
        ({"Origin": "http://testserver"}, "jobs.not_found"),
        ({"Origin": "null"}, "jobs.not_found"),  # what our own referrer policy makes old browsers say
        ({"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "same-origin"}, "jobs.not_found"),
        ({}, "jobs.not_found"),
    ],
)  # fmt: skip
def test_a_form_that_a_page_of_another_site_sends_changes_nothing(
    scene: Scene, headers: dict[str, str], code: str
) -> None:
    """Even with a good token: browsers say where a request comes from."""
    client = scene.signed_in()
    assert retry(client, token_of(client), headers) == code


def test_nobody_is_signed_in_by_another_site(scene: Scene) -> None:
    """Who is signed in unawares works in the attacker's name."""
    link = scene.link()
    refused = scene.client().post(link, headers={"Sec-Fetch-Site": "cross-site"})
    assert (refused.status_code, refused.json()["code"]) == (403, "access.cross_site")
    assert scene.client().post(link).status_code == 303


def test_a_link_from_another_site_may_be_followed(scene: Scene) -> None:
    """A driver comes from the provider's page, a member of staff from a mail."""
    assert scene.signed_in().get("/console", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_a_program_with_a_key_is_asked_for_no_origin(scene: Scene) -> None:
    """A key in a header is sent by nobody unawares."""
    headers = {**scene.key(), "Origin": "https://dashboard.example"}
    answer = scene.client().post("/jobs/x/retry", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "jobs.not_found")
