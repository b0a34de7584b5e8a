"""Pure: what a process counts about itself while it works: numbers of things, and how figures are spread.

Counting costs less than a microsecond and loads nothing; whoever wants to read it translates it (`adapters/measures`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import Final

Labels = tuple[str, ...]

MICROSECONDS: Final = (
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000, 30_000_000,
)  # fmt: skip
"""From a tenth of a millisecond to half a minute."""


class Counter:
    """How often something happened, by its labels."""

    __slots__ = ("labels", "totals")

    def __init__(self, *labels: str) -> None:
        self.labels = labels
        self.totals: dict[Labels, int] = defaultdict(int)

    def add(self, *values: str) -> None:
        """It happened once more."""
        self.totals[values] += 1


class Spread:
    """How whole figures are spread: how many were at most so large, by labels."""

    __slots__ = ("bounds", "counts", "labels", "sums")

    def __init__(self, bounds: tuple[int, ...], *labels: str) -> None:
        self.bounds = bounds
        self.labels = labels
        self.counts: dict[Labels, list[int]] = {}
        self.sums: dict[Labels, int] = defaultdict(int)

    def take(self, figure: int, *values: str) -> None:
        """One more figure."""
        counts = self.counts.get(values)
        if counts is None:
            counts = self.counts[values] = [0] * (len(self.bounds) + 1)
        counts[bisect_left(self.bounds, figure)] += 1
        self.sums[values] += figure
