"""Jobs that failed for good, and trying them again."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.console.shown import done, shown
from tallywatt.entrypoints.http.doors import Operations, Reader, TheHouse, actor_of
from tallywatt.workflows.retry_job import RetryJob, retry_job

router = APIRouter()


@router.get("/console/jobs")
async def list_jobs(request: Request, caller: Reader, house: TheHouse) -> Response:
    """Jobs that failed for good, and how many wait."""
    rows = await house.ask(house.views.jobs, caller.operator_id, "failed", 200)
    counts = await house.ask(house.views.job_counts, caller.operator_id)
    return await shown(request, house, caller, "jobs.html", "jobs", rows=rows, counts=counts)


@router.post("/console/jobs/{job_id}/retry")
async def retry(job_id: str, caller: Operations, house: TheHouse) -> Response:
    """Put a failed job back in line."""
    await house.write(caller.operator_id, retry_job, RetryJob(job_id), actor=actor_of(caller))
    return done("/console/jobs", "retried")
