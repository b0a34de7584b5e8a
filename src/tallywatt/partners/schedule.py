"""Pure: when a delivery is tried again, when it is given up, and when an endpoint that never answers is left alone."""

from __future__ import annotations

from tallywatt.kernel.clock import Instant

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR

RETRY_SECONDS = (
    5, 30, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR,
)  # fmt: skip
"""The pauses after each failure of one delivery: three days in all, then it is given up and can be replayed by hand."""

SEND_SECONDS = 15
"""How long a receiver may take for everything: name, connection, answer."""
LEASE_SECONDS = 60
"""How long a sender that died keeps a delivery; longer than a receiver may take."""
AT_ONCE = 4
"""Deliveries on their way to one endpoint at the same time."""

PROBE_AFTER_FAILURES = 5
"""An endpoint that failed so often in a row gets one delivery at a time, with pauses, until one comes through."""
PROBE_SECONDS = (10, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE)
DISABLE_AFTER_SECONDS = 5 * DAY
"""An endpoint that took nothing for so long is disabled, visibly. What waits for it stays."""
LONGEST_WAIT_SECONDS = DAY
"""A receiver may ask for patience (Retry-After), but for no more than that."""

LOG_SECONDS = 90 * DAY
"""How long what has ended stays in the log; an older event can still be replayed, by its position."""

OLD_SECRET_SECONDS = DAY
"""How long a rotated secret still signs beside its successor, if nobody says otherwise."""
LONGEST_OLD_SECRET_SECONDS = 30 * DAY


def next_try(failures: int, now: Instant, chance: float, wait_seconds: int | None = None) -> Instant | None:
    """When a delivery that failed for the nth time is tried again; None when it is given up.

    `chance` in [0, 1) spreads the pauses by a quarter, so that what failed together does not come back together.
    """
    if failures > len(RETRY_SECONDS):
        return None
    return Instant(now + _spread(_at_least(RETRY_SECONDS[failures - 1], wait_seconds), chance))


def next_probe(failures_in_a_row: int, now: Instant, chance: float, wait_seconds: int | None = None) -> Instant | None:
    """Until when an endpoint is left alone after so many failures in a row; None: it is not."""
    beyond = failures_in_a_row - PROBE_AFTER_FAILURES
    if beyond < 0:
        return None if wait_seconds is None else Instant(now + min(wait_seconds, LONGEST_WAIT_SECONDS) * 1000)
    pause = PROBE_SECONDS[min(beyond, len(PROBE_SECONDS) - 1)]
    return Instant(now + _spread(_at_least(pause, wait_seconds), chance))


def _at_least(pause: int, wait_seconds: int | None) -> int:
    return pause if wait_seconds is None else max(pause, min(wait_seconds, LONGEST_WAIT_SECONDS))


def _spread(pause: int, chance: float) -> int:
    return int(pause * 1000 * (7 + 2 * chance) / 8)
