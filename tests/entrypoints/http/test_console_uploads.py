"""Uploads and audits on the console: a form without a script sends a file, and the page says what became of each row."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tallywatt.customers.roles import Role
from tallywatt.entrypoints.worker import LANES, Workers

if TYPE_CHECKING:
    from httpx2 import Response
    from starlette.testclient import TestClient

    from tests.entrypoints.scene import Scene


def token_of(client: TestClient) -> str:
    """What the forms of this session carry."""
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/console").text)
    assert found is not None
    return found[1]


def sent(client: TestClient, content: bytes, csrf: str, **fields: str) -> Response:
    """The form with a file, as a browser sends it."""
    files = {"file": ("members.csv", content, "text/csv")}
    return client.post("/console/imports", data={"csrf": csrf, "kind": "customers", **fields}, files=files)


def test_a_file_is_sent_by_a_form_followed_and_its_refusals_are_shown(scene: Scene) -> None:
    """What the API takes, without any program."""
    client = scene.signed_in(Role.OPERATIONS)
    answer = sent(client, b"reference,name\nM1,Ada\nC1,Somebody else\n", token_of(client))
    assert answer.status_code == 303, answer.text
    place = answer.headers["location"].partition("?")[0]
    assert "Being read" in client.get(place).text

    workers = Workers(scene.house, ())
    while workers.step(LANES["imports"]):
        pass
    page = client.get(place).text

    assert "members.csv" in page
    assert "customers.reference_taken" in page
    assert "customers.reference_taken" not in client.get(f"{place}?outcome=taken").text
    assert "members.csv" in client.get("/console/imports").text
    assert client.get("/console/customers/M1").status_code == 200


def test_a_form_without_its_token_or_without_a_file_sends_nothing(scene: Scene) -> None:
    """Another site can make a browser send a form, and cannot know the token."""
    client = scene.signed_in(Role.OPERATIONS)
    csrf = token_of(client)

    assert sent(client, b"reference\nM1\n", "made up").status_code == 403
    nothing = client.post("/console/imports", data={"csrf": csrf, "kind": "customers"}, files={"file": ("", b"")})
    assert (nothing.status_code, "no file was chosen" in nothing.text.lower()) == (400, True)
    assert sent(client, b"reference\nM1\n", csrf, kind="cats").status_code == 400
    assert scene.do(lambda work, _: work.imports.by(), None) == []


def test_an_upload_is_stopped_from_its_page_by_who_may_upload(scene: Scene) -> None:
    """Somebody who only looks on sees no button, and cannot press it."""
    client = scene.signed_in(Role.OPERATIONS)
    place = sent(client, b"reference\nM1\n", token_of(client)).headers["location"].partition("?")[0]
    looker = scene.signed_in(Role.READ_ONLY)

    assert f"{place}/cancel" in client.get(place).text
    assert f"{place}/cancel" not in looker.get(place).text
    assert looker.post(f"{place}/cancel", data={"csrf": token_of(looker)}).status_code == 403
    assert client.post(f"{place}/cancel", data={"csrf": token_of(client)}).status_code == 303
    assert "Stopped" in client.get(place).text


def test_an_audit_is_asked_for_by_a_button_and_its_findings_are_listed(scene: Scene) -> None:
    """By finance; somebody who only looks on sees the result."""
    client = scene.signed_in(Role.FINANCE)
    place = client.post("/console/audits", data={"csrf": token_of(client)}).headers["location"].partition("?")[0]
    assert "In line" in client.get(place).text
    looker = scene.signed_in(Role.READ_ONLY)

    assert "Run now" not in looker.get("/console/audits").text
    assert looker.get(place).status_code == 200
    assert looker.post("/console/audits", data={"csrf": token_of(looker)}).status_code == 403
