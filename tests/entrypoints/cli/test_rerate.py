"""`tallywatt rerate`: a check that nothing would be billed otherwise, and a look at what another tariff would have brought."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.entrypoints.cli.conftest import a_tariff
from tests.entrypoints.cli.test_schemas import misfits

if TYPE_CHECKING:
    from pathlib import Path

    from tests.entrypoints.cli.conftest import CommandLine


def dearer(folder: Path, **more: Any) -> Path:
    """The tariff of the shop, four pence dearer and with a fee."""
    path = folder / "next.json"
    components = [{"type": "ENERGY", "price": 0.49, "vat": 20}, {"type": "FLAT", "price": 0.5, "vat": 20}]
    data = {"id": "next", "currency": "GBP", "tax_included": "YES", "elements": [{"price_components": components}]}
    path.write_text(json.dumps(data | more), encoding="utf-8")
    return path


def test_what_was_billed_comes_out_the_same(shop: CommandLine) -> None:
    """After an update an operator asks whether it changes any price; the answer is one line and an exit code."""
    said = shop.good("rerate")

    assert said.out == "2 sessions, 6.62 GBP: all the same to the last line.\n\nNothing was changed.\n"
    told = shop.good("rerate", "--json").json
    assert misfits(told, "rerate") == []
    assert (told["differ"], told["sessions"]) == (0, [])


def test_a_price_that_differs_is_a_finding(shop: CommandLine, data_dir: Path) -> None:
    """Somebody altered a stored price: it is shown beside the one that its input gives."""
    with sqlite3.connect(data_dir / "tallywatt.db") as connection:
        connection.execute("UPDATE rated_results SET net_minor = net_minor + 100, gross_minor = gross_minor + 100")
    said = shop("rerate", "--limit", "1")

    assert said.code == 1
    assert "-1.00" in said.out
    assert "These are the 1 largest of 2 differences; for more: --limit N." in said.out
    assert "Of them 2 cheaper." in said.out


def test_another_tariff_is_compared_session_by_session_and_in_sum(shop: CommandLine, tmp_path: Path) -> None:
    """A new price list is decided on by what it would have brought: nothing is written by the question."""
    before = shop.good("session", "list", "--json").out
    file = str(dearer(tmp_path))
    shown = shop.good("rerate", "--tariff", file).out
    told = shop.good("rerate", "--tariff", file, "--json").json

    assert "session fee" in shown
    assert "+0.92" in shown
    assert "Of them 2 dearer." in shown
    assert misfits(told, "rerate") == []
    [total] = told["sums"]
    assert (total["was"]["gross_minor"], total["now"]["gross_minor"]) == (662, 821)
    assert total["by_reason"]["session_fee"] == {"was_minor": 0, "now_minor": 100}
    assert [one["difference"]["gross_minor"] for one in told["sessions"]] == [92, 67]
    assert told["sessions"][0]["moved"] == {"energy": 42, "session_fee": 50}
    assert shop.good("session", "list", "--json").out == before


def test_every_session_is_a_line_for_a_pipeline(shop: CommandLine) -> None:
    """Also those that are the same: a program joins them by id."""
    lines = [json.loads(one) for one in shop.good("rerate", "--jsonl").out.splitlines()]

    assert [one["was"] == one["now"] for one in lines] == [True, True]
    assert [one["moved"] for one in lines] == [{}, {}]
    rest: dict[str, Any] = {"sums": [], "differ": 0, "of_other_currency": 0}
    assert misfits({**rest, "sessions": lines}, "rerate") == []


def test_a_stored_tariff_and_a_policy_can_be_named(shop: CommandLine, tmp_path: Path) -> None:
    """The same tariff under a policy that rounds the net first is a question of policy alone."""
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"amounts": "net_first"}), encoding="utf-8")
    told = shop.good("rerate", "--tariff", "flat", "--policy", str(policy), "--json").json

    assert told["sums"][0]["sessions"] == 2


@pytest.mark.parametrize(
    "period", [("--since", "2030-01-01T00:00:00Z"), ("--until", "2010-01-01T00:00:00Z"), ("--priced-by", "other")]
)
def test_a_period_without_prices_is_told(shop: CommandLine, period: tuple[str, str]) -> None:
    """An empty answer must not look like a good one."""
    assert shop.good("rerate", *period).out == "No session with a price.\n"


def test_a_tariff_of_another_currency_compares_nothing(shop: CommandLine, tmp_path: Path) -> None:
    """It says so, for people and for programs."""
    file = str(dearer(tmp_path, currency="EUR"))

    assert "2 sessions were priced in another currency" in shop.good("rerate", "--tariff", file).out
    assert shop.good("rerate", "--tariff", file, "--json").json["of_other_currency"] == 2
    assert json.loads(shop.good("rerate", "--tariff", file, "--jsonl").out.splitlines()[0])["now"] is None


def test_a_tariff_that_is_not_there_is_told(shop: CommandLine) -> None:
    """With a remedy, as everywhere."""
    said = shop("rerate", "--tariff", "nowhere")

    assert said.code == 3
    assert "[tariffs.not_found]" in said.err


# --- files of columns ---


def columns(folder: Path, **more: Any) -> str:
    """Three records of 10, 20 and 30 kWh, of which the first two tell what they came to."""
    start = 1_795_514_400_000
    rows = [
        {
            "id": f"C-{place}",
            "started_at": start,
            "tariff": "flat",
            "periods": [{"start": start, "milliwatt_hours": 10_000_000 * place}],
            "gross_minor": {1: 450, 2: 950}.get(place),
            **more,
        }
        for place in (1, 2, 3)
    ]
    path = folder / "cdrs.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    return str(path)


def test_records_in_a_file_are_priced_beside_what_they_came_to(tallywatt: CommandLine, tmp_path: Path) -> None:
    """A partner's month: no database is needed where the tariff is a file."""
    file, tariff = columns(tmp_path), str(a_tariff(tmp_path))
    shown = tallywatt.good("rerate", file, "--tariff", tariff, "--out", str(tmp_path / "prices.arrow")).out
    told = tallywatt.good("rerate", file, "--tariff", tariff, "--json").json

    assert "3 records" in shown
    assert "27.00 GBP" in shown
    assert "Of them 0 dearer, 1 cheaper, 1 the same." in shown
    assert "3 of 3 records were priced by columns, 0 one by one." in shown
    assert told["sums"][0]["gross_minor"] == 2700
    assert told["differing"] == [{"number": 1, "currency": "GBP", "was_minor": 950, "now_minor": 900}]
    with pa.ipc.open_file(tmp_path / "prices.arrow") as written:
        assert written.read_all().column("gross_minor").to_pylist() == [450, 900, 1350]


