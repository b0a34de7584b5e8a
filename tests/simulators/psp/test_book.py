"""The provider's state file: nothing that was answered is ever lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.kernel.errors import Broken
from tallywatt.simulators.psp import books
from tallywatt.simulators.psp.book import Book
from tests.simulators.psp.running import RunningPsp
from tests.simulators.psp.test_api import a_hold

if TYPE_CHECKING:
    from pathlib import Path


def test_whatever_was_answered_is_there_after_a_kill(tmp_path: Path) -> None:
    """A provider that forgets would make us look right."""
    with RunningPsp(tmp_path / "psp.jsonl") as psp:
        hold = a_hold(psp.client())
        prepared = psp.client().payment_intents.create({"amount": 700, "currency": "gbp"}, {"idempotency_key": "k"})
        psp.kill()
        psp.start()
        assert psp.client().payment_intents.retrieve(hold.id).status == "requires_capture"
        again = psp.client().payment_intents.create({"amount": 700, "currency": "gbp"}, {"idempotency_key": "k"})
        assert again.id == prepared.id
        assert psp.client().payment_intents.create({"amount": 700, "currency": "gbp"}).id not in (hold.id, prepared.id)


def test_a_torn_last_line_is_cut_off(tmp_path: Path) -> None:
    """It was never answered, and what is written next must not be joined to it."""
    with RunningPsp(tmp_path / "psp.jsonl") as psp:
        hold = a_hold(psp.client())
        psp.kill()
        whole = psp.state.read_bytes()
        psp.state.write_bytes(whole + b'{"at":1,"put":[{"id":"pi_torn"')
        psp.start()
        psp.client().payment_intents.capture(hold.id, {"amount_to_capture": 900})
    assert psp.state.read_bytes().startswith(whole)
    assert books.read(psp.state).captured_minor == {"GBP": 900}


def test_a_broken_line_in_the_middle_stops_the_start(tmp_path: Path) -> None:
    state = tmp_path / "psp.jsonl"
    Book(state).close()
    state.write_bytes(b"{broken\n" + state.read_bytes())
    with pytest.raises(Broken):
        Book(state)


def test_two_state_files_never_make_the_same_id(tmp_path: Path) -> None:
    """A new file beside an old database must not bring ids that the database knows."""
    ids = {Book(tmp_path / name).new_id("pi", 1) for name in ("a", "b")}
    assert len(ids) == 2


def test_the_books_of_a_file_that_is_not_there_are_empty(tmp_path: Path) -> None:
    assert books.read(tmp_path / "none").captured_minor == {}
