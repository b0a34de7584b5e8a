"""The whole API, asked what a machine can think of: never an error inside, never an answer that is not documented."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.entrypoints.scene import Scene
from tests.migrated import copy_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
EXAMPLES = int(os.environ.get("TALLYWATT_FUZZ_EXAMPLES", "3"))
"""Of each operation; each is asked anew in every run. `make fuzz` asks more of them."""
NOT_ASKED = {
    "/events": "it never ends",
    "/oauth/token": "a standard of its own describes it",
    "/.well-known": "likewise",
}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Scene]:
    """A furnished house with a session, a payment and an item of the inbox."""
    folder = tmp_path_factory.mktemp("schemathesis")
    built = Scene.open(folder, copy_of(migrated_file, folder)).furnish()
    built.wire().charge(5_000_000)
    built.collect()
    built.wire().charge(1_000_000, token="NOBODY")
    yield built
    built.close()


def test_no_question_is_answered_with_an_error_inside_or_otherwise_than_documented(scene: Scene) -> None:
    """Nulls, huge numbers, half surrogates, what is missing and what is too much; ids that are there and ids that are not."""
    raw = {**scene.app.openapi()}
    raw["paths"] = {
        path: {
            method: {**one, "parameters": [p for p in one.get("parameters", ()) if p["name"] != "fields"]}
            for method, one in methods.items()
        }
        for path, methods in raw["paths"].items()
        if not path.startswith(tuple(NOT_ASKED))
    }
    schema = schemathesis.openapi.from_dict(raw)
    schema.app = scene.app
    headers = scene.key()
    asked = 0
    for result in schema.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]  # a file with an invalid operation fails here
        _ask(operation, headers, sound_ids(scene))
        asked += 1
    assert asked > 55


def _ask(operation: Any, headers: dict[str, str], ids: dict[str, str]) -> None:
    @given(data=st.data())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(data: st.DataObject) -> None:
        case: Any = data.draw(operation.as_strategy())
        if data.draw(st.booleans()):
            case.path_parameters = {**case.path_parameters, **{n: ids[n] for n in case.path_parameters if n in ids}}
        case.headers = {**(case.headers or {}), **headers}
        case.call_and_validate(checks=CHECKS)

    ask()


def sound_ids(scene: Scene) -> dict[str, str]:
    """What the names in an address may stand for, so that more than 404 is answered."""
    session = scene.session()
    return {
        "identity": "CP1", "reference": "C1", "location_reference": "greenmarket", "code": "GB*TWA*ECP1*1",
        "session_id": session["id"], "payment_id": session["payments"][0]["id"], "number": session["invoice"],
        "account_id": scene.account.account_id, "frame_id": session["frames"][0]["id"],
        "tariff_version_id": session["offer"]["tariff_version_id"],
    }  # fmt: skip
