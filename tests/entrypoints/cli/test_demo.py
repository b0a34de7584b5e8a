"""The demonstration: what it shows adds up, what it says at the end is checked, and a run of it is real."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tallywatt.entrypoints.cli.demo.play import Demonstration, Options
from tallywatt.entrypoints.cli.demo.processes import Child, environment_of, free_port, is_free, own_port, undisturbed
from tallywatt.entrypoints.cli.demo.provision import reference, tariff
from tallywatt.entrypoints.cli.demo.screen import Picture, Screen, energy_parts, money_parts
from tallywatt.entrypoints.cli.demo.sums import Outside, Sums
from tallywatt.evidence.findings import AuditReport, Finding
from tallywatt.kernel.errors import BadInput, Broken
from tallywatt.rating.ends import WaitsFor, waits_for
from tallywatt.rating.read import read_tariff
from tallywatt.simulators.site import plan, sample
from tests.entrypoints.cli.test_schemas import misfits

if TYPE_CHECKING:
    from tests.entrypoints.cli.conftest import CommandLine

SOUND = AuditReport(
    findings=(),
    sessions=262,
    delivered=2_681_004_000,
    billed=2_648_173_000,
    explained={"lost_stop": 8_130_000, "meter_reset": 24_701_000},
    running=0,
    currency="GBP",
    money={"GBP": {"billed_minor": 147_227, "captured_minor": 147_071, "owed_minor": 156}},
    invoices=260,
    voided=1,
    held=2,
    ledger_balanced=True,
    frames=3000,
    erased_frames=0,
)
OUTSIDE = Outside(sessions=262, milliwatt_hours=2_681_004_000, captured_minor=147_071, refunded_minor=0, holds_open=0)
ADDS_UP = Sums(SOUND, OUTSIDE, 262, 3, 0, played_to_the_end=True)


def test_a_day_that_adds_up_leaves_no_doubt() -> None:
    """The line has the site's energy and the provider's money."""
    assert ADDS_UP.doubts() == []
    assert misfits(ADDS_UP.line(), "demo") == []
    assert ADDS_UP.line()["unexplained_wh"] == 0


@pytest.mark.parametrize(
    ("sums", "said"),
    [
        (replace(ADDS_UP, outside=replace(OUTSIDE, milliwatt_hours=2_681_004_001)), "0.001 Wh are neither billed"),
        (replace(ADDS_UP, outside=replace(OUTSIDE, captured_minor=147_072)), "147072 captured"),
        (replace(ADDS_UP, outside=replace(OUTSIDE, holds_open=1)), "1 holds are still open"),
        (replace(ADDS_UP, outside=replace(OUTSIDE, sessions=263)), "263 sessions were delivered, 262 are known"),
        (replace(ADDS_UP, audit=replace(SOUND, invoices=250)), "12 sessions have no bill"),
        (replace(ADDS_UP, audit=replace(SOUND, ledger_balanced=False)), "the books are not balanced"),
        (replace(ADDS_UP, audit=replace(SOUND, running=1)), "never ended"),
        (replace(ADDS_UP, expected_sessions=261), "261 sessions were expected"),
        (replace(ADDS_UP, unequal_after_kills=1), "after 1 kills"),
        (replace(ADDS_UP, played_to_the_end=False), "did not play its day to the end"),
        (
            replace(ADDS_UP, audit=replace(SOUND, findings=(Finding("line.missing", "x", "a line is gone"),))),
            "a line is gone",
        ),
    ],
)
def test_whatever_does_not_add_up_is_said(sums: Sums, said: str) -> None:
    """One milliwatt-hour or one penny is enough: the demonstration must be able to fail."""
    [doubt] = sums.doubts()
    assert said in doubt


PICTURE = Picture(
    played=131,
    of=262,
    clock="13:20",
    energy={"delivered_wh": "433388.666", "billed_wh": "282452", "explained_wh": "24701", "running_wh": "126235.666"},
    money={"billed_minor": 16244, "captured_minor": 16188, "refunded_minor": 100, "owed_minor": 156},
    currency="GBP",
    kills=1,
    kills_in_all=3,
    serving=True,
)


def test_the_figures_on_the_screen_add_up_as_they_are_seen() -> None:
    """A viewer with a calculator is right to object to a digit."""
    assert energy_parts(PICTURE) == [
        ("delivered", "433.389 kWh"),
        ("billed", "282.452"),
        ("explained", "24.701"),
        ("now", "126.236"),
    ]
    assert money_parts(PICTURE) == [("billed", "162.44 GBP"), ("captured", "160.88 GBP"), ("owed", "1.56 GBP")]


def test_without_a_terminal_progress_is_told_in_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """A build log is not painted over, and standard output stays empty for the last line."""
    with Screen() as screen:
        for played in (10, 20, 30, 131, 132):
            screen.paint(replace(PICTURE, played=played))
    said = capsys.readouterr()

    assert said.out == ""
    assert [line.split(" of ")[0] for line in said.err.splitlines()] == ["30", "131"]


@pytest.mark.parametrize(("name", "waits"), [("ac", False), ("dc", False), ("ac-parking", True)])
def test_the_tariffs_are_ocpi_and_say_what_they_are_meant_to(name: str, waits: bool) -> None:
    """One of them prices the time after the battery is full, so its sessions wait for the vehicle to leave."""
    found = read_tariff(tariff(name))

    assert found.unread == ()
    assert (waits_for(found) is WaitsFor.OCCUPANCY) is waits


def test_a_site_gets_a_reference_that_can_be_typed() -> None:
    """People will type it after --location."""
    assert reference("Queen Street Car Park, Broughty Ferry, Dundee") == "queen-street-car-park-broughty-ferry"


def test_a_process_that_ends_too_early_leaves_its_last_words(tmp_path: Path) -> None:
    """Whoever sees the demonstration fail must not look for a log."""
    child = Child("server", ["no-such-command"], environment_of({"DATA_DIR": str(tmp_path)}), tmp_path / "server.log")
    child.start()
    with pytest.raises(Broken, match="no-such-command"):
        child.require_answer(f"http://127.0.0.1:{free_port()}/health", 20)
    child.stop()
    assert not child.runs
    assert not child.succeeded


def test_children_do_not_inherit_another_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """A demonstration must never play into somebody's own database."""
    monkeypatch.setenv("TALLYWATT_DATABASE_URL", "postgresql:///mine")
    environment = environment_of({"DATA_DIR": "/tmp/x"})

    assert "TALLYWATT_DATABASE_URL" not in environment
    assert environment["TALLYWATT_DATA_DIR"] == "/tmp/x"


