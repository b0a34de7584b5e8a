"""`tallywatt backup`, `restore`, `reconcile`: as a person types them after a bad night."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tests.entrypoints.cli.test_schemas import misfits

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.entrypoints.cli.conftest import CommandLine


def test_a_bad_night_is_over_in_three_commands(
    shop: CommandLine, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Backup, restore into a new folder, compare: and everything is there and adds up."""
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("correct horse\n")
    archive = str(tmp_path / "monday.tallywatt")
    made = shop.good("backup", archive, "--with-key", "--passphrase-file", str(passphrase), "--json").json
    before = shop.good("session", "list", "--json").json
    shutil.rmtree(data_dir)

    monkeypatch.setenv("TALLYWATT_DATA_DIR", str(tmp_path / "new"))
    came_back = shop.good("restore", archive, "--passphrase-file", str(passphrase), "--json").json
    card = shop("payment-method", "add", "--customer", "C-1", "--token", "pm_card_visa")
    assert "restore.not_compared" in card.err, "nothing is sent to a provider before it was asked"
    compared = shop.good("reconcile", "--json").json

    assert misfits(made, "backup") == []
    assert misfits(came_back, "restore") == []
    assert misfits(compared, "reconcile") == []
    assert shop.good("session", "list", "--json").json == before
    assert shop.good("audit", "--json").json["clean"]
    assert compared["waited"]
    again = shop.good("reconcile", "--json").json
    assert misfits(again, "reconcile") == []
    assert again == {"waited": False}


def test_people_read_what_to_do_next(shop: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a restore the next command is the one that matters."""
    archive = str(tmp_path / "one")
    assert "keep installation.key apart" in shop.good("backup", archive).out

    refused = shop("restore", archive)
    assert refused.code == 3
    assert "restore.not_empty" in refused.err

    monkeypatch.setenv("TALLYWATT_DATA_DIR", str(tmp_path / "new"))
    keyless = shop("restore", archive)
    assert keyless.code == 2
    assert "installation.key" in keyless.err
    assert "tallywatt reconcile" not in keyless.out


def test_a_key_without_a_passphrase_is_refused(shop: CommandLine, tmp_path: Path) -> None:
    """It would be the one file that opens everything."""
    refused = shop("backup", str(tmp_path / "one"), "--with-key")

    assert refused.code == 2
    assert "backup.passphrase_needed" in refused.err
    assert not (tmp_path / "one").exists()


def test_a_number_that_is_none_is_refused_before_anything_is_done(
    shop: CommandLine, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A typing error must not end the one chance to say it."""
    shop.good("backup", str(tmp_path / "one"))
    key = data_dir / "installation.key"
    monkeypatch.setenv("TALLYWATT_INSTALLATION_KEY", key.read_text())
    monkeypatch.setenv("TALLYWATT_DATA_DIR", str(tmp_path / "new"))
    shop.good("restore", str(tmp_path / "one"))

    refused = shop("reconcile", "--last-invoice", "42")

    assert "invoice.bad_number" in refused.err
    assert shop.good("reconcile", "--last-invoice", "INV-2026-000042", "--json").json["waited"]
    assert shop.good("audit", "--json").json["clean"]
