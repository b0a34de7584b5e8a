"""The machine's clock and chance: the only place where either is read from the world."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

from tallywatt.kernel.clock import RUNNING_ALONG, BusinessAnchor, Instant
from tallywatt.kernel.identity import Draw

if TYPE_CHECKING:
    from collections.abc import Callable

SEED_BYTES = 16


class MachineClock:
    """Machine time: never moved, used for leases, timeouts and UUIDv7."""

    def now(self) -> Instant:
        """Milliseconds since 1970."""
        return Instant(time.time_ns() // 1_000_000)


class WorldDraws:
    """Draws for commands: machine time, the business time that follows from it, and random bytes."""

    def __init__(self, anchor: Callable[[], BusinessAnchor] = lambda: RUNNING_ALONG) -> None:
        self._machine = MachineClock()
        self._anchor = anchor

    def draw(self) -> Draw:
        """A fresh draw; no two are alike."""
        now = self._machine.now()
        return Draw(now, self._anchor().at(now), secrets.token_bytes(SEED_BYTES))
