"""Passkeys at the door: what is asked, and that nothing but a good answer to an open challenge gets anywhere.

Good answers come from a real browser, in `tests/entrypoints/pages/test_passkeys.py`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tallywatt.customers.roles import Role
from tallywatt.entrypoints.worker.janitor import Janitor
from tallywatt.kernel.clock import Instant
from tallywatt.workflows.challenge import LIFE_SECONDS

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tallywatt.customers.passkey import Challenge
    from tests.entrypoints.scene import Scene

ANSWER = {
    "id": "AAAA", "rawId": "AAAA", "type": "public-key",
    "response": {"clientDataJSON": "e30", "attestationObject": "oA", "authenticatorData": "AA", "signature": "AA"},
}  # fmt: skip


def member(scene: Scene, role: Role = Role.FINANCE) -> tuple[TestClient, dict[str, str]]:
    """Somebody who is signed in, and the header of their scripts."""
    scene.house.settings.public_url = None
    client = scene.signed_in(role)
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/account").text)
    assert found is not None
    scene.house.settings.public_url = "http://localhost:8080"
    return client, {"x-csrf-token": found[1]}


def test_what_a_browser_is_asked_wants_a_verified_user_and_no_maker_s_word(scene: Scene) -> None:
    """Discoverable, verified, for our own name; and who else is here is not told."""
    client, csrf = member(scene)
    options = client.post("/account/passkeys/ask", headers=csrf).json()["options"]
    assert options["rp"]["id"] == "localhost"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["attestation"] == "none"
    asked = scene.client().post("/sign-in/passkey/ask").json()["options"]
    assert asked["userVerification"] == "required"
    assert not asked.get("allowCredentials")


def test_a_challenge_is_another_one_each_time_and_kept_nowhere(scene: Scene) -> None:
    """What is in the database answers nothing."""
    member(scene)
    client = scene.client()
    first, second = (client.post("/sign-in/passkey/ask").json()["options"]["challenge"] for _ in range(2))
    assert first != second
    rows = scene.house.write_now("", lambda work, _: work.challenges.by(), None, actor="test")
    assert len(rows) == 2
    assert first not in repr(rows)


def test_a_wrong_answer_uses_its_challenge_up(scene: Scene) -> None:
    """There is one try for each."""
    member(scene)
    client = scene.client()
    challenge = client.post("/sign-in/passkey/ask").json()["challenge"]
    body = {"challenge": challenge, "credential": ANSWER}
    codes = [client.post("/sign-in/passkey", json=body).json()["code"] for _ in range(2)]
    assert codes == ["passkeys.unknown", "access.challenge_spent"]


def test_a_challenge_for_one_thing_is_none_for_another(scene: Scene) -> None:
    """Nor for another person, nor after its time."""
    client, csrf = member(scene)
    other, others_csrf = member(scene, Role.SUPPORT)
    theirs = other.post("/account/passkeys/ask", headers=others_csrf).json()["challenge"]
    open_one = scene.client().post("/sign-in/passkey/ask").json()["challenge"]
    late = client.post("/account/passkeys/ask", headers=csrf).json()["challenge"]
    [row] = scene.do(lambda work, key: [work.challenges.get(key)], late)
    scene.do(lambda work, one: work.challenges.put(one), replace(row, expires_at=scene.house.machine.now()))
    for challenge in (theirs, open_one, late, "x", ""):
        answer = client.post("/account/passkeys", json={"challenge": challenge, "credential": ANSWER}, headers=csrf)
        assert (answer.status_code, answer.json()["code"]) == (400, "access.challenge_spent")


def test_only_a_person_has_passkeys(scene: Scene) -> None:
    """Neither whoever owns the machine, nor a key; and no form of another site makes one."""
    client, csrf = member(scene)
    assert client.post("/account/passkeys/ask").status_code == 403
    assert scene.client().post("/account/passkeys/ask", headers=scene.key()).status_code == 403
    scene.house.settings.public_url = None
    nobody = scene.signed_in()
    found = re.search(r'name="csrf" value="([^"]+)"', nobody.get("/account").text)
    assert found is not None
    scene.house.settings.public_url = "http://localhost:8080"
    answer = nobody.post("/account/passkeys/ask", headers={"x-csrf-token": found[1]})
    assert (answer.status_code, answer.json()["code"]) == (400, "passkeys.nobody")
    assert client.post("/account/passkeys/ask", headers=csrf).status_code == 200


def test_somebody_else_s_passkey_is_not_found(scene: Scene) -> None:
    """It is neither renamed nor removed."""
    client, csrf = member(scene)
    for what in ("rename", "remove"):
        answer = client.post(f"/account/passkeys/theirs/{what}", data={"name": "mine"}, headers=csrf)
        assert answer.status_code == 404


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
near = st.fixed_dictionaries(
    {"id": st.sampled_from(["AAAA", "", "!"]) | junk, "rawId": st.just("AAAA") | junk, "type": st.just("public-key") | junk},
    optional={"response": st.fixed_dictionaries({name: st.sampled_from(["AA", "oA", "e30", "=", "é"]) | junk for name in (
        "clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle", "transports")}) | junk},
)  # fmt: skip


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answer=near)
def test_no_answer_breaks_the_door(scene: Scene, answer: dict[str, Any]) -> None:
    """Whatever somebody sends instead of what a browser says."""
    scene.house.settings.public_url = "http://localhost:8080"
    ceremonies = scene.house.ceremonies()
    for check in (lambda: ceremonies.made(answer, b"c"), lambda: ceremonies.used(answer, b"c", b"k", 0)):
        with pytest.raises(Exception) as caught:  # noqa: PT011 - that it is one of ours is what is looked at
            check()
        assert getattr(caught.value, "code", None) == "passkeys.bad_answer"


def test_a_credential_s_name_that_no_database_holds_is_unknown(scene: Scene) -> None:
    """JSON can spell half of a surrogate pair; whoever sends one needs no account for it."""
    member(scene)
    client = scene.client()
    for name in ("\\ud800", "\\u0000AAAA"):
        challenge = client.post("/sign-in/passkey/ask").json()["challenge"]
        body = f'{{"challenge": "{challenge}", "credential": {{"id": "{name}"}}}}'
        answer = client.post("/sign-in/passkey", content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (401, "passkeys.unknown")


def test_the_janitor_drops_challenges_that_nobody_answered(scene: Scene) -> None:
    """They are handed out to whoever asks."""
    member(scene)
    scene.client().post("/sign-in/passkey/ask")
    Janitor(scene.house).step()

    def kept() -> list[Challenge]:
        found: list[Challenge] = scene.house.write_now("", lambda work, _: work.challenges.by(), None, actor="test")
        return found

    [row] = kept()
    long_ago = Instant(row.expires_at - LIFE_SECONDS * 1000 * 10)
    scene.house.write_now(
        "", lambda work, one: work.challenges.put(one), replace(row, expires_at=long_ago), actor="test"
    )
    Janitor(scene.house).step()
    assert kept() == []
