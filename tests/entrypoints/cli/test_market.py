"""`tallywatt market-prices`: prices come from a file, twice or corrected, and are listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.entrypoints.cli.conftest import CommandLine

HEAD = "starts_at,per_mwh\n"
DAY = ("--market", "DE-LU", "--minutes", "60", "--currency", "EUR")
ROWS = "2026-11-24T00:00:00+01:00,80.00\n2026-11-24T01:00:00+01:00,-12.50\n2026-11-24T03:00:00+01:00,95\n"


@pytest.fixture
def town(tallywatt: CommandLine) -> CommandLine:
    """An installation with one operator."""
    tallywatt.good("database", "upgrade")
    tallywatt.good("operator", "add", "town", "--name", "Town", "--currency", "EUR", "--zone", "Europe/Berlin")
    return tallywatt


def test_prices_come_in_once_and_a_correction_is_told(town: CommandLine, tmp_path: Path) -> None:
    """The same file again changes nothing; a gap is said, because a session in it would wait for its price."""
    file = tmp_path / "day-ahead.csv"
    file.write_text(HEAD + ROWS, encoding="utf-8")
    first = town.good("market-prices", "import", str(file), *DAY, "--json").json
    again = town.good("market-prices", "import", str(file), *DAY, "--json").json
    file.write_text(HEAD + ROWS.replace("95", "96"), encoding="utf-8")
    said = town.good("market-prices", "import", str(file), *DAY).out

    assert (first["new"], first["same"], first["corrected"], first["gaps"]) == (3, 0, 0, 1)
    assert (again["new"], again["same"], again["corrected"]) == (0, 3, 0)
    assert "0 new, 2 there already, 1 corrected." in said
    listed = town.good("market-prices", "list", "--market", "DE-LU").out
    assert "96 EUR" in listed
    assert "-12.5" in listed
    assert "2026-11-24 03:00" in listed


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("", DAY),
        ("price\n5\n", DAY),
        (HEAD + "yesterday,80\n", DAY),
        (HEAD + "2026-11-24T00:00:00Z,cheap\n", DAY),
        (HEAD + "2026-11-24T00:10:00Z,80\n", DAY),
        (HEAD + ROWS, DAY[:4]),
        (HEAD + ROWS, (*DAY[:2], "--minutes", "7", *DAY[4:])),
        (HEAD + ROWS, (*DAY[:4], "--currency", "EURO")),
        ("{", DAY),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_of_it_is_kept(
    town: CommandLine, tmp_path: Path, text: str, options: tuple[str, ...]
) -> None:
    """With a code, and without a half of the file in the database."""
    file = tmp_path / "prices.csv"
    file.write_text(text, encoding="utf-8")
    ran = town("market-prices", "import", str(file), *options)

    assert ran.code == 2, ran.out
    assert ran.err.startswith("Error: ")
    assert "]" in ran.err
    assert town.good("market-prices", "list", "--json").json == []
