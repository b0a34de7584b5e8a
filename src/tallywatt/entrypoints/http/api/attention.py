"""What waits for a person: the inbox, failed jobs; and the figures that must add up."""

from __future__ import annotations

from fastapi import APIRouter, Query, Request, Response

from tallywatt.entrypoints.http.api.places import operator_of
from tallywatt.entrypoints.http.doors import Clerk, Operations, Reader, TheHouse
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.shapes import Resolution
from tallywatt.entrypoints.http.telling import as_json, found, told
from tallywatt.kernel.clock import local_date
from tallywatt.metering.session import InboxState
from tallywatt.workflows.jobs import JobState
from tallywatt.workflows.resolve_inbox import ResolveItem, resolve_item
from tallywatt.workflows.retry_job import RetryJob, retry_job

router = APIRouter(tags=["attention"])


@router.get("/inbox")
async def list_inbox(
    caller: Reader,
    house: TheHouse,
    state: InboxState = InboxState.OPEN,
    kind: str | None = None,
    cursor: str | None = None,
    limit: int = Query(default=50, ge=1, le=200),
) -> Response:
    """What matches nothing, or only a person can decide; newest first."""
    filters = {"state": state.value, "kind": kind, "before": cursor}
    return as_json(await house.ask(house.views.inbox, caller.operator_id, limit, **filters))


@router.get("/inbox/{item_id}")
async def show_item(item_id: str, caller: Reader, house: TheHouse) -> Response:
    """One item."""
    row = await house.ask(house.views.inbox_item, caller.operator_id, item_id)
    return as_json(found(row, "item", "inbox.not_found"))


@router.post("/inbox/{item_id}/resolve")
async def resolve(request: Request, item_id: str, body: Resolution, caller: Clerk, house: TheHouse) -> Response:
    """Dismiss an item, release or write off the session behind it, or try its payment again."""
    command = ResolveItem(item_id, body.decision, body.note, body.customer)
    return await write_once(request, house, caller, resolve_item, command, lambda row: told(row, "item_id"))


@router.get("/jobs")
async def list_jobs(
    caller: Reader, house: TheHouse, state: JobState = JobState.FAILED, limit: int = Query(default=50, ge=1, le=200)
) -> Response:
    """Jobs in a state; the failed ones wait for somebody who tries them again."""
    counts = await house.ask(house.views.job_counts, caller.operator_id)
    return as_json(
        {"items": await house.ask(house.views.jobs, caller.operator_id, state.value, limit), "counts": counts}
    )


@router.post("/jobs/{job_id}/retry", status_code=202)
async def retry(request: Request, job_id: str, caller: Operations, house: TheHouse) -> Response:
    """Put a failed job back in line."""
    return await write_once(request, house, caller, retry_job, RetryJob(job_id), lambda row: told(row, "job_id"), 202)


@router.get("/audit/summary")
async def audit_summary(caller: Reader, house: TheHouse) -> Response:
    """Delivered = billed + explained, and billed = captured - refunded + owed. The full audit is `tallywatt audit`."""
    operator = await operator_of(house, caller.operator_id)
    today = local_date(house.business_now(), operator["zone"])
    return as_json(await house.ask(house.views.overview, caller.operator_id, today))


@router.get("/actions")
async def list_actions(caller: Reader, house: TheHouse, limit: int = Query(default=50, ge=1, le=200)) -> Response:
    """What people and keys did: who, what, when, before, after."""
    return as_json({"items": await house.ask(house.views.actions, caller.operator_id, limit)})