def test_a_taken_port_is_replaced_unless_it_was_settled() -> None:
    """8080 is often taken; but the provider of an earlier run has an address that is written down."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not is_free(port)
        assert free_port(port) != port
        with pytest.raises(BadInput, match=str(port)):
            own_port(port, "the provider")
    assert free_port(port) == port


def test_somebody_s_folder_is_not_moved_into(tallywatt: CommandLine, tmp_path: Path) -> None:
    """Only an empty folder, or one of an earlier demonstration."""
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    ran = tallywatt("demo", "--data-dir", str(tmp_path), "--exit")

    assert (ran.code, "[demo.other_folder]" in ran.err) == (2, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.txt"]


def test_what_was_settled_holds_for_the_next_run(tmp_path: Path) -> None:
    """Another port would be another provider, with other books."""
    options = Options(tmp_path / "demo", 10, free_port(), free_port())
    Demonstration(options, Screen())
    settled = (tmp_path / "demo" / "demo.json").read_bytes()
    Demonstration(options, Screen())

    assert (tmp_path / "demo" / "demo.json").read_bytes() == settled
    assert {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "demo").glob("psp.*")} == {
        "psp.key": 0o600,
        "psp.hook": 0o600,
    }


ALSO_AT: Final = {"51088", "51550"}
"""A station where parking is priced, and one for direct current that speaks 2.0.1."""


def smaller_day(folder: Path) -> sample.Sample:
    """A sixth of the day in Dundee, with the same five incidents; `make demo EXIT=1` plays the whole one."""
    whole = sample.read()
    incidents = plan.choose_incidents(whole)
    stations = {row.station for row in whole.rows if row.id in incidents.values()} | ALSO_AT
    # Whoever also charges elsewhere is left out: with one trip less they would be fit for an incident.
    away = {row.driver for row in whole.rows if row.station not in stations} - {None}
    first, *others = whole.rows
    rows = [first, *(row for row in others if row.station in stations and row.driver not in away)]
    path = folder / "smaller.csv"
    path.write_text(sample.write(rows), encoding="utf-8")
    smaller = sample.read(path)
    assert plan.choose_incidents(smaller) == incidents
    return smaller


@pytest.mark.timeout(400)
def test_a_day_is_played_and_adds_up_and_ctrl_c_ends_all_that_was_started(tmp_path: Path) -> None:
    """The whole promise, in little time: real processes, real sockets, three kills, three books; and nothing stays behind."""
    http = free_port()
    environment = {**os.environ, "TALLYWATT_HTTP_PORT": str(http), "TALLYWATT_OCPP_PORT": str(free_port())}
    command = [sys.executable, "-m", "tallywatt", "demo", "--data-dir", str(tmp_path / "demo"), "--seconds", "10"]
    rows = len(smaller_day(tmp_path).rows)
    command += ["--sample", str(tmp_path / "smaller.csv")]
    log = tmp_path / "said"
    # Whatever a shell starts behind itself ignores Ctrl-C, and hands that on; the demonstration is to be in front.
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    with (
        log.open("wb") as told,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=told) as running,
    ):
        signal.signal(signal.SIGINT, usual)
        assert running.stdout is not None
        last = running.stdout.readline()
        deadline = time.monotonic() + 30
        while "Serving until Ctrl-C." not in log.read_text("utf-8") and time.monotonic() < deadline:
            time.sleep(0.1)
        serves = not is_free(http)
        running.send_signal(signal.SIGINT)
        more, _ = running.communicate(timeout=60)
    said = log.read_text("utf-8")

    assert (running.returncode, more, serves) == (0, b"", True), said
    line = json.loads(last)
    assert misfits(line, "demo") == []
    assert (line["sessions"], line["kills"], line["unexplained_wh"], line["ledger_balanced"]) == (rows, 3, 0, True)
    assert line["billed_minor"] == line["captured_minor"] + line["owed_minor"]
    assert line["invoices"] >= rows - 5
    assert [sentence for sentence in ENDS if sentence not in said] == []
    assert is_free(http)
    assert is_free(json.loads((tmp_path / "demo" / "demo.json").read_bytes())["psp_port"])


ENDS = (
    "a stored card that is declined: one session, 3.107 kWh, 1.56 GBP owed",
    "a stop that was never told: 8.13 kWh held, reason lost_stop",
    "a meter that fell back to nothing: 24.701 kWh held, reason meter_reset",
    "first hold of 45.00 GBP voided",
    "a start told again after a crash: one session",
)


def test_ctrl_c_in_the_middle_of_a_start_waits_until_the_process_is_known() -> None:
    """A site that nobody could end went on after its demonstration."""
    known = []

    def start() -> None:
        with undisturbed():
            os.kill(os.getpid(), signal.SIGINT)
            known.append("the process")

    with pytest.raises(KeyboardInterrupt):
        start()

    assert known == ["the process"]
