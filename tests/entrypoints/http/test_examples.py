"""Every example of the documentation is sent to a real house; every write among them twice, and once with another body."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.entrypoints.http.described import ANSWERS, EXAMPLES_FILE, operations
from tests.entrypoints.conforming import documented
from tests.entrypoints.http.examples import ASKED, Examples
from tests.entrypoints.scene import Scene
from tests.migrated import copy_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from httpx2 import Response

WITHOUT = {"POST /webhooks/{provider}/{account_id}"}
"""A provider's own request, signed by it."""
EMPTY = {"GET /audits/{audit_id}/findings", "GET /customers/{reference}/account", "GET /open-items"}
"""Where an empty list is the good answer."""
ENDS = 'python -m tests.entrypoints.http.examples writes "examples.json" again'


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Examples]:
    """The house in which the examples make sense."""
    folder = tmp_path_factory.mktemp("examples")
    scene = Scene.open(folder, copy_of(migrated_file, folder)).furnish()
    yield Examples(scene)
    scene.close()


@pytest.fixture(scope="module")
def shown() -> dict[str, Any]:
    """The examples as the documentation has them."""
    found: dict[str, Any] = json.loads(EXAMPLES_FILE.read_text(encoding="utf-8"))
    return found


def test_every_operation_has_an_example_and_every_example_an_operation(shown: dict[str, Any]) -> None:
    """A new route without one fails here: add it to ASKED, and run what ENDS says."""
    assert set(shown) == set(ASKED) == set(ANSWERS) - WITHOUT, ENDS


def test_the_documentation_shows_them_and_they_are_as_it_says(examples: Examples, shown: dict[str, Any]) -> None:
    """In the file for programs and on the page for people: a request, and the answer to it."""
    scene = examples.scene
    api, held = scene.app.openapi(), documented(scene.app)
    for name, operation in operations(api):
        if name not in shown:
            continue
        answer = operation["responses"][str(shown[name]["status"])]["content"]["application/json"]
        assert answer["example"] == shown[name]["answer"]
        assert held.errors_in(answer["schema"], answer["example"]) == [], name
        if "request" in shown[name]:
            content = operation["requestBody"]["content"]
            media = next(iter(content)) if isinstance(shown[name]["request"], str) else "application/json"
            assert content[media]["example"] == shown[name]["request"]
        else:
            assert "requestBody" not in operation, f"{name} has a body, and its example has none"
    page = scene.client().get("/docs", headers=scene.key("read")).text
    assert page.count('<pre class="example raw"') >= len(shown)


def test_every_example_does_what_it_says_and_does_it_once(examples: Examples, shown: dict[str, Any]) -> None:
    """The answer of the first time, byte for byte, for whoever asks again; and nobody else's request under the same key."""
    for name, one in ASKED.items():
        assert (one.body, one.query) == (shown[name].get("request"), shown[name].get("query", {})), ENDS
        first = examples.ask(name)
        told = (name, first.status_code, first.text[:300])
        assert first.status_code == shown[name]["status"], told
        assert members(first.json()) == members(shown[name]["answer"]), (ENDS, told)
        assert first.json().get("items") != [] or name in EMPTY, (name, "an example of a list shows an item")
        if not name.startswith("GET "):
            require_once(examples, name, first)


def require_once(examples: Examples, name: str, first: Response) -> None:
    """The same again is answered alike and does nothing; another body under the same key is refused."""
    before = marks_of(examples.scene)
    again = examples.ask(name)
    assert (again.status_code, again.content) == (first.status_code, first.content), name
    assert again.headers.get("idempotency-replayed") == "true", name
    other = examples.ask(name, body=(ASKED[name].bytes or b"{}") + b" ")
    assert (other.status_code, other.json()["code"]) == (409, "request.idempotency_mismatch"), (name, other.text)
    assert marks_of(examples.scene) == before, name


def members(answer: Any) -> Any:
    """The names of an answer's members; of a list, those of its first item."""
    if isinstance(answer, dict) and isinstance(answer.get("items"), list):
        return sorted(answer), sorted(answer["items"][0]) if answer["items"] else []
    return sorted(answer)


def marks_of(scene: Scene) -> list[int]:
    """What would differ if anything had been done: actions, events, operations at providers, commands to stations."""
    names = ("actions", "operations", "station_commands", "api_keys", "webhook_endpoints", "sessions", "customers")
    counts: list[int] = scene.do(lambda work, _: [len(getattr(work, name).by()) for name in names], None)
    return [*counts, scene.house.ask_now(scene.house.views.last_position)]
