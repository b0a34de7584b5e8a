"""`make simulate RUNS=2000`: plays that many seeds on all cores and prints the shortest history of each that fails."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from time import monotonic

from tests.simulation.stage import play_all


def main() -> int:
    """Play the seeds; 1 when any of them fails."""
    reader = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    reader.add_argument("--runs", type=int, default=200, help="how many seeds")
    reader.add_argument("--first", type=int, default=1, help="the first seed")
    reader.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    reader.add_argument("--history", action="store_true", help="print what happened in every run")
    asked = reader.parse_args()
    began = monotonic()
    seeds = range(asked.first, asked.first + asked.runs)
    shares = [(seeds[place :: asked.processes], asked.history) for place in range(asked.processes)]
    with ProcessPoolExecutor(asked.processes, multiprocessing.get_context("spawn")) as pool:
        found = list(pool.map(play_all, *zip(*shares, strict=True)))
    figures: Counter[str] = Counter()
    failed = 0
    for counted, share in found:
        figures.update(counted)
        failed += share
    counts = ", ".join(f"{figures[name]} {name}" for name in sorted(figures))
    sys.stdout.write(f"{asked.runs} runs in {monotonic() - began:.0f} s: {counts}\n{failed} failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
