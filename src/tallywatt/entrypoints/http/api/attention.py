"""What waits for a person: the inbox, failed jobs; and the figures that must add up."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime

from tallywatt.entrypoints.http.api.places import operator_of
from tallywatt.entrypoints.http.api.tariffs import when
from tallywatt.entrypoints.http.doors import Clerk, Operations, Reader, TheHouse
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, listed, page, place_of
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.shapes import Resolution
from tallywatt.entrypoints.http.telling import as_json, found, told
from tallywatt.kernel.clock import local_date
from tallywatt.kernel.identity import SessionId
from tallywatt.metering.session import InboxState, Reason
from tallywatt.workflows.jobs import JobState
from tallywatt.workflows.resolve_inbox import ResolveItem, resolve_item
from tallywatt.workflows.retry_job import RetryJob, retry_job

router = APIRouter(tags=["attention"], route_class=Resource)


@router.get("/inbox")
async def list_inbox(
    request: Request,
    caller: Reader,
    house: TheHouse,
    state: InboxState = InboxState.OPEN,
    kind: str | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """What matches nothing, or only a person can decide; newest first."""
    return await listed(request, house, caller, "inbox", limit, cursor, state=state, kind=kind)


@router.get("/inbox/{item_id}")
async def show_item(item_id: str, caller: Reader, house: TheHouse) -> Response:
    """One item."""
    row = await house.ask(house.views.inbox_item, caller.operator_id, item_id)
    return as_json(found(row, "item", "inbox.not_found"))


@router.post("/inbox/{item_id}/resolve")
async def resolve(request: Request, item_id: str, body: Resolution, caller: Clerk, house: TheHouse) -> Response:
    """Decide about an item: dismiss it, match it, try its payment again; or release, accept or write off its session."""
    session_id = None if body.session_id is None else SessionId(body.session_id)
    command = ResolveItem(item_id, body.decision, body.note, body.customer, session_id)
    return await write_once(request, house, caller, resolve_item, command, lambda row: told(row, "item_id"))


@router.get("/jobs")
async def list_jobs(
    request: Request,
    caller: Reader,
    house: TheHouse,
    state: JobState = JobState.FAILED,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Jobs in a state, newest first. Failed ones wait for somebody who tries again; `counts`: how many are not done."""
    rows = await house.ask(house.views.page, "jobs", caller.operator_id, limit, place_of(cursor), state=state.value)
    return page(request, {**rows, "counts": await house.ask(house.views.job_counts, caller.operator_id)})


@router.get("/jobs/{job_id}")
async def show_job(job_id: str, caller: Reader, house: TheHouse) -> Response:
    """One job: how often it was tried, and what it said last."""
    return as_json(found(await house.ask(house.views.job, caller.operator_id, job_id), "job", "jobs.not_found"))


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
async def list_actions(
    request: Request,
    caller: Reader,
    house: TheHouse,
    subject: str | None = None,
    who: str | None = None,
    action: str | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """What people and keys did, newest first: who, what, when, before, after.

    `subject` is the id of what was changed, `who` the id of the person or key, `action` as it is told: `location.change`.
    """
    filters = {"subject": subject, "who": who, "action": action, "since": when(since), "until": when(until)}
    return await listed(request, house, caller, "actions", limit, cursor, **filters)


@router.get("/explanations")
async def list_explanations(
    request: Request,
    caller: Reader,
    house: TheHouse,
    reason: Reason | None = None,
    session: str | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Energy that was metered and is on no bill, newest first: how much, why, and who said so."""
    return await listed(request, house, caller, "explanations", limit, cursor, reason=reason, session=session)
