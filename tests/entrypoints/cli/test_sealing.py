"""Secrets on the command line, and the master key: where it comes from, what is said when it is wrong, how it is changed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tallywatt.kernel.errors import Broken
from tallywatt.settings import Settings
from tallywatt.wiring import House, change_master_key, keyring_of
from tests.entrypoints.cli.test_schemas import misfits

if TYPE_CHECKING:
    from pathlib import Path

    from tests.entrypoints.cli.conftest import CommandLine

KEY, ANOTHER = "ab" * 32, "cd" * 32


def test_a_secret_is_kept_listed_used_and_forgotten(shop: CommandLine, tmp_path: Path) -> None:
    """It is in no answer after it was kept."""
    path = tmp_path / "key"
    path.write_text("sk_test_very_secret\n", encoding="utf-8")
    kept = shop.good("secrets", "put", "stripe-live", "--from-file", str(path), "--json")
    assert misfits(kept.json, "secrets-put") == []
    assert kept.json["reference"] == "vault:stripe-live"
    listed = shop.good("secrets", "list", "--json")
    assert misfits(listed.json, "secrets-list") == []
    options = ("--currency", "GBP", "--secret", "vault:stripe-live", "--webhook-secret", "env:HOOK")
    added = shop.good("provider-account", "add", "main", *options, "--json")
    for ran in (kept, listed, added, shop.good("secrets", "list")):
        assert "very_secret" not in ran.out + ran.err
    house = House(Settings())
    assert house.providers._secret(added.json["secret_reference"]) == "sk_test_very_secret"
    house.close()
    assert shop("secrets", "remove", "stripe-live").code == 3
    shop.good("secrets", "put", "unused", "--from-file", str(path))
    assert misfits(shop.good("secrets", "remove", "unused", "--json").json, "secrets-remove") == []
    assert [one["name"] for one in shop.good("secrets", "list", "--json").json] == ["stripe-live"]


def test_the_master_key_is_made_on_the_first_start_for_its_owner_alone(shop: CommandLine, data_dir: Path) -> None:
    """Nobody else on the machine reads it."""
    path = data_dir / "installation.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(bytes.fromhex(path.read_text("ascii"))) == 32


@pytest.mark.parametrize("kind", ["MASTER_KEY", "MASTER_KEY_FILE"])
def test_the_master_key_comes_from_the_environment_or_from_a_file_that_it_names(
    tallywatt: CommandLine, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Then none is made, and none lies beside the database."""
    path = tmp_path / "elsewhere.key"
    path.write_text(f"{KEY}\n", encoding="ascii")
    monkeypatch.setenv(f"TALLYWATT_{kind}", KEY if kind == "MASTER_KEY" else str(path))
    tallywatt.good("operator", "add", "dundee", "--name", "Dundee")
    assert not (data_dir / "installation.key").exists()
    assert Settings().key() == bytes.fromhex(KEY)


@pytest.mark.parametrize("text", ["", "ab", "zz" * 32, "ab" * 31, "é" * 64])
def test_a_key_that_is_none_is_told_without_repeating_it(shop: CommandLine, data_dir: Path, text: str) -> None:
    """Half a file after a full disk, a wrong file mounted."""
    (data_dir / "installation.key").write_text(text, encoding="utf-8")
    ran = shop("customer", "add", "C-9")
    assert (ran.code, "keys.unreadable" in ran.err, "What to do" in ran.err) == (2, True, True)
    assert len(text) < 10 or text not in ran.err


@pytest.mark.parametrize(
    "arguments", [("customer", "add", "C-9"), ("audit",), ("station", "add", "CP-9", "--key", "0123456789")]
)
def test_a_wrong_or_missing_master_key_is_told_at_once(
    shop: CommandLine, data_dir: Path, arguments: tuple[str, ...]
) -> None:
    """With what to do; no key is made beside a database that has one."""
    path = data_dir / "installation.key"
    path.write_text(ANOTHER, encoding="ascii")
    ran = shop(*arguments)
    assert (ran.code, "keys.wrong" in ran.err, "TALLYWATT_MASTER_KEY" in ran.err) == (1, True, True)
    path.unlink()
    ran = shop(*arguments)
    assert (ran.code, "keys.missing" in ran.err, "What to do" in ran.err) == (1, True, True)
    assert not path.exists()


def test_after_a_rotation_everything_that_was_sealed_opens_and_stations_keep_their_keys(
    shop: CommandLine, data_dir: Path, tmp_path: Path
) -> None:
    """The old key opens nothing any more."""
    path = data_dir / "installation.key"
    before, pepper = path.read_text("ascii"), keyring_of(Settings()).stations
    secret = tmp_path / "secret"
    secret.write_text("sk_1", encoding="utf-8")
    shop.good("secrets", "put", "stripe-live", "--from-file", str(secret))
    told = shop.good("secrets", "rotate", "--json").json
    assert misfits(told, "secrets-rotate") == []
    assert told["data_keys"] >= 1
    assert path.read_text("ascii") != before
    assert path.stat().st_mode & 0o777 == 0o600
    assert keyring_of(Settings()).stations == pepper
    house = House(Settings())
    [kept] = house.ask_now(house.views.secrets, house.ask_now(house.views.operators)[0]["id"])
    assert house.providers._secret(f"vault:{kept['id']}") == "sk_1"
    house.close()
    path.write_text(before, encoding="ascii")
    assert "keys.wrong" in shop("audit").err


def test_a_rotation_that_was_broken_off_is_finished_by_the_next_start(shop: CommandLine, data_dir: Path) -> None:
    """The machine went down after the database had the new key and before the file had it, or before either had."""
    path, following = data_dir / "installation.key", data_dir / "installation.key.next"
    old = path.read_text("ascii")
    following.write_text(ANOTHER, encoding="ascii")
    shop.good("customer", "add", "C-8")
    assert path.read_text("ascii") == old
    following.unlink()
    change_master_key(Settings(), None)
    shutil.move(path, following)
    path.write_text(old, encoding="ascii")
    shop.good("customer", "add", "C-9")
    assert not following.exists()
    assert path.read_text("ascii") != old


def test_a_key_in_the_environment_is_changed_by_whoever_put_it_there(
    tallywatt: CommandLine, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """We cannot change it there: the new one is given, and set afterwards."""
    monkeypatch.setenv("TALLYWATT_MASTER_KEY", KEY)
    tallywatt.good("operator", "add", "dundee", "--name", "Dundee")
    assert "keys.in_environment" in tallywatt("secrets", "rotate").err
    path = tmp_path / "new"
    path.write_text(ANOTHER, encoding="ascii")
    tallywatt.good("secrets", "rotate", "--new-key-file", str(path))
    assert "keys.wrong" in tallywatt("customer", "add", "C-1").err
    monkeypatch.setenv("TALLYWATT_MASTER_KEY", ANOTHER)
    tallywatt.good("customer", "add", "C-1")


def test_the_key_is_not_changed_under_a_running_server(shop: CommandLine) -> None:
    """It holds the old keys in memory, and would seal with them."""
    house = House(Settings())
    try:
        with pytest.raises(Broken) as caught:
            change_master_key(Settings(), None)
        assert caught.value.code == "storage.second_writer"
    finally:
        house.close()
