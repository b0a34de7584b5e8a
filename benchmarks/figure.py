"""What a benchmark says: a figure, its budget, and the same job done with what one would pick instead."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. Absolute times are noisy; the ratio comes from one run and counts."""

    what: str
    value: float
    unit: str
    budget: float | None = None
    """The most that it may be, in the same unit."""
    instead: str = ""
    instead_value: float | None = None

    @property
    def kept(self) -> bool:
        """Whether the budget is kept; a figure without one always is."""
        return self.budget is None or self.value <= self.budget

    @property
    def ratio(self) -> float | None:
        """How many times as much the other way takes."""
        return None if self.instead_value is None else self.instead_value / self.value


def cpu_microseconds(job: Callable[[], object], *, times: int, rounds: int = 5) -> float:
    """CPU time of one call in microseconds: the median of several rounds, so that a neighbour's noise falls out."""
    measured = []
    for _ in range(rounds):
        started = time.process_time()
        for _ in range(times):
            job()
        measured.append((time.process_time() - started) / times * 1e6)
    return median(measured)
