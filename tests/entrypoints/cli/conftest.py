"""The command line as a person and a program use it: run in this process, on an installation of the test's own."""

from __future__ import annotations

import json
import shutil
import signal
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from tallywatt.entrypoints.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "4f1c0a52e8d94b07"


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its output as JSON; exactly one line."""
        assert self.out.count("\n") == 1, self.out
        return json.loads(self.out)


class CommandLine:
    """`tallywatt`, called with arguments."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Ran:
        """Run it; never raises."""
        self._capsys.readouterr()
        try:
            main(list(arguments))
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = self._capsys.readouterr()
        return Ran(code, said.out, said.err)

    def good(self, *arguments: str) -> Ran:
        """Run it; it must succeed."""
        ran = self(*arguments)
        assert ran.code == 0, f"{arguments}: {ran.code}\n{ran.out}\n{ran.err}"
        return ran


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """A command sets up its process: how it logs, and what SIGTERM does."""
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)
    structlog.reset_defaults()


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data directory of this test's installation, empty."""
    folder = tmp_path / "data"
    monkeypatch.setenv("TALLYWATT_DATA_DIR", str(folder))
    for name in (
        "DATABASE_URL",
        "HTTP_PORT",
        "OCPP_PORT",
        "PUBLIC_URL",
        "INSTALLATION_KEY",
        "MASTER_KEY",
        "MASTER_KEY_FILE",
        "OPERATOR",
    ):
        monkeypatch.delenv(f"TALLYWATT_{name}", raising=False)
    return folder


@pytest.fixture
def tallywatt(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line on an empty data directory."""
    return CommandLine(capsys)


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory that the command line has furnished, made once and copied by each test."""
    folder = tmp_path_factory.mktemp("furnished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TALLYWATT_DATA_DIR", str(folder / "data"))
        for arguments in (
            ("operator", "add", "dundee", "--name", "Dundee Charging", "--clock-floor", "2010-01-01T00:00:00Z"),
            ("location", "add", "square", "--name", "Market square", "--city", "Dundee"),
            ("station", "add", "CP-17", "--key", KEY, "--location", "square", "--max-kw", "22", "--evses", "2"),
            ("tariff", "put", str(a_tariff(folder))),
            ("tariff", "assign", "flat", "--from", "2010-01-01T00:00:00Z"),
            ("customer", "add", "C-1", "--name", "A Driver"),
            ("token", "add", "04AA", "--customer", "C-1"),
            ("import", "sessions", str(an_export(folder))),
        ):
            with redirect_stdout(StringIO()), pytest.raises(SystemExit) as ended:
                main(list(arguments))
            assert not ended.value.code, arguments
    return folder / "data"


@pytest.fixture
def shop(furnished: Path, data_dir: Path, tallywatt: CommandLine) -> CommandLine:
    """An operator with a station, a tariff, a customer with a card, and three sessions from a file: one is held."""
    shutil.copytree(furnished, data_dir)
    return tallywatt


def a_tariff(folder: Path) -> Path:
    """A tariff file with a key that is not understood."""
    path = folder / "flat.json"
    price = {"type": "ENERGY", "price": 0.45, "vat": 20, "step_size": 1}
    tariff = {
        "id": "flat",
        "currency": "GBP",
        "tax_included": "YES",
        "elements": [{"price_components": [price]}],
        "odd": 1,
    }
    path.write_text(json.dumps(tariff), encoding="utf-8")
    return path


HEADER = (
    "Charging event,User ID,CP ID,Connector,Start Date,Start Time,End Date,End Time,Total kWh,Cost,Site,Group,Model"
)


def an_export(folder: Path, *more: str) -> Path:
    """A network's export: two sessions of a customer, one of a user whom nobody knows."""
    rows = [
        HEADER,
        "1001,04AA,CP-17,1,06/09/2018,08:00,06/09/2018,09:30,10.5,0,Square,Group,APT 22kW",
        "1002,04aa,CP-17,2,06/09/2018,10:00,06/09/2018,10:30,4.2,0,Square,Group,APT 22kW",
        "1003,999999,CP-17,1,06/09/2018,12:00,06/09/2018,13:00,7,0,Square,Group,APT 22kW",
        *more,
    ]
    path = folder / "export.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path
