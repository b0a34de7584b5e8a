"""Where runs are played: a house made once, a folder of its own for each run, and the report on one that failed."""

from __future__ import annotations

import logging
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Self

import structlog

from tests.simulation.furnish import furnish
from tests.simulation.plan import plan_of
from tests.simulation.run import play
from tests.simulation.shrink import MOST_TRIES, shortest

if TYPE_CHECKING:
    from types import TracebackType

    from tests.simulation.plan import Plan
    from tests.simulation.run import Outcome

MOST_REPORTS = 3
"""Of one process; the others are only named."""
IN_MEMORY = Path("/dev/shm")
"""Where it exists, runs are played there: nothing that they find depends on the disk."""


class Stage:
    """Plays plans, one after the other."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="tallywatt-", dir=IN_MEMORY if IN_MEMORY.is_dir() else None))
        self._templates: dict[str, Path] = {}
        self._runs = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def play(self, plan: Plan) -> Outcome:
        """One run."""
        self._runs += 1
        return play(plan, self._template(plan.provider), self._folder / str(self._runs))

    def _template(self, provider: str) -> Path:
        if provider not in self._templates:
            made = self._templates[provider] = self._folder / f"template of {provider}"
            made.mkdir()
            furnish(made, provider)
        return self._templates[provider]

    def report(self, outcome: Outcome, tries: int = MOST_TRIES) -> str:
        """What is broken, and the shortest history in which the same is."""
        wanted = kind_of(outcome.broken[0])
        last = outcome

        def fails(plan: Plan) -> bool:
            nonlocal last
            found = self.play(plan)
            if any(kind_of(one) == wanted for one in found.broken):
                last = found
                return True
            return False

        shortest(outcome.plan, fails, tries)
        broken = "\n".join(f"  {one}" for one in last.broken)
        history = "\n".join(last.history)
        return (
            f"seed {outcome.plan.seed} breaks what must be true:\n{broken}\n\nwith this plan:\n{last.plan}\n\n{history}"
        )


def kind_of(broken: str) -> str:
    """A truth without the figures and ids of one run: shrinking must not wander off to another fault."""
    words = [word for word in broken.split() if word.isalpha()]
    return " ".join(words[:6])


def play_all(seeds: range, history: bool) -> tuple[Counter[str], int]:
    """Play seeds in a process of its own: what there was in all of them, and how many failed."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    figures: Counter[str] = Counter()
    failed = 0
    with Stage() as stage:
        for seed in seeds:
            outcome = stage.play(plan_of(seed))
            figures.update(outcome.figures)
            if history:
                sys.stdout.write("\n".join([str(outcome.plan), *outcome.history, ""]))
            if outcome.broken:
                failed += 1
                text = stage.report(outcome) if failed <= MOST_REPORTS else f"seed {seed}: {outcome.broken[0]}"
                sys.stdout.write(f"{text}\n\n")
                sys.stdout.flush()
    return figures, failed
