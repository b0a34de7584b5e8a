"""A person lets a job run again that has failed for good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallywatt.kernel.errors import Conflict
from tallywatt.workflows.jobs import Job, JobState, StoredJob
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class RetryJob:
    """Which job."""

    job_id: str


def retry_job(work: UnitOfWork, command: RetryJob) -> StoredJob:
    """Put a failed job back in line, with all its attempts before it. One that waits or runs is left alone."""
    job = work.stored_jobs.lock(command.job_id)
    if job.state in {JobState.READY, JobState.LEASED}:
        return job
    if job.state is JobState.DONE:
        msg = "this job is done; there is nothing to try again"
        raise Conflict(msg, code="jobs.done")
    work.jobs.add(Job(job.kind, job.subject_id, job.payload))
    record_action(work, "job.retry", "job", job.job_id, before={"attempts": job.attempts}, after={"state": "ready"})
    return work.stored_jobs.get(command.job_id)
