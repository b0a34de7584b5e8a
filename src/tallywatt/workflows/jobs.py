"""Jobs: work that needs the outside world, written down in the transaction that wants it (the outbox)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.clock import Instant

if TYPE_CHECKING:
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
    cut_short: int = 0
    """How often in a row its worker has ended while it held this job."""

    @property
    def is_suspect(self) -> bool:
        """Whether it may be what ends its workers: it runs alone, so that no other is cut short with it."""
        return self.cut_short >= PATIENCE


PATIENCE: Final = 5
"""So often a process may end beside a job without anybody suspecting the job."""
BACKOFF_SECONDS = (1, 2, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600)


def next_run(attempts: int, now: Instant, chance: float) -> int | None:
    """When a job that failed for the nth time runs again, with jitter of a quarter; None when it has failed for good.

    `chance` is drawn by the caller, in [0, 1).
    """
    if attempts > len(BACKOFF_SECONDS):
        return None
    pause = BACKOFF_SECONDS[attempts - 1] * 1000
    return now + int(pause * (7 + 2 * chance) / 8)


def after_cut(job: StoredJob, now: Instant) -> StoredJob:
    """A claimed job whose worker has ended: ready again, as if it had not begun.

    One to which this happens again and again may be what ends its workers. It waits then, longer each time, so that the others
    have their turn; at last it stays visible as failed.
    """
    times = job.cut_short + 1
    again = replace(
        job, state=JobState.READY, lease_until=None, leased_by=None, attempts=job.attempts - 1, cut_short=times
    )
    if not again.is_suspect:
        return again
    turn = times - PATIENCE
    if turn >= len(BACKOFF_SECONDS):
        why = f"the process that did it has ended {times} times in a row"
        return replace(again, state=JobState.FAILED, attempts=job.attempts, last_error=why)
    return replace(again, run_at=Instant(now + BACKOFF_SECONDS[turn] * 1000))
