"""`tallywatt verify-meter`: records in, verdicts out, line by line; a bad line stops nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from io import BytesIO, TextIOWrapper
from typing import TYPE_CHECKING

from tests.house.tree import ROOT
from tests.metering.signed.meter import Meter

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.entrypoints.cli.conftest import CommandLine

METER = Meter()
RECORD = METER.transaction()
LINE = json.dumps({"id": "a", "format": "OCMF", "data": RECORD, "public_key": METER.key}).encode()


def test_every_line_is_answered_in_its_place(tallywatt: CommandLine, tmp_path: Path) -> None:
    """A file of a million records must not be lost to the one that is broken."""
    file = tmp_path / "lines.jsonl"
    lines = [LINE, b"{", b"", b'{"id": 7}', b"\xff", b"[1]", b'{"id": "b", "data": 5, "public_key": []}', b"null", LINE]
    file.write_bytes(b"\n".join(lines))
    answers = [json.loads(line) for line in tallywatt.good("verify-meter", str(file), "--jsonl").out.splitlines()]

    assert [one["id"] for one in answers] == ["a", None, 7, None, None, "b", None, "a"]
    assert [one.get("error", {}).get("code") for one in answers] == [
        None, "line.not_json", None, "line.not_json", "line.not_an_object", None, "line.not_an_object", None,
    ]  # fmt: skip
    assert answers[1]["error"]["message"].startswith("line 2: ")
    assert (answers[0]["signature"], answers[0]["billable"]) == ("valid", {"energy": True, "time": True})
    assert answers[2]["reasons"] == ["data_missing"]
    assert answers[-1] == answers[0]


def test_energy_is_a_plain_number(tallywatt: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """No exponent and no binary fraction: 0.1 watt-hours stay 0.1."""
    lines = b"\n".join(
        json.dumps({"data": METER.transaction(begin, end), "public_key": METER.key}).encode()
        for begin, end in ((0, 12000), (1, 1.0001))
    )
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(lines)))
    first, second = tallywatt.good("verify-meter", "--jsonl").out.splitlines()

    assert '"energy_wh":12000000,' in first
    assert '"energy_wh":0.1,' in second


def test_a_person_reads_the_verdict_and_every_reason(tallywatt: CommandLine, tmp_path: Path) -> None:
    """In sentences; and a script can tell by how the command ends."""
    file, key = tmp_path / "record.ocmf", tmp_path / "key.txt"
    file.write_text(RECORD)
    key.write_text(METER.key + "\n")
    good = tallywatt.good("verify-meter", str(file), "--public-key", f"@{key}").out
    bad = tallywatt("verify-meter", str(file))

    assert "signature  valid" in good
    assert "billable   energy, time" in good
    assert "12.345 kWh" in good
    assert "Why not" not in good
    assert bad.code == 1
    assert "key_missing: no public key is given, and none is in the data" in bad.out
    missing = tallywatt("verify-meter", str(tmp_path / "none"), "--jsonl")
    assert missing.code == 2
    assert "cannot be read" in missing.err


def test_it_needs_neither_an_installation_nor_a_server() -> None:
    """A partner verifies a receipt on any machine; nothing of the server is loaded for it."""
    script = (
        "import pathlib, sys; from tallywatt.entrypoints.cli.metering import verify_meter; "
        "verify_meter(pathlib.Path('-'), jsonl=True, public_key=None); print("
        "sorted({'sqlalchemy', 'fastapi', 'pydantic', 'cryptography', 'asyncio'} & set(sys.modules)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], input=LINE, capture_output=True, cwd=ROOT, check=True, timeout=60
    )

    answer, loaded = ran.stdout.decode().splitlines()
    assert (json.loads(answer)["signature"], loaded) == ("valid", "[]")
