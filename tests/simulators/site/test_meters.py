"""The site's own file: durable, append-only, read without the platform."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tallywatt.kernel.errors import BadInput
from tallywatt.simulators.site import meters, plan, sample
from tallywatt.simulators.site.meters import Book, OneTimeTag
from tallywatt.simulators.site.plan import Incident, Play

DAY = sample.read()


def a_play(index: int) -> Play:
    row = DAY.rows[index]
    return plan.plan_row(row, plan.first_register(row.station, row.connector), None, frozenset())


def test_what_was_delivered_reads_back_from_the_file_alone(tmp_path: Path) -> None:
    """The audit's other side: nothing of the platform is asked."""
    path = tmp_path / "deep" / "site.jsonl"
    book = Book.open(path, "day", {Incident.LOST_STOP: "1"})
    book.delivered(a_play(0), "A")
    book.delivered(a_play(1), "B")
    book.close()
    totals = meters.read(path)
    expected = {DAY.rows[i].id: DAY.rows[i].milliwatt_hours for i in (0, 1)}
    assert totals.by_row == expected
    assert (totals.sessions, totals.delivered_milliwatt_hours) == (2, sum(expected.values()))
    assert totals.incidents == {"lost_stop": "1"}


def test_a_second_play_adds_nothing_and_keeps_its_secret(tmp_path: Path) -> None:
    """Keys, incidents and deliveries of the first play hold, whatever the second asks for."""
    path = tmp_path / "site.jsonl"
    first = Book.open(path, "day", {Incident.LOST_STOP: "1"})
    first.delivered(a_play(0), "A")
    first.close()
    second = Book.open(path, "day", {})
    second.delivered(a_play(0), "A")
    second.close()
    assert second.site == first.site
    assert meters.read(path).sessions == 1
    assert len(path.read_text().splitlines()) == 2


def test_a_one_time_tag_is_remembered(tmp_path: Path) -> None:
    """A second play must not pay again."""
    path = tmp_path / "site.jsonl"
    book = Book.open(path, "day", {})
    book.paying("7", "pay_1", "/pay/x.json")
    book.never_plugged("7", "FIRST")
    book.remote_start("7", OneTimeTag("SECOND", "Central", 42))
    book.close()
    again = Book.open(path, "day", {})
    again.close()
    assert again.known_tag("7") == OneTimeTag("SECOND", "Central", 42)
    assert again.payments_of("7") == 1
    assert again.was_never_plugged("7")
    assert meters.read(path).payments == ("pay_1",)


def test_a_line_that_a_crash_cut_short_is_no_fact(tmp_path: Path) -> None:
    """It was never told to anybody; the next line must not be glued to it."""
    path = tmp_path / "site.jsonl"
    book = Book.open(path, "day", {})
    book.delivered(a_play(0), "A")
    book.close()
    with path.open("a") as file:
        file.write('{"kind":"delivered","row":"half')
    assert meters.read(path).sessions == 1
    again = Book.open(path, "day", {})
    again.delivered(a_play(1), "B")
    again.close()
    assert meters.read(path).sessions == 2
    assert all(json.loads(line) for line in path.read_text().splitlines())


def test_another_sample_or_a_damaged_file_is_refused(tmp_path: Path) -> None:
    """Two days in one file would be one bill too many."""
    path = tmp_path / "site.jsonl"
    Book.open(path, "day", {}).close()
    with pytest.raises(BadInput, match="holds a play of day"):
        Book.open(path, "another", {})
    path.write_text("not json\n")
    with pytest.raises(BadInput, match="line 1"):
        meters.read(path)
    with pytest.raises(BadInput, match="cannot be read"):
        meters.read(tmp_path / "none")
