"""Who may come in: every route asks for a credential, but for those that are named as open."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.customers.access import ALL_SCOPES, Caller
from tallywatt.entrypoints.http.doors import COOKIE, OPEN, csrf_token, signed
from tallywatt.kernel.clock import Instant
from tallywatt.workflows.create_api_key import RevokeApiKey, revoke_api_key
from tallywatt.workflows.sign_in import AddConsoleLink, add_console_link
from tests.entrypoints.scene import Scene

if TYPE_CHECKING:
    from pathlib import Path

    from fastapi import FastAPI
    from starlette.testclient import TestClient


SIGNED = ("/console/enter", "/webhooks", "/sign-in/", "/invitation/")
"""Open routes where something else is shown than a credential: a signature, a link, a code."""


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """Every method and path that the app answers, whatever it is made of."""
    return [
        (method, f"{route.path}/{{path:path}}" if route.path == "/static" else route.path)
        for route in leaves(app.routes)
        for method in sorted(getattr(route, "methods", None) or {"GET"})
        if method != "HEAD"
    ]


def leaves(given: list[Any]) -> list[Any]:
    """Routes, with those of included routers in their place."""
    inner = [(route, getattr(route, "original_router", None)) for route in given]
    return [leaf for route, router in inner for leaf in (leaves(router.routes) if router is not None else [route])]


def filled(path: str) -> str:
    """A path with something in each place."""
    return re.sub(r"{[^}]+}", "x", path)


def test_without_a_credential_nothing_opens_but_what_is_named_as_open(scene: Scene) -> None:
    """A new route is closed unless somebody writes it into the list, where it is seen."""
    client = scene.client()
    table = routes(scene.app)
    assert len(table) > 60
    for method, path in table:
        answer = client.request(method, filled(path))
        if f"{method} {path}" in OPEN:
            assert answer.status_code != 401 or path.startswith(SIGNED), (method, path)
        else:
            assert answer.status_code == 401, (method, path, answer.status_code)


def test_every_open_route_is_there(scene: Scene) -> None:
    """The list names no route that is gone: it would hide one that comes back under that name."""
    assert set(OPEN) <= {f"{method} {path}" for method, path in routes(scene.app)}


def test_a_key_opens_what_its_scopes_say_and_nothing_else(scene: Scene) -> None:
    """A key for figures adopts no stations and makes no keys."""
    reader = scene.key("read")
    client = scene.client()
    assert client.get("/sessions", headers=reader).status_code == 200
    for method, path in (
        ("POST", "/locations"), ("POST", "/stations/CP1/adopt"), ("POST", "/payments/x/retry"), ("GET", "/api-keys"),
        ("POST", "/inbox/x/resolve"),
    ):  # fmt: skip
        answer = client.request(method, path, headers=reader, json={})
        assert answer.status_code == 403, (method, path)
        assert answer.json()["code"] == "access.not_allowed"


@pytest.mark.parametrize("shown", ["", "twk_", "twk_aaaaaaaaaaaa_b", "Basic abc", "twk_a_b_c"])
def test_a_made_up_key_opens_nothing(scene: Scene, shown: str) -> None:
    """Whatever is sent instead of a key, the answer is the same."""
    answer = scene.client().get("/sessions", headers={"Authorization": f"Bearer {shown}"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_revoked_key_opens_nothing_from_that_moment_on(scene: Scene) -> None:
    """No cache keeps a door open that somebody has closed."""
    headers = scene.key("read")
    client = scene.client()
    assert client.get("/sessions", headers=headers).status_code == 200
    [key] = scene.house.ask_now(scene.house.views.api_keys, scene.operator)
    scene.do(revoke_api_key, RevokeApiKey(key["id"]))
    answer = client.get("/sessions", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "access.bad_key")


def test_a_key_ends_when_it_expires(scene: Scene) -> None:
    """Expiry is judged on machine time."""
    headers = scene.key("read")
    [key] = scene.do(lambda work, _: work.api_keys.by(), None)
    scene.do(lambda work, row: work.api_keys.put(row), replace(key, expires_at=Instant(scene.house.machine.now() - 1)))
    answer = scene.client().get("/sessions", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "access.key_expired")


def test_no_secret_is_kept_in_the_clear(scene: Scene) -> None:
    """Who reads the database can open nothing with it."""
    headers = scene.key("read")
    text = headers["Authorization"].removeprefix("Bearer ")
    [key] = scene.do(lambda work, _: work.api_keys.by(), None)
    assert text.rpartition("_")[2] not in repr(key)
    assert "secret" not in scene.client().get("/api-keys", headers=scene.key()).text


def test_a_link_opens_the_console_once(scene: Scene) -> None:
    """A link that was forwarded, or lies in a log, is worth nothing after its first use."""
    link = scene.link()
    first, second = scene.client(), scene.client()
    assert first.get(link).status_code == 200
    answer = first.post(link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert first.get("/console").status_code == 200
    assert second.post(link).status_code == 401
    assert second.get(link).status_code == 401
    assert second.get("/console").status_code == 401


def test_looking_at_a_link_does_not_use_it_up(scene: Scene) -> None:
    """Mail programs and chats open links to preview them."""
    link = scene.link()
    for _ in range(3):
        assert scene.client().get(link).status_code == 200
    assert scene.client().post(link).status_code == 303


def test_a_link_that_is_too_old_opens_nothing(scene: Scene) -> None:
    """A day later it must be made anew."""
    made = scene.do(add_console_link, AddConsoleLink(life_seconds=0))
    assert scene.client().post(f"/console/enter/{made.secret}").status_code == 401


def test_a_cookie_without_our_signature_opens_nothing(scene: Scene) -> None:
    """Nor does a signed one that names no session."""
    for cookie in ("x", "x.y", signed(b"another house", "x"), signed(scene.house.secret, "x")):
        client = scene.client()
        client.cookies.set(COOKIE, cookie)
        assert client.get("/console").status_code == 401


def test_a_form_without_the_session_s_token_changes_nothing(scene: Scene) -> None:
    """Another site can make a browser send the cookie; it cannot know the token."""
    scene.knock("NEW1")
    client = scene.signed_in()
    for token in ("", "x", csrf_token(scene.house.secret, Caller("", "person", "another", ALL_SCOPES))):
        answer = client.post("/console/stations/NEW1/adopt", data={"csrf": token, "evses": "1"})
        assert answer.status_code == 403
        assert "access.csrf" in answer.text
    answer = client.post("/stations/NEW1/adopt", json={})
    assert (answer.status_code, answer.json()["code"]) == (403, "access.csrf")
    assert scene.station("NEW1")["state"] == "quarantined"


def test_who_signs_out_is_out_with_every_copy_of_the_cookie(scene: Scene) -> None:
    """The session ends in the database, not in the browser alone."""
    client = scene.signed_in()
    copy = scene.client()
    copy.cookies.set(COOKIE, client.cookies[COOKIE])
    assert copy.get("/console").status_code == 200
    assert client.post("/console/leave", data={"csrf": token_of(client)}).status_code == 200
    assert copy.get("/console").status_code == 401


def test_what_a_person_does_is_recorded(scene: Scene) -> None:
    """Who, what, when, before, after: in the transaction of the action."""
    scene.knock("NEW1")
    client = scene.signed_in()
    client.post(
        "/console/stations/NEW1/adopt", data={"csrf": token_of(client), "evses": "2", "location": "queen-street"}
    )
    rows = scene.house.ask_now(scene.house.views.actions, scene.operator)
    adopted = next(row for row in rows if row["action"] == "station.adopt")
    assert adopted["caller_kind"] == "person"
    assert (adopted["before"], adopted["after"]) == ({"state": "quarantined"}, {"state": "adopted"})


def test_another_operator_s_things_are_not_found(scene: Scene) -> None:
    """Not even that they exist is told."""
    scene.wire().charge(5_000_000)
    scene.collect()
    mine = scene.session()
    other = Scene.beside(scene, "perth").furnish()
    client, headers = other.client(), other.key()
    for path in (
        f"/sessions/{mine['id']}", f"/payments/{mine['payments'][0]['id']}", f"/invoices/{mine['invoice_id']}",
        f"/invoices/{mine['invoice_id']}.pdf", f"/tariffs/x/{mine['id']}",
    ):  # fmt: skip
        assert client.get(path, headers=headers).status_code == 404, path
    assert client.post(f"/sessions/{mine['id']}/stop", headers=headers).status_code == 404
    assert client.post(f"/payments/{mine['payments'][0]['id']}/retry", headers=headers).status_code == 404
    browser = other.signed_in()
    for path in (
        f"/console/sessions/{mine['id']}", f"/console/payments/{mine['payments'][0]['id']}",
        f"/console/frames/{mine['frames'][0]['id']}",
    ):  # fmt: skip
        assert browser.get(path).status_code == 404, path
    assert client.get("/sessions", headers=headers).json()["items"] == []


def test_a_guessed_driver_s_link_opens_nothing(scene: Scene) -> None:
    """A session's id is not its secret."""
    scene.wire().charge(5_000_000)
    mine = scene.session()
    client = scene.client()
    assert client.get(f"/s/{mine['driver_secret']}").status_code == 200
    for wrong in (mine["id"], mine["driver_secret"].lower(), mine["driver_secret"][:-1], "null", "None"):
        for path in (f"/s/{wrong}", f"/s/{wrong}.json", f"/s/{wrong}.pdf", f"/s/{wrong}/feed", f"/pay/{wrong}"):
            assert client.get(path).status_code == 404, path


def token_of(client: TestClient) -> str:
    """The token that the forms of a session carry."""
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/console").text)
    assert found is not None
    return found[1]


def test_a_page_of_the_console_says_how_to_get_in(scene: Scene) -> None:
    """Whoever opens it without a session reads what to do."""
    client = scene.client()
    answer = client.get("/console", headers={"Accept": "text/html"})
    assert answer.status_code == 401
    [way_in] = set(re.findall(r'"(/sign-in[^"]*)"', answer.text))
    assert "tallywatt console-link" in client.get(way_in).text


def test_two_operators_of_one_house_have_doors_of_their_own(scene: Scene, tmp_path: Path) -> None:
    """A session of one operator's console shows nothing of the other."""
    del tmp_path
    other = Scene.beside(scene, "perth").furnish()
    assert "Perth" in other.signed_in().get("/console").text
    assert "Perth" not in scene.signed_in().get("/console").text
