"""A filled house of every revision that was on main is taken over: upgraded, audited clean, its events readable.

A new revision needs a file here before the next one comes: `python tests/upgrade/fill.py tests/upgrade/NNNN.json`.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.adapters.storage import migrations
from tallywatt.adapters.storage.connections import connect, sqlite_path
from tallywatt.adapters.storage.evidence import audit
from tallywatt.adapters.storage.migrations import HEAD, migrate, present_revision, upgrade
from tallywatt.adapters.storage.sequencer import events_after
from tallywatt.adapters.storage.vault import Vault
from tests.workflows.house_of import INSTALLATION_KEY, KWH, OPERATOR, HouseOf

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = sorted(Path(__file__).parent.glob("[0-9]*.json"))


class Empty:
    """Empty SQLite files of the revisions so far: each is made of the one before it, not of nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[str, Path] = {}

    def put(self, url: str, revision: str) -> None:
        """An empty database of a revision there."""
        if revision not in self._made:
            before = max((one for one in self._made if one < revision), default=None)
            made = self._folder / f"{revision}.db"
            if before is not None:
                shutil.copyfile(self._made[before], made)
            migrate(f"sqlite:///{made}", revision)
            self._made[revision] = made
        shutil.copyfile(self._made[revision], sqlite_path(url))


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Empty:
    """Files to begin with, for all tests of this process."""
    return Empty(tmp_path_factory.mktemp("empty"))


def fill(url: str, told: dict[str, Any], empty: Empty) -> None:
    """Bring an empty database to the file's revision, and write its rows."""
    if url.startswith("sqlite"):
        empty.put(url, told["revision"])
    else:
        migrate(url, told["revision"])
    connection = connect(url)
    mark = "?" if connection.dialect == "sqlite" else "%s"
    if connection.dialect == "sqlite":
        connection.execute("PRAGMA foreign_keys=OFF")
    connection.begin()
    if connection.dialect == "postgresql":
        connection.execute("SET session_replication_role = replica")
    for name, table in told["tables"].items():
        columns = ", ".join(f'"{one}"' for one in table["columns"])
        marks = ", ".join([mark] * len(table["columns"]))
        connection.execute(f'DELETE FROM "{name}"')
        for row in table["rows"]:
            values = tuple(bytes.fromhex(one["hex"]) if isinstance(one, dict) else one for one in row)
            connection.change(f'INSERT INTO "{name}" ({columns}) VALUES ({marks})', values)
    connection.commit()
    connection.close()


def on_engines() -> Iterator[Any]:
    """Every file on SQLite; on PostgreSQL the newest and some of each age: all run through the revisions after theirs."""
    for place, file in enumerate(FILES):
        yield pytest.param("sqlite_url", file, id=f"{file.stem}-sqlite")
        if place % 8 == 0 or place >= len(FILES) - 3:
            yield pytest.param("postgresql_url", file, id=f"{file.stem}-postgresql")


@pytest.mark.parametrize(("engine", "file"), list(on_engines()))
def test_a_filled_house_of_every_revision_is_taken_over(
    engine: str, file: Path, empty: Empty, request: pytest.FixtureRequest
) -> None:
    """Whoever upgrades after a year skips ten revisions, and has invoices of all of them."""
    engine_url: str = request.getfixturevalue(engine)
    told = json.loads(file.read_text(encoding="utf-8"))
    assert told["revision"] == file.stem
    fill(engine_url, told, empty)

    upgrade(engine_url)

    assert present_revision(engine_url) == HEAD
    reader = connect(engine_url)
    if reader.dialect == "sqlite":
        assert reader.execute("PRAGMA foreign_key_check") == []
    report = audit(reader, Vault(INSTALLATION_KEY), OPERATOR)
    assert (report.findings, report.unexplained) == ((), 0)
    assert (report.invoices, report.sessions) == (2, 5)
    events = events_after(reader, 0)
    assert len(events) == len(told["tables"]["events"]["rows"])
    assert {"SessionBilled", "PaymentCaptured"} <= {one.event.type for one in events}
    reader.close()
    go_on(engine_url)


def go_on(url: str) -> None:
    """The upgraded house takes the next session, and gives the next number."""
    with HouseOf(url) as house:
        house.now = type(house.now)(house.now + 3 * 24 * 3_600_000)
        house.wire().charge(2 * KWH, meter=90 * KWH, evse=2)
        numbers = sorted(one.sequence for one in house.rows.invoices.by())
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= 3


def test_no_revision_but_the_newest_is_without_a_file() -> None:
    """The newest may still change before it is on main; every one before it is somebody's database."""
    known = {file.stem for file in FILES}
    # Not by counting: of two people who work at once one may be handed a number that comes later, or never.
    there = {file.name[:4] for file in (Path(migrations.__file__).parent / "versions").glob("[0-9]*.py")}

    assert len(there) > 60
    assert sorted(there - known - {HEAD}) == []
