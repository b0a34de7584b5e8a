"""Backup and return: the whole database of one moment, checked, and never over something that is there."""

from __future__ import annotations

import json
import os
import stat
import threading
import zipfile
from itertools import count
from typing import TYPE_CHECKING

import pytest

from tallywatt.adapters.machine import WorldDraws
from tallywatt.adapters.storage import archive as archives
from tallywatt.adapters.storage import backup, safekeeping
from tallywatt.adapters.storage.archive import MANIFEST
from tallywatt.adapters.storage.connections import connect
from tallywatt.adapters.storage.keyring import open_keyring
from tallywatt.adapters.storage.migrations import present_revision, require_current
from tallywatt.adapters.storage.sequencer import give_positions
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Broken, Conflict, SchemaUnknown, TallywattError
from tallywatt.settings import Settings
from tallywatt.wiring import House, back_up, bring_back
from tallywatt.workflows.add_customer import AddCustomer, add_customer
from tallywatt.workflows.add_operator import AddOperator, add_operator
from tests.postgresql import fresh_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tallywatt.kernel.identity import Draw

OPERATOR = "01890000-0000-7000-8000-000000000001"
_numbers = count(1)


@pytest.fixture
def settings(house_url: str, tmp_path: Path) -> Settings:
    """An installation with an operator."""
    made = Settings(data_dir=tmp_path / "data", database_url=house_url)
    house = House(made)
    house.store.start()
    house.write_now(OPERATOR, add_operator, AddOperator("dundee", "Dundee"), actor="test")
    house.close()
    return made