def test_a_file_may_name_stored_tariffs(shop: CommandLine, tmp_path: Path) -> None:
    """The records of an operator's own export carry them."""
    lines = [json.loads(one) for one in shop.good("rerate", columns(tmp_path), "--jsonl").out.splitlines()]

    assert [(one["id"], one["gross_minor"]) for one in lines] == [("C-1", 450), ("C-2", 900), ("C-3", 1350)]


def test_what_a_file_lacks_is_told(tallywatt: CommandLine, tmp_path: Path) -> None:
    """Each with a code and what to do."""
    tariff = str(a_tariff(tmp_path))
    file = columns(tmp_path, tariff=None, time_zone="Mars/Olympus")
    expected = {
        ("rerate", file): "rerate.no_tariff",
        ("rerate", file, "--tariff", tariff): "time.unknown_zone",
        ("rerate", tariff, "--tariff", tariff): "rerate.not_columns",
        ("rerate", file, "--tariff", tariff, "--out", "prices.csv"): "rerate.not_columns",
        ("rerate", file, "--since", "2026-01-01T00:00:00Z"): "rerate.not_for_files",
        ("rerate", "--zone", "Europe/London"): "rerate.only_for_files",
    }
    found = {arguments: tallywatt(*arguments) for arguments in expected}

    assert {ran.code for ran in found.values()} == {2}
    assert {key: ran.err.partition("[")[2].partition("]")[0] for key, ran in found.items()} == expected


def test_without_the_extra_a_file_is_refused_with_the_remedy(tmp_path: Path) -> None:
    """Most installations have no use for 200 MB of columns; who asks learns the command."""
    script = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from tallywatt.entrypoints.cli import main\n"
        f"main(['rerate', {str(tmp_path / 'cdrs.parquet')!r}, '--tariff', 'flat'])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "[batch.not_installed]" in done.stderr
    assert 'pip install "tallywatt[batch]"' in done.stderr
