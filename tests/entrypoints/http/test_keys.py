"""Keys at the door: rotation with grace, last use without a write a request, and nobody gives more than they have."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.kernel.clock import Instant
from tests.entrypoints.http.test_doors import token_of

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene


def made_by(scene: Scene, *scopes: str) -> dict[str, Any]:
    """A key made through the API."""
    answer = scene.client().post("/api-keys", json={"name": "one", "scopes": list(scopes)}, headers=scene.key())
    assert answer.status_code == 201
    row: dict[str, Any] = answer.json()
    return row


def status(scene: Scene, text: str) -> int:
    """What a key is answered."""
    return scene.client().get("/sessions", headers={"Authorization": f"Bearer {text}"}).status_code


def test_after_a_rotation_both_secrets_open_until_the_grace_is_over(scene: Scene) -> None:
    """Whoever uses the key has time to bring the new secret to where it is used."""
    old = made_by(scene, "read")
    answer = scene.client().post(f"/api-keys/{old['id']}/rotate", json={"grace_seconds": 3600}, headers=scene.key())
    new = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert (new["prefix"], new["id"]) == (old["prefix"], old["id"])
    assert [status(scene, old["key"]), status(scene, new["key"])] == [200, 200]
    row = scene.do(lambda work, key: work.api_keys.get(key), new["id"])
    over = replace(row, old_valid_until=Instant(scene.house.machine.now() - 1))
    scene.do(lambda work, changed: work.api_keys.put(changed), over)
    assert [status(scene, old["key"]), status(scene, new["key"])] == [401, 200]


def test_a_rotation_without_grace_ends_the_old_secret_at_once(scene: Scene) -> None:
    """It was published by mistake."""
    old = made_by(scene, "read")
    new = scene.client().post(f"/api-keys/{old['id']}/rotate", json={"grace_seconds": 0}, headers=scene.key()).json()
    assert [status(scene, old["key"]), status(scene, new["key"])] == [401, 200]


def test_a_key_is_told_when_it_was_last_used(scene: Scene) -> None:
    """Keys that nobody uses are found and ended; noting it is no action of anybody's."""
    key = made_by(scene, "read")
    assert key["last_used_at"] is None
    for _ in range(3):
        assert status(scene, key["key"]) == 200
    row = scene.do(lambda work, one: work.api_keys.get(one), key["id"])
    assert abs(row.last_used_at - scene.house.machine.now()) < 60_000
    actions = scene.house.ask_now(scene.house.views.actions, scene.operator)
    assert not [one for one in actions if one["action"] == "api_key.use"]


def test_many_requests_are_one_write(scene: Scene) -> None:
    """The hot path waits for no disk: at most once a minute a key."""
    key = made_by(scene, "read")
    commits: list[bool] = []
    scene.house.store.writer.after_commit.append(commits.append)
    for _ in range(20):
        assert status(scene, key["key"]) == 200
    scene.do(lambda work, _: work.api_keys.by(), None)
    # The key's own creation may be told of after its answer: beside it, there is one that wrote.
    assert sum(commits) <= 2


@pytest.mark.parametrize("asked", [["collect"], ["admin", "operate"]])
def test_nobody_makes_a_key_that_may_more_than_themselves(scene: Scene, asked: list[str]) -> None:
    """Otherwise a key for people and keys would be a key for everything."""
    headers = scene.key("admin", "read")
    answer = scene.client().post("/api-keys", json={"name": "more", "scopes": asked}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "access.not_allowed")


def test_nobody_is_told_the_new_secret_of_a_key_that_may_more_than_themselves(scene: Scene) -> None:
    """A rotation hands out what the key can do."""
    strong = made_by(scene, "collect")
    answer = scene.client().post(f"/api-keys/{strong['id']}/rotate", json={}, headers=scene.key("admin", "read"))
    assert answer.status_code == 403


def test_a_scope_of_people_is_no_scope_of_a_key(scene: Scene) -> None:
    """Told as what it is: a wrong request."""
    answer = scene.client().post("/api-keys", json={"name": "x", "scopes": ["own"]}, headers=scene.key())
    assert (answer.status_code, answer.json()["code"]) == (400, "access.unknown_scope")


def test_a_person_makes_rotates_and_ends_a_key_on_the_console(scene: Scene) -> None:
    """It is shown on one page, once."""
    browser = scene.signed_in()
    csrf = token_of(browser)
    page = "/console/settings/keys"
    made = browser.post(page, data={"csrf": csrf, "name": "Wall screen", "scope": ["read", "inbox"], "days": "90"})
    first = key_on(made.text)
    assert status(scene, first) == 200
    listed = browser.get(page).text
    assert "Wall screen" in listed
    assert first not in listed
    [row] = scene.house.ask_now(scene.house.views.api_keys, scene.operator)
    assert (row["scopes"], row["expires_at"] is None) == (["inbox", "read"], False)
    again = key_on(browser.post(f"{page}/{row['id']}/rotate", data={"csrf": csrf, "grace_hours": "0"}).text)
    assert [status(scene, first), status(scene, again)] == [401, 200]
    assert browser.post(f"{page}/{row['id']}/revoke", data={"csrf": csrf}).status_code == 303
    assert status(scene, again) == 401
    assert "Ended" in browser.get(page).text


def key_on(text: str) -> str:
    """The key that a page shows."""
    found = re.search(r"twk_[0-9a-z]+_[0-9a-z]{40,}", text)
    assert found is not None
    return found[0]
