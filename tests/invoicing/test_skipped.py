"""Numbers that are left out: never one twice, never a step back, and every gap has its row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.invoicing.invoice import NumberSeries
from tallywatt.invoicing.skipped import SAFE_DISTANCE, is_skipped, moved_past, parts_of
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput

NOW = Instant(1_795_248_000_000)
NUMBERS = st.integers(0, 5000)


@given(following=st.integers(1, 5000), seen=NUMBERS, said=st.none() | NUMBERS)
def test_what_follows_is_past_everything_known_and_the_gap_is_explained(
    following: int, seen: int, said: int | None
) -> None:
    """The provider's list, a person's word and our own counter: the highest counts."""
    before = NumberSeries("INV", 2026, following, "2026-03-01")

    after, run = moved_past(before, seen, said, "2026-02-01", cause="r", now=NOW)

    assert after.next_number >= max(following, seen + 1, (said or 0) + 1)
    assert after.last_issue_date == "2026-03-01", "a later paper is never dated before an earlier one"
    runs = [] if run is None else [run]
    left_out = range(following, after.next_number)
    assert all(is_skipped(runs, "INV", 2026, number) for number in left_out)
    assert not is_skipped(runs, "INV", 2026, following - 1)
    assert not is_skipped(runs, "INV", 2026, after.next_number)
    assert not is_skipped(runs, "INV", 2025, following)


def test_nobody_knows_so_the_distance_is_safe() -> None:
    """A paper that was never paid leaves no trace at a provider."""
    after, _ = moved_past(NumberSeries("INV", 2026, 7, ""), 40, None, "2026-02-01", cause="r", now=NOW)

    assert after.next_number == 41 + SAFE_DISTANCE


def test_a_number_is_read_as_it_is_printed() -> None:
    """People copy it from a paper."""
    assert parts_of(" INV-2026-000123 ") == ("INV", 2026, 123)
    for wrong in ("123", "INV-26-1", "inv-2026-000123", "INV-2026-", ""):
        with pytest.raises(BadInput):
            parts_of(wrong)
