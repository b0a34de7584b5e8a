"""What people read: the session with its reasons, the inbox with what can be done, the invoice and its paper."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from tallywatt.entrypoints.cli.demo.processes import answers, free_port
from tallywatt.entrypoints.cli.demo.screen import drawn
from tallywatt.entrypoints.cli.desk import settings
from tallywatt.entrypoints.cli.show import clock_of, kwh_of, plain, say_fields, sum_of
from tallywatt.invoicing.printed import PrintedInvoice
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import InvoiceId
from tallywatt.wiring import House
from tallywatt.workflows.print_invoice import keep_printed
from tests.entrypoints.cli.test_demo import PICTURE
from tests.entrypoints.cli.test_schemas import ACCOUNT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.entrypoints.cli.conftest import CommandLine


def test_a_billed_session_says_why_it_costs_what_it_costs(shop: CommandLine) -> None:
    """Each price line with its reason, in the zone of the place."""
    [billed, *_] = [one for one in shop.good("session", "list", "--json").json if one["invoice"]]
    shown = shop.good("session", "show", billed["id"]).out

    assert f"invoice            {billed['invoice']}" in shown
    assert "Delivered 10:00 to 10:30" in shown
    assert "Total" in shown
    assert "1.89 GBP" in shown


def test_a_held_session_says_what_it_waits_for_and_how_to_decide(shop: CommandLine) -> None:
    """The command that decides can be copied from the screen."""
    [held] = [one for one in shop.good("session", "list", "--json").json if one["state"] == "held"]
    shown = shop.good("session", "show", held["id"]).out

    assert "7.00 kWh  unknown_payer" in shown
    [item] = shop.good("inbox", "list", "--json").json
    assert f"tallywatt inbox resolve {item['id']}" in shown
    assert item["summary"] in shop.good("inbox", "list").out
    shop.good("inbox", "resolve", item["id"], "--decision", "release", "--customer", "C-1")
    assert "→ release" in shop.good("inbox", "list").out
    assert shop.good("inbox", "list", "--state", "open").out == "Nothing waits for a person.\n"


def test_sessions_can_be_narrowed_down(shop: CommandLine) -> None:
    """By state, customer, card, time and reason; the last figure says how many there are."""
    many = {
        ("--state", "held"): 1,
        ("--customer", "C-1"): 2,
        ("--token", "04AA"): 2,
        ("--source", "csv"): 3,
        ("--reason", "unknown_payer"): 1,
        ("--since", "2018-09-06T10:00:00+01:00"): 2,
        ("--until", "2018-09-06T10:00:00+01:00"): 1,
        ("--station", "CP-404"): 0,
        ("--limit", "2"): 2,
    }
    assert {one: len(shop.good("session", "list", *one, "--json").json) for one in many} == many
    assert shop.good("session", "list", "--station", "CP-404").out == "No such session.\n"


def test_an_invoice_s_paper_is_written_where_one_wants_it(shop: CommandLine, tmp_path: Path) -> None:
    """Byte for byte as it was printed."""
    [first, *_] = shop.good("invoice", "list", "--json").json
    house = House(settings())
    house.store.start()
    [operator] = house.ask_now(house.views.operators)
    content = b"%PDF-1.7 the paper"
    digest = hashlib.sha256(content).hexdigest()
    printed = PrintedInvoice(InvoiceId(first["id"]), "application/pdf", digest, content, Instant(0))
    house.write_now(operator["id"], keep_printed, printed, actor="test")
    house.store.close()
    paper = tmp_path / "paper.pdf"
    shown = shop.good("invoice", "show", first["number"], "--pdf", str(paper)).out

    assert paper.read_bytes() == content
    assert str(paper) in shown
    assert first["number"] in shown
    assert shop("invoice", "show", first["number"], "--pdf", str(tmp_path / "no" / "folder.pdf")).code == 2


def test_payments_are_listed_with_what_was_asked_and_taken(shop: CommandLine) -> None:
    """Whoever looks for owed money finds the driver and the invoice in one line."""
    shop.good("provider-account", "add", "main", *ACCOUNT)
    assert shop.good("payment", "list").out == "No such payment.\n"


def test_an_access_key_is_shown_with_how_to_use_it(shop: CommandLine) -> None:
    """It is shown once; what to do with it stands beside it."""
    shown = shop.good("api-key", "create", "till").out

    assert "twk_" in shown
    assert "Authorization: Bearer" in shown
    assert "till" in shop.good("api-key", "list").out
    assert shop.good("console-link").out.startswith("http://127.0.0.1:8080/console/enter/")


@pytest.mark.parametrize(
    ("value", "shown"),
    [("10500", "10.50 kWh"), ("0", "0.00 kWh"), ("1.25", "0.00125 kWh"), ("-3000", "-3.00 kWh"), (None, "–")],
)
def test_energy_is_shown_without_losing_a_digit(value: str | None, shown: str) -> None:
    """What is rounded on a screen is asked about on the phone."""
    assert kwh_of(value) == shown


def test_money_has_the_places_of_its_currency() -> None:
    """Yen have none, dinars have three."""
    assert [sum_of(1240, code) for code in ("GBP", "JPY", "KWD", None)] == ["12.40 GBP", "1240 JPY", "1.240 KWD", "–"]


def test_what_is_not_known_is_a_dash_and_never_a_word_of_the_machine(capsys: pytest.CaptureFixture[str]) -> None:
    """No None, no True, no brackets."""
    assert [plain(one) for one in (None, True, False, ["a", None], 5)] == ["–", "yes", "no", "a, –", "5"]
    assert clock_of(None, "Europe/London") == "–"
    say_fields([("name", "x"), ("nothing", None), ("longer name", 5)])
    assert capsys.readouterr().out == "name         x\nlonger name  5\n"


def test_the_picture_of_the_demonstration_fits_eighty_columns() -> None:
    """On the usual terminal no line of it is broken, whatever the figures."""
    console = Console(width=80)
    with console.capture() as captured:
        console.print(drawn(PICTURE, 80))
    lines = captured.get().splitlines()

    assert any("433.389 kWh = billed 282.452 + explained 24.701 + now 126.236" in line for line in lines)
    assert len(lines) == 5
    assert not any("…" in line for line in lines)


@pytest.mark.timeout(60)
def test_the_simulated_provider_is_a_process_of_its_own(data_dir: Path, tmp_path: Path) -> None:
    """It says where it listens, and ends by SIGTERM."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "tallywatt",
        "simulate",
        "psp",
        "--port",
        str(port),
        "--state",
        str(tmp_path / "b"),
    ]
    with subprocess.Popen([*command, "--fault", "latency,milliseconds=1"], stdout=subprocess.PIPE, text=True) as psp:
        assert psp.stdout is not None
        assert json.loads(psp.stdout.readline())["listening"] == f"http://127.0.0.1:{port}"
        assert answers(f"http://127.0.0.1:{port}/_health")
        psp.send_signal(signal.SIGTERM)
        assert psp.wait(20) == 0


