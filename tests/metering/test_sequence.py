"""Numbers of events: which are missing, whatever order they come in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tallywatt.metering.sequence import MOST_GAPS, Sequence, read_gaps, written_gaps


def test_a_number_that_is_skipped_is_missed_until_it_comes() -> None:
    """The queue of a station is not always in order."""
    heard = Sequence().heard(0, is_first=True).heard(3)
    assert written_gaps(heard.gaps) == "1-2"
    assert written_gaps(heard.heard(2).gaps) == "1"
    assert heard.heard(2).heard(1).gaps == ()


def test_a_station_that_always_says_zero_misses_nothing() -> None:
    """It does not count at all."""
    assert Sequence().heard(0, is_first=True).heard(0).heard(0) == Sequence(0)


def test_nothing_comes_before_the_first_event() -> None:
    """Some stations begin at one, others count over all their transactions."""
    assert Sequence().heard(7, is_first=True).gaps == ()
    assert Sequence().heard(9).heard(7, is_first=True).gaps == ((8, 8),)


@given(st.permutations(range(8)), st.lists(st.integers(0, 7), max_size=5))
def test_every_order_ends_without_a_gap(order: list[int], again: list[int]) -> None:
    """Late, out of order, twice."""
    heard = Sequence()
    for number in (*order, *again):
        heard = heard.heard(number, is_first=number == 0)
    assert heard == Sequence(7)


@given(st.lists(st.integers(0, 2**31 - 1), max_size=200))
def test_the_memory_of_gaps_is_bounded_and_written_as_it_is_read(numbers: list[int]) -> None:
    """A station that jumps about must not fill a row."""
    heard = Sequence()
    for number in numbers:
        heard = heard.heard(number)
    assert len(heard.gaps) <= MOST_GAPS
    assert read_gaps(written_gaps(heard.gaps)) == heard.gaps
