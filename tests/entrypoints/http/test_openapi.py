"""The documentation of the API is complete, valid, and true."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tallywatt.entrypoints.http.described import ANSWERS, OTHERWISE, VERSIONED, operations
from tallywatt.entrypoints.http.once import KEY_HEADER

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene

ELSEWHERE = {"POST /oauth/token", "GET /.well-known/oauth-authorization-server"}
"""What other standards describe."""


@pytest.fixture
def api(scene: Scene) -> dict[str, Any]:
    """The file as it is served."""
    answer = scene.client().get("/openapi.json", headers=scene.key("read"))
    api: dict[str, Any] = answer.json()
    return api


def test_the_file_is_valid(api: dict[str, Any]) -> None:
    """By the specification's own schema."""
    assert [str(error) for error in OpenAPIV31SpecValidator(api).iter_errors()] == []


def test_every_route_says_what_it_answers(api: dict[str, Any]) -> None:
    """A new route is not forgotten, and one that is gone is not kept."""
    assert {name for name, _ in operations(api)} == {*ANSWERS, *OTHERWISE, *ELSEWHERE}
    assert set(ANSWERS) >= VERSIONED


def test_every_write_takes_an_idempotency_key(api: dict[str, Any], scene: Scene) -> None:
    """And looks at it: one that is too long is refused by all of them alike."""
    del scene
    writes = [name for name, _ in operations(api) if not name.startswith("GET ") and name not in ELSEWHERE]
    told = {
        name for name, one in operations(api) if KEY_HEADER.title() in {p["name"] for p in one.get("parameters", ())}
    }
    assert set(writes) - told == {"POST /webhooks/{provider}/{account_id}"}, (
        "a provider has its own way of repeating itself"
    )


def test_every_list_has_pages_and_every_read_fields(api: dict[str, Any]) -> None:
    """The same names everywhere."""
    for name, operation in operations(api):
        given = {one["name"] for one in operation.get("parameters", ())}
        if name.startswith("GET ") and name in ANSWERS and "security" in operation:
            assert {"fields", "If-None-Match"} <= given, name
            assert ("cursor" in given) == ("limit" in given), name
            assert "304" in operation["responses"], name


def test_the_documentation_is_not_made_at_a_start() -> None:
    """It costs a tenth of a second that most processes never need."""
    code = (
        "import sys; import tallywatt.entrypoints.http.app; "
        "sys.exit(any(f'tallywatt.entrypoints.http.{one}' in sys.modules for one in ('answers', 'described')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_it_is_made_once(scene: Scene) -> None:
    """Whoever asks again gets the same, also through the framework, whose own file would say less."""
    assert scene.app.openapi() is scene.app.openapi()
    assert scene.app.openapi()["components"]["securitySchemes"]
