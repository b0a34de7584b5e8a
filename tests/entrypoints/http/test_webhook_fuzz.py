"""Whatever a provider signs: no error inside, and nothing changed but what was kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.entrypoints.http.test_webhooks import SECRET, event, path, signed
from tests.entrypoints.scene import Scene
from tests.migrated import copy_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**65), 2**65) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PLACES = ("id", "object", "created", "type", "livemode", "data", "api_version")
OF_OBJECT = ("id", "object", "metadata", "status", "currency", "amount", "amount_received", "amount_capturable")


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Scene]:
    """A house with a session that is paid."""
    folder = tmp_path_factory.mktemp("fuzz")
    built = Scene.open(folder, copy_of(migrated_file, folder)).furnish()
    built.wire().charge(5_000_000)
    built.collect()
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("KEY", "sk_test_1")
        patched.setenv("HOOK", SECRET)
        yield built
    built.close()


@given(place=st.sampled_from(PLACES), inner=st.sampled_from(OF_OBJECT), value=JSON, gone=st.booleans(), data=st.data())
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_signed_webhook_of_any_shape_is_answered_and_moves_nothing(
    scene: Scene,
    place: str,
    inner: str,
    value: Any,
    gone: bool,
    data: st.DataObject,
) -> None:
    """A new version of an API, a field that is null from today on, a number where a text was."""
    body = json.loads(event(scene, f"evt_{data.draw(st.integers(0, 10**9))}"))
    target, name = (body["data"]["object"], inner) if data.draw(st.booleans()) else (body, place)
    if gone:
        del target[name]
    else:
        target[name] = value
    text = json.dumps(body).encode()
    before = money(scene)
    answer = scene.client().post(path(scene), content=text, headers=signed(scene, text))
    assert answer.status_code < 500, answer.text
    assert money(scene) == before


@given(text=st.binary(max_size=300) | JSON.map(lambda one: json.dumps(one).encode()))
@settings(max_examples=20)
def test_a_signed_body_that_is_no_event_is_answered(scene: Scene, text: bytes) -> None:
    """A proxy that sends its own page, half a body, a list."""
    before = money(scene)
    answer = scene.client().post(path(scene), content=text, headers=signed(scene, text))
    assert answer.status_code < 500, answer.text
    assert money(scene) == before


def money(scene: Scene) -> list[Any]:
    """All that a webhook could move."""
    return scene.do(lambda work, _: [*work.payments.by(), *work.operations.by(), *work.entries.by()], None)
