"""Jobs: work that needs the outside world, written down in the transaction that wants it (the outbox)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import JobId


CAUSE: Final = "cause"
"""In a job's payload: what caused it, so that whatever it does has the same cause."""


class JobState(StrEnum):
    """Where a job stands."""

    READY = "ready"
    LEASED = "leased"
    DONE = "done"
    FAILED = "failed"
    """For good: visible on the console, and retried by hand only."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done. One job of a kind and subject exists at most.

    Asked for again while it waits, it stays as it is; while it runs, it runs once more after that: what it has looked at
    already may be what has changed.
    """

    kind: str
    subject_id: str
    payload: dict[str, Any] = field(default_factory=dict)
    not_before: Instant | None = None
    """Machine time; None: as soon as a worker is free."""


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job as it is kept. `run_at`, `lease_until`, `wanted_at` are machine time."""

    job_id: JobId
    kind: str
    subject_id: str
    payload: dict[str, Any]
    state: JobState
    run_at: Instant
    lease_until: Instant | None
    leased_by: str | None
    attempts: int
    last_error: str | None
    created_at: Instant

    @property
    def cause(self) -> str:
        """What caused it: the message of a station, the request of a person; by itself when nobody did."""
        return str(self.payload.get(CAUSE) or self.job_id)

    wanted_at: Instant | None = None
    """It was asked for again while it ran: from then on it is to run once more."""


BACKOFF_SECONDS = (1, 2, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600)


def next_run(attempts: int, now: Instant, chance: float) -> int | None:
    """When a job that failed for the nth time runs again, with jitter of a quarter; None when it has failed for good.

    `chance` is drawn by the caller, in [0, 1).
    """
    if attempts > len(BACKOFF_SECONDS):
        return None
    pause = BACKOFF_SECONDS[attempts - 1] * 1000
    return now + int(pause * (7 + 2 * chance) / 8)
