"""The chart of simulated sessions: its lengths are the amounts, and its words are the reader's."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from tallywatt.entrypoints.pages.cost_chart import FIGURE, PARTS, WIDTH, drawn, svg
from tallywatt.entrypoints.pages.language import speaking
from tallywatt.rating.policy import STANDARD
from tallywatt.rating.typical import TYPICAL, simulate, simulated_data
from tests.rating.examples import LONDON
from tests.rating.test_typical import DAY, NIGHTS

ROWS = simulated_data(simulate(NIGHTS, STANDARD, LONDON, DAY))


def test_bars_are_as_long_as_their_amounts() -> None:
    """The dearest session is as long as there is room, and a part twice as dear is twice as long."""
    bars = drawn(ROWS)["bars"]
    assert len(bars) == len(TYPICAL)
    most = max(row["gross_minor"] for row in ROWS)
    for row, bar in zip(ROWS, bars, strict=True):
        assert abs(bar["end"] - row["gross_minor"] / most * (WIDTH - FIGURE)) < 1
        kinds = [one["kind"] for one in bar["pieces"]]
        assert kinds == sorted(kinds, key=list(PARTS).index)


def test_only_what_is_there_is_in_the_legend() -> None:
    """No colour without a bar."""
    assert [one["kind"] for one in drawn(ROWS)["legend"]] == ["energy", "idle", "fee"]
    assert drawn([]) == {"width": WIDTH, "height": 0, "bars": [], "legend": []}


def test_money_that_is_given_back_has_no_length() -> None:
    """A bar does not go to the left of where it begins."""
    parts = [{"reason": "energy", "gross_minor": 500}, {"reason": "maximum_price", "gross_minor": -100}]
    [bar] = drawn([{**ROWS[0], "parts": parts, "gross_minor": 400}])["bars"]
    assert [one["kind"] for one in bar["pieces"]] == ["energy"]
    assert "4.00" in bar["total"]


def test_the_file_is_a_drawing_of_its_own_in_the_readers_language() -> None:
    """It opens anywhere, loads nothing, and quotes what it is told."""
    with speaking("de"):
        text = svg(ROWS, "Nacht & Tag")
    root = ET.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "Nacht &amp; Tag" in text
    assert "Über Nacht" in text
    assert "href" not in text
    assert "style" not in text
