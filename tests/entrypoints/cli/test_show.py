"""Tables of the command line: what is there to be copied is never cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.entrypoints.cli.show import Column, say_table

if TYPE_CHECKING:
    import pytest

ID = "01a20021-8535-7bfb-a18f-46de578f72c8"
ROW = {"id": ID, "name": "a name that is much longer than the others are", "place": "a place that is long, too"}
COLUMNS = (Column("name", "name"), Column("place", "place"), Column("id", "id"))


def test_in_a_pipe_nothing_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    """A pipe has no width."""
    say_table(COLUMNS, [ROW], empty="")

    assert capsys.readouterr().out.splitlines()[1].split("  ") == [ROW["name"], ROW["place"], ID]


def test_on_a_narrow_terminal_the_id_stays_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next command needs it; a name may go on in a second line."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    say_table(COLUMNS, [ROW], empty="")
    _, *shown = capsys.readouterr().out.splitlines()

    assert ID in shown[0]
    assert [line for line in shown if "…" in line or len(line) > 80] == []
