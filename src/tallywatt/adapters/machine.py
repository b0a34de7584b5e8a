"""The machine's clock and chance: the only place where either is read from the world."""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tallywatt.kernel.clock import RUNNING_ALONG, BusinessAnchor, Instant
from tallywatt.kernel.identity import Draw

if TYPE_CHECKING:
    from collections.abc import Callable

SEED_BYTES = 16
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PROCESSES = Path("/proc/self/ns/pid")


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


def process_name() -> str:
    """Who this process is, for leases: the machine, its boot and the space of its process numbers, and the number."""
    boot, space = "", ""
    with suppress(OSError):
        # Not to be had everywhere; without them two containers of one name look like one machine.
        boot, space = BOOT_ID.read_text(encoding="ascii")[:8], str(PROCESSES.stat().st_ino)
    return f"{os.uname().nodename}-{boot}-{space}/{os.getpid()}"


def is_gone(name: str) -> bool:
    """Whether a process of that name has certainly ended: it was one of this machine, and runs no more.

    A name of our own number is that of one that ended: we have just begun. False for processes of other machines.
    """
    ours = process_name()
    where, _, number = name.partition("/")
    number = number.partition("/")[0]
    if where != ours.partition("/")[0] or not number.isdecimal():
        return False
    if int(number) == os.getpid():
        return True
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
