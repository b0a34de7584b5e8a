"""How figures are written on pages: exact, in the reader's words, and never as markup that somebody typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.entrypoints.pages import figures, render
from tallywatt.entrypoints.pages.curve import HEIGHT, WIDTH, curve
from tallywatt.entrypoints.pages.frame_page import view as frame_view
from tallywatt.entrypoints.pages.overview import BAR, energy
from tallywatt.entrypoints.pages.words import label
from tallywatt.kernel.energy import wh

MONEY = [
    (1240, "GBP", "£12.40"),
    (0, "EUR", "€0.00"),
    (-5, "GBP", "-£0.05"),
    (1234, "JPY", "JP¥1,234"),
    (1, "KWD", "KWD\xa00.001"),
    (None, "GBP", "–"),
]
PRICES = [("0.35", "£0.35"), ("0.4515", "£0.4515"), ("1", "£1.00"), ("0", "£0.00"), ("120", "£120.00")]
ENERGY = [("12057", "12.057"), ("12057.125", "12.057"), ("0", "0.000"), ("2681004", "2,681.004"), (None, "–")]


@pytest.mark.parametrize(("minor", "code", "said"), MONEY)
def test_money_has_the_places_of_its_currency(minor: int | None, code: str, said: str) -> None:
    """Two, none, three."""
    assert figures.money(minor, code) == said


@pytest.mark.parametrize(("price", "said"), PRICES)
def test_a_unit_price_keeps_every_place_that_it_has(price: str, said: str) -> None:
    """A price of 0.4515 that is shown as 0.45 would be another price."""
    assert figures.price(price, "GBP") == said


@pytest.mark.parametrize(("text", "said"), ENERGY)
def test_energy_is_shown_to_the_watt_hour(text: str | None, said: str) -> None:
    """Kilowatt-hours with three places."""
    assert figures.kwh(text) == said


def test_times_are_told_in_the_zone_of_the_place() -> None:
    """Summer time included."""
    assert figures.time_of_day("2018-08-24T08:15:00.000Z", "Europe/London") == "09:15"
    assert figures.day("2018-08-24T23:30:00.000Z", "Europe/London") == "25 Aug 2018"
    assert 'datetime="2018-08-24T08:15:00.000Z"' in render.day_and_time("2018-08-24T08:15:00.000Z", "Europe/London")


@pytest.mark.parametrize(
    ("end", "said"), [("08:00", "0 min"), ("08:59", "59 min"), ("09:05", "1 h 05 min"), ("07:00", "0 min")]
)
def test_a_length_of_time_is_told_in_hours_and_minutes(end: str, said: str) -> None:
    """Never below nothing, whatever a clock says."""
    assert figures.span("2026-01-01T08:00:00Z", f"2026-01-01T{end}:00Z") == said


def test_a_code_without_a_word_is_shown_as_it_is() -> None:
    """A new reason is never a crash."""
    assert label("session_of_a_new_kind", "inbox") == "Session of a new kind"
    assert label("lost_stop", "inbox") == "Stop never came"
    assert label(None) == "–"


def test_a_broken_code_is_escaped_before_it_may_break() -> None:
    """Identities are typed by strangers."""
    assert render.breakable("GB*<b>/1") == "GB*<wbr>&lt;b&gt;/<wbr>1"
    assert render.coded("see `<b>` here") == "see <code>&lt;b&gt;</code> here"


@given(st.lists(st.integers(0, 10**12), min_size=4, max_size=4))
def test_the_shares_of_an_equation_fill_the_bar_and_never_more(parts: list[int]) -> None:
    """What is left over is shown too, and it is said when it is not nothing."""
    billed, explained, running, off = parts
    figures = {
        "delivered_wh": wh(sum(parts)), "billed_wh": wh(billed), "explained_wh": wh(explained), "running_wh": wh(running),
        "unexplained_wh": wh(off), "explained_by": {},
    }  # fmt: skip
    shown = energy(figures)
    assert shown["adds_up"] is (off == 0)
    ends = [part["x"] + part["width"] for part in shown["parts"]]
    assert all(end <= BAR for end in ends)
    assert all(one["x"] <= other["x"] for one, other in zip(shown["parts"], shown["parts"][1:], strict=False))


def reading(minute: int, register: int) -> dict[str, str]:
    """A reading as the view tells it."""
    return {"occurred_at": f"2026-01-01T08:{minute:02d}:00Z", "register_wh": str(register)}


def test_the_curve_begins_at_the_start_and_ends_at_the_end() -> None:
    """Readings between them, each where its time and its register put it."""
    row = {
        "started_at": "2026-01-01T08:00:00Z", "meter_start_wh": "1000", "readings": [reading(30, 3000)],
        "transaction_ended_at": "2026-01-01T09:00:00Z", "meter_stop_wh": "5000",
    }  # fmt: skip
    drawn = curve(row)
    assert drawn is not None
    assert drawn["line"] == f"M0.0 {HEIGHT - 4}.0 L{WIDTH / 2} {HEIGHT / 2} L{WIDTH}.0 4.0"


def test_there_is_no_curve_of_one_point() -> None:
    """Nor of none, nor of readings without any time between them."""
    row = {
        "started_at": "2026-01-01T08:00:00Z",
        "meter_start_wh": None,
        "transaction_ended_at": None,
        "meter_stop_wh": None,
    }
    assert curve({**row, "readings": []}) is None
    assert curve({**row, "readings": [reading(0, 5)]}) is None
    assert curve({**row, "readings": [reading(5, 5), reading(5, 6)]}) is None


@pytest.mark.parametrize(
    ("text", "kind", "pretty"),
    [
        ('[2,"1","Heartbeat",{}]', "Call", "{}"), ('[3,"1",{"a":1}]', "Answer", '{\n  "a": 1\n}'),
        ("{not json", None, "{not json"), ('["x"]', None, '[\n  "x"\n]'), (None, None, None),
    ],
)  # fmt: skip
def test_a_frame_is_shown_also_when_it_is_no_message(text: str | None, kind: str | None, pretty: str | None) -> None:
    """What a station sent is evidence, whatever it is."""
    shown = frame_view({"text": text})
    assert (shown["kind"], shown["pretty"], shown["erased"]) == (kind, pretty, text is None)