@pytest.fixture
def elsewhere(settings: Settings, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """An empty place of the same engine, with the installation's key."""
    folder = tmp_path / "again"
    folder.mkdir()
    (folder / "installation.key").write_text(settings.key_file.read_text())
    if settings.url.startswith("sqlite:"):
        yield Settings(data_dir=folder)
        return
    server: str = request.getfixturevalue("postgresql_server_url")
    with fresh_database(server, f"elsewhere_{next(_numbers)}") as url:
        yield Settings(data_dir=folder, database_url=url)


def references(settings: Settings) -> list[str]:
    house = House(settings)
    try:
        return [one["reference"] for one in house.ask_now(house.views.customers, OPERATOR)]
    finally:
        house.close()


def test_a_backup_is_of_one_moment_while_the_server_writes(
    settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    """Nobody stops charging for a backup, and half a command is worse than none."""
    house = House(settings)
    house.store.start()
    numbers, stop = count(1), threading.Event()

    def write() -> None:
        while not stop.is_set():
            command = AddCustomer(f"c{next(numbers):06d}")
            house.write_now(OPERATOR, add_customer, command, actor="test")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while house.store.writer.commands < 50:
            pass
        back_up(settings, tmp_path / "one", None)
    finally:
        stop.set()
        writer.join()
        house.close()

    bring_back(elsewhere, tmp_path / "one", None)

    found = references(elsewhere)
    assert len(found) >= 49
    assert found == [f"c{number:06d}" for number in range(1, len(found) + 1)], "none is missing in between"
    assert len(found) <= len(references(settings))


def test_events_after_a_return_stand_behind_all_that_was_told_before_it(
    settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    """A program that follows by position would never hear of what happens while the old positions come again."""
    back_up(settings, tmp_path / "a.zip", None)
    house = House(settings)
    house.store.start()
    for number in range(3):
        house.write_now(OPERATOR, add_customer, AddCustomer(f"lost{number}"), actor="test")
    house.close()
    told = last_position(settings)

    bring_back(elsewhere, tmp_path / "a.zip", None)
    again = House(elsewhere)
    again.store.start()
    again.write_now(OPERATOR, add_customer, AddCustomer("new"), actor="test")
    again.close()

    assert last_position(elsewhere) > told


def last_position(settings: Settings) -> int:
    """The position of the last event, after each has its own."""
    connection = connect(settings.url)
    try:
        give_positions(connection)
        [(last,)] = connection.execute("SELECT max(position) FROM events")
    finally:
        connection.close()
    return int(last)


def test_the_archive_says_what_it_is_and_keeps_the_key_to_itself(settings: Settings, tmp_path: Path) -> None:
    """Whoever finds the file must not be able to open frames and secrets with it."""
    path = tmp_path / "one"
    back_up(settings, path, None)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with zipfile.ZipFile(path) as archive:
        told = json.loads(archive.read(MANIFEST))
        everything = b"".join(archive.read(name) for name in archive.namelist())
    assert (told["engine"], told["format"]) == (settings.url.split(":", 1)[0], 1)
    assert told["tallywatt"]
    assert told["made_at"]
    assert settings.key() not in everything
    assert settings.key().hex().encode() not in everything
    assert [one.name for one in path.parent.iterdir() if one.name.startswith((".one", "one."))] == []


def test_a_key_that_was_asked_for_comes_back_under_its_passphrase_only(
    settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    """A lost data directory is then one file and one sentence away."""
    back_up(settings, tmp_path / "one", "correct horse")
    elsewhere.key_file.unlink()

    for passphrase, code in ((None, "restore.passphrase_needed"), ("wrong", "restore.wrong_passphrase")):
        with pytest.raises(BadInput) as caught:
            bring_back(elsewhere, tmp_path / "one", passphrase)
        assert caught.value.code == code
    assert not elsewhere.key_file.exists()

    bring_back(elsewhere, tmp_path / "one", "correct horse")
    assert elsewhere.key() == settings.key()
    assert stat.S_IMODE(elsewhere.key_file.stat().st_mode) == 0o600


def test_without_the_right_key_nothing_is_written(settings: Settings, elsewhere: Settings, tmp_path: Path) -> None:
    """A server on another key would seal new frames with it, and the old ones would be lost among them."""
    back_up(settings, tmp_path / "one", None)

    elsewhere.key_file.write_text("ab" * 32)
    with pytest.raises(BadInput) as other:
        bring_back(elsewhere, tmp_path / "one", None)
    elsewhere.key_file.unlink()
    with pytest.raises(BadInput) as none:
        bring_back(elsewhere, tmp_path / "one", None)

    assert (other.value.code, none.value.code) == ("restore.other_key", "restore.no_key")
    backup.require_empty(elsewhere.url)


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_a_damaged_archive_is_refused_before_anything_is_written(
    settings: Settings, elsewhere: Settings, tmp_path: Path, place: float
) -> None:
    """A disk that forgets is why there are backups; it forgets those too."""
    path = tmp_path / "one"
    back_up(settings, path, None)
    content = bytearray(path.read_bytes())
    for offset in range(64):
        content[int(len(content) * place) + offset] ^= 0xFF
    path.write_bytes(content)

    with pytest.raises(TallywattError) as caught:
        bring_back(elsewhere, path, None)

    assert caught.value.code == "restore.damaged"
    backup.require_empty(elsewhere.url)


def test_half_an_archive_is_none(settings: Settings, elsewhere: Settings, tmp_path: Path) -> None:
    """A copy that was broken off on its way."""
    path = tmp_path / "one"
    back_up(settings, path, None)
    path.write_bytes(path.read_bytes()[:-200])

    with pytest.raises(BadInput) as caught:
        bring_back(elsewhere, path, None)
    assert caught.value.code == "restore.damaged"


def test_neither_a_backup_nor_a_return_overwrites(settings: Settings, tmp_path: Path) -> None:
    """The last good copy must survive a mistyped line."""
    back_up(settings, tmp_path / "one", None)
    before = (tmp_path / "one").read_bytes()

    with pytest.raises(BadInput) as again:
        back_up(settings, tmp_path / "one", None)
    with pytest.raises(Conflict) as full:
        bring_back(settings, tmp_path / "one", None)

    assert (again.value.code, full.value.code) == ("backup.exists", "restore.not_empty")
    assert (tmp_path / "one").read_bytes() == before


def test_an_archive_of_a_later_version_is_refused(settings: Settings, elsewhere: Settings, tmp_path: Path) -> None:
    """Rows that this version does not know would be read as something else."""
    path = tmp_path / "one"
    back_up(settings, path, None)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    told = {**json.loads(parts[MANIFEST]), "revision": "9999"}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**parts, MANIFEST: json.dumps(told).encode()}.items():
            archive.writestr(name, content)

    with pytest.raises(SchemaUnknown):
        bring_back(elsewhere, path, None)


def test_a_return_that_was_broken_off_opens_no_house(settings: Settings) -> None:
    """Half a house would collect with half of its memory."""
    settings.unfinished_restore.write_text("")

    with pytest.raises(Broken) as caught:
        House(settings)
    assert caught.value.code == "restore.unfinished"


def test_nobody_opens_a_database_before_all_of_it_is_back(
    settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    """A server on another machine sees none of our files: without the mark it would send what was sent before."""
    back_up(settings, tmp_path / "one", None)
    seen: list[str | None] = []

    def draw() -> Draw:
        seen.append(present_revision(elsewhere.url))
        return WorldDraws().draw()

    key = settings.known_key()
    assert key is not None
    place = safekeeping.Place(
        url=elsewhere.url,
        key=key,
        keep_key=lambda kept: kept,
        unfinished=tmp_path / "unfinished",
        keyring=lambda url, own: open_keyring(url, own, lambda: own, os.urandom, Instant(0)),
        draw=draw,
    )
    safekeeping.bring_back(tmp_path / "one", place, None)

    assert seen, "every operator was told that its last days are missing"
    assert set(seen) == {None}, "a server refuses a database without a revision"
    require_current(elsewhere.url)


def test_without_the_programs_of_postgresql_the_remedy_is_named(
    postgresql_house_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container with the server alone is common; a stack trace would help nobody."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(backup, "PROGRAMS", "no/such/place")

    with pytest.raises(BadInput) as caught:
        backup.take_copy(postgresql_house_url, tmp_path / "copy")

    assert caught.value.code == "backup.no_pg_dump"
    assert "postgresql-client" in (caught.value.remedy or "")


def test_a_backup_that_cannot_fit_is_not_begun(tmp_path: Path) -> None:
    """A disk that a backup has filled stops the server too."""
    with pytest.raises(BadInput) as caught:
        archives.room_for(tmp_path, 10**18)
    assert caught.value.code == "backup.no_room"


def test_the_password_of_the_database_is_not_in_the_list_of_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every user of a machine can read what programs were started with."""
    program = tmp_path / "pg_dump"
    program.write_text('#!/bin/sh\necho "$@" > "$SAID"; echo "$PGPASSWORD" >> "$SAID"\n')
    program.chmod(0o755)
    monkeypatch.setenv("SAID", str(tmp_path / "said"))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    backup.take_copy("postgresql://tw:secret@127.0.0.1:1/tw", tmp_path / "copy")

    arguments, password = (tmp_path / "said").read_text().splitlines()
    assert password == "secret"
    assert "secret" not in arguments
