"""`tallywatt rate`: records in, prices out, line by line; a bad line stops nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.entrypoints.cli.conftest import CommandLine

CASES = Path(__file__).parents[2] / "cases"


def a_line(name: str) -> bytes:
    """A case as one line of a pipeline."""
    return json.dumps(json.loads((CASES / f"{name}.json").read_text())["line"]).encode()


def test_a_bad_line_is_answered_and_the_run_goes_on(tallywatt: CommandLine, tmp_path: Path) -> None:
    """A file of a million records must not be lost to the one that is broken."""
    file = tmp_path / "lines.jsonl"
    lines = [a_line("cdr_230_energy"), b"{", b"", b'{"id": 7}', b"\xff", b"[1]", a_line("cdr_221_maximum")]
    file.write_bytes(b"\n".join(lines))
    answers = [json.loads(line) for line in tallywatt.good("rate", str(file), "--jsonl").out.splitlines()]

    assert [one["id"] for one in answers] == ["cdr_230_energy", None, 7, None, None, "cdr_221_maximum"]
    assert [one.get("error", {}).get("code") for one in answers] == [
        None, "line.not_json", "line.missing", "line.not_json", "line.not_an_object", None,
    ]  # fmt: skip
    assert answers[0]["total_cost"] == {"before_taxes": "5", "after_taxes": "5.5"}
    assert answers[1]["error"]["message"].startswith("line 2: ")


def test_standard_input_is_read_as_it_comes(tallywatt: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipeline has no files, and figures keep every digit that was written."""
    long = (
        b'{"id":1,"cdr":{"id":"C","currency":"EUR","start_date_time":"2026-11-24T10:00:00Z","end_date_time":'
        b'"2026-11-24T11:00:00Z","charging_periods":[{"start_date_time":"2026-11-24T10:00:00Z","dimensions":[{"type":'
        b'"ENERGY","volume":1}]}]},"tariffs":[{"id":"T","currency":"EUR","elements":[{"price_components":[{"type":'
        b'"ENERGY","price":123456789.123456789,"step_size":1}]}]}]}\n'
    )
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(long)))
    answer = json.loads(tallywatt.good("rate", "-", "--jsonl").out)

    assert answer["total_cost"]["before_taxes"] == "123456789.123456789"


def test_each_line_is_answered_before_the_next_is_asked() -> None:
    """Whoever asks line by line and waits for the answer must not wait for ever."""
    command = [sys.executable, "-m", "tallywatt", "rate", "-", "--jsonl"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        told = []
        for name in ("cdr_230_energy", "cdr_221_maximum"):
            child.stdin.write(a_line(name) + b"\n")
            child.stdin.flush()
            told.append(json.loads(child.stdout.readline())["id"])

    assert told == ["cdr_230_energy", "cdr_221_maximum"]


def test_one_record_is_shown_as_a_table(tallywatt: CommandLine, tmp_path: Path) -> None:
    """A person who wonders about one bill reads quantities, prices and doubts."""
    file = tmp_path / "one.json"
    file.write_bytes(a_line("cdr_row15_total_differs"))
    shown = tallywatt.good("rate", str(file)).out

    assert "10 kWh" in shown
    assert "5 EUR" in shown
    assert "Note: cdr.total_cost: is not what the tariff gives" in shown


def test_one_record_that_cannot_be_priced_ends_with_what_is_wrong(tallywatt: CommandLine, tmp_path: Path) -> None:
    """There is no other line for which to go on."""
    file = tmp_path / "one.json"
    file.write_bytes(a_line("cdr_no_tariff"))
    ran = tallywatt("rate", str(file))

    assert ran.code != 0
    assert "tariffs: must be given" in ran.err
    missing = tallywatt("rate", str(tmp_path / "none.jsonl"), "--jsonl")
    assert missing.code != 0
    assert "cannot be read" in missing.err
