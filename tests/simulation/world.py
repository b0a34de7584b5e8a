"""The simulated world: one clock, one line of things to come, chance by name, and a history of what happened.

Everything that waits (a lost answer, a lease, a driver at lunch) is an entry in one heap. Whoever blocks in the real house (a
worker that waits for a provider) runs the world on until its answer is there, so other things happen in between.
"""

from __future__ import annotations

import heapq
from itertools import count
from random import Random
from typing import TYPE_CHECKING

from tallywatt.kernel.clock import Instant, parse_instant

if TYPE_CHECKING:
    from collections.abc import Callable

BEGINNING = parse_instant("2026-03-02T09:00:00Z")
SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
MOST_EVENTS = 400_000
"""A run that does more than this goes round in circles."""


class GoesRound(AssertionError):
    """The world does not come to rest."""


class World:
    """Time, chance and history of one run."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.now = BEGINNING
        self.history: list[str] = []
        self.unforeseen: list[str] = []
        """Errors of jobs that can only be faults of the house."""
        self.loss = 0.0
        """How likely a message is to be lost with its line, or to be very late."""
        self._coming: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()
        self._happened = 0

    def chance(self, name: str) -> Random:
        """A stream of chance of its own: leaving out one step of a plan does not change the luck of the others."""
        return Random(f"{self.seed}/{name}")

    def say(self, text: str) -> None:
        """Write down what happened."""
        self.history.append(f"{(self.now - BEGINNING) / SECOND:>10.3f} {text}")

    def at(self, when: int, what: Callable[[], None]) -> None:
        """Let something happen at a time."""
        heapq.heappush(self._coming, (max(when, self.now), next(self._order), what))

    def after(self, milliseconds: float, what: Callable[[], None]) -> None:
        """Let something happen after a time."""
        self.at(self.now + int(milliseconds), what)

    def run(self, until: int, done: Callable[[], bool] | None = None) -> None:
        """Let happen what comes, up to a time or until something is so. May be called from within what happens."""
        while self._coming and self._coming[0][0] <= until and not (done is not None and done()):
            when, _, what = heapq.heappop(self._coming)
            self.now = Instant(max(self.now, when))
            self._happened += 1
            if self._happened > MOST_EVENTS:
                msg = f"{MOST_EVENTS} things happened, and no end"
                raise GoesRound(msg)
            what()
        if done is None or not done():
            self.now = Instant(max(self.now, until))


class Handle:
    """Something to come that can be called off."""

    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        """Call it off."""
        self.cancelled = True


class LoopInOneThread:
    """What the gateway needs of an event loop, on the world's clock. It ends with the process that it is in."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.alive = True

    def time(self) -> float:
        """Seconds."""
        return self._world.now / SECOND

    def is_closed(self) -> bool:
        """Whether its process is dead."""
        return not self.alive

    def call_soon_threadsafe(self, what: Callable[..., None], *values: object) -> None:
        """As soon as whoever runs has ended."""
        self.call_later(0, what, *values)

    def call_later(self, seconds: float, what: Callable[..., None], *values: object) -> Handle:
        """After a time, if the process still lives."""
        handle = Handle()

        def happen() -> None:
            if self.alive and not handle.cancelled:
                what(*values)

        self._world.after(seconds * SECOND, happen)
        return handle
