"""An audit that is asked for: run in a process of its own, followed, its findings kept; and given up when the server ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.entrypoints.worker import LANES, Workers
from tests.entrypoints.scene import Scene
from tests.migrated import copy_of, migrated_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["migrated_file"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Scene]:
    """A furnished house with a session that was billed."""
    folder = tmp_path_factory.mktemp("audits")
    built = Scene.open(folder, copy_of(migrated_file, folder)).furnish()
    built.wire().charge(5_000_000)
    built.collect()
    yield built
    built.close()


def asked(scene: Scene) -> str:
    """The address of an audit that was asked for."""
    answer = scene.client().post("/audits", headers=scene.key("audit"))
    assert answer.status_code == 202, answer.text
    return str(answer.headers["location"])


def here(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Workers:
    """Workers that audit in this process: another one takes a second to start."""
    monkeypatch.setattr(scene.house, "audit_apart", lambda operator, _: scene.house.audit(operator))
    return Workers(scene.house, ())


def told(scene: Scene, path: str) -> dict[str, Any]:
    """What a resource says."""
    answer = scene.client().get(path, headers=scene.key("read"))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_an_audit_is_run_apart_and_says_what_the_command_line_says(scene: Scene) -> None:
    """The same figures, by whichever way; asked again while it waits, it is the same audit."""
    place = asked(scene)
    assert asked(scene) == place
    before = told(scene, place)
    assert (before["state"], before["is_clean"], before["figures"]) == ("waiting", None, None)

    assert Workers(scene.house, ()).step(LANES["audits"]) == 1

    after = told(scene, place)
    assert (after["state"], after["is_clean"], after["findings"]) == ("done", True, 0)
    report = scene.house.audit(scene.operator)
    assert after["figures"] == {
        **report.summary(),
        "frames": report.frames,
        "erased_frames": report.erased_frames,
    }
    assert [one["id"] for one in told(scene, "/audits?state=done")["items"]] == [after["id"]]


def test_what_does_not_add_up_is_listed_with_both_figures(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: somebody adds a watt-hour to a bill."""
    change = "UPDATE rated_results SET milliwatt_hours = milliwatt_hours + 1000"
    scene.house.store.run_now("", lambda work, _: work.connection.change(change), None, actor="test")
    place = asked(scene)
    here(scene, monkeypatch).step(LANES["audits"])
    audit = told(scene, place)

    assert (audit["state"], audit["is_clean"]) == ("done", False)
    assert audit["findings"] == len(audit["first_findings"]) > 0
    rows = told(scene, f"{place}/findings?limit=1")
    assert rows["items"] == audit["first_findings"][:1]
    assert rows["items"][0]["expected"] != rows["items"][0]["found"]


def test_an_audit_that_is_given_up_is_taken_up_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that ends does not wait for an hour of computing; the next one begins anew."""
    place = asked(scene)
    workers = Workers(scene.house, ())
    workers.stop()
    workers.step(LANES["audits"])
    assert told(scene, place)["state"] == "running"

    here(scene, monkeypatch).step(LANES["audits"])
    assert told(scene, place)["state"] == "done"


def test_an_audit_that_cannot_be_carried_out_says_so(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever follows it must not wait for ever."""
    place = asked(scene)
    unknown = scene.house.settings.model_copy(update={"database_url": "sqlite:////nowhere/at/all.db"})
    monkeypatch.setattr(scene.house, "settings", unknown)
    Workers(scene.house, ()).step(LANES["audits"])
    audit = told(scene, place)

    assert (audit["state"], audit["is_clean"]) == ("failed", None)
    assert audit["error"]
