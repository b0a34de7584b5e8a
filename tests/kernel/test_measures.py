"""Counting: every figure is in exactly one place, and the sum is exact."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.measures import MICROSECONDS, Counter, Spread


@given(st.lists(st.integers(0, 10**8)))
def test_every_figure_is_counted_once(figures: list[int]) -> None:
    """A budget is judged by these."""
    spread = Spread(MICROSECONDS, "action")
    for figure in figures:
        spread.take(figure, "Start")

    counts = spread.counts.get(("Start",), [])
    assert sum(counts) == len(figures)
    assert spread.sums["Start",] == sum(figures)
    for place, bound in enumerate(MICROSECONDS):
        assert sum(counts[: place + 1]) == sum(figure <= bound for figure in figures)


def test_labels_are_counted_apart() -> None:
    """A slow refund must not hide behind a thousand quick captures."""
    counter = Counter("kind", "outcome")
    counter.add("refund", "Unknown")
    counter.add("capture", "Succeeded")
    counter.add("capture", "Succeeded")

    assert counter.totals == {("refund", "Unknown"): 1, ("capture", "Succeeded"): 2}
