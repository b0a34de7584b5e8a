"""Pure: an auditor's own sum of a transaction's registers.

A register that falls and comes back was a dropout; one that falls and stays down was reset, and counts on from nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tallywatt.evidence.decode import Point

COARSE = 1_000_000
"""Some stations give the last register in whole kWh only; a finer one before it is then the better figure."""


def energy(start: int | None, points: Sequence[Point], stop: int | None) -> int:
    """Milliwatt-hours from the register at the start, over what was sampled, to the register at the end."""
    registers = [point.register for point in sorted(points) if point.register >= 0]
    if start is not None and start >= 0:
        registers.insert(0, start)
    if stop is not None and stop >= 0:
        finer = registers[-1] if registers else stop
        registers.append(finer if stop % COARSE == 0 and stop < finer < stop + COARSE else stop)
    return sum(run[-1] - base for base, run in _runs(registers))


def last(start: int | None, points: Sequence[Point]) -> int | None:
    """The register that was seen last, when there was no stop."""
    good = [point for point in points if point.register >= 0]
    return max(good).register if good else start


def _runs(registers: list[int]) -> list[tuple[int, list[int]]]:
    """Stretches in which the register never falls, each with what it counts from: its begin, or nothing after a reset."""
    runs: list[tuple[int, list[int]]] = []
    for place, register in enumerate(registers):
        if not runs:
            runs.append((register, [register]))
            continue
        _, run = runs[-1]
        if register >= run[-1]:
            run.append(register)
        elif max(registers[place + 1 :], default=-1) < run[-1]:
            runs.append((0, [register]))
    return runs