def test_the_simulated_site_says_what_the_platform_must_have(tallywatt: CommandLine, tmp_path: Path) -> None:
    """A program provisions a platform from it."""
    told = tallywatt.good("simulate", "site", "--state", str(tmp_path / "s"), "--operator", "x", "--stations").json

    assert (len(told["stations"]), len(told["drivers"])) == (43, 156)


@pytest.mark.timeout(90)
def test_the_command_serves_and_ends_in_order(data_dir: Path) -> None:
    """An empty directory becomes an installation; SIGTERM ends it without a trace; the socket is gone."""
    http = free_port()
    environment = {**os.environ, "TALLYWATT_HTTP_PORT": str(http), "TALLYWATT_OCPP_PORT": str(free_port())}
    with subprocess.Popen(
        [sys.executable, "-m", "tallywatt", "serve"], env=environment, stderr=subprocess.PIPE
    ) as server:
        deadline = time.monotonic() + 60
        while not answers(f"http://127.0.0.1:{http}/health") and time.monotonic() < deadline:
            time.sleep(0.1)
        assert (data_dir / "control.sock").exists()
        server.send_signal(signal.SIGTERM)
        _, said = server.communicate(timeout=30)

    assert server.returncode == 0
    assert b"Traceback" not in said
    assert not (data_dir / "control.sock").exists()
