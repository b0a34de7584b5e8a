"""Audits on the console: have one run, see that everything adds up, or what does not."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.audits import audit_of
from tallywatt.entrypoints.http.console.shown import PAGE, done, shown
from tallywatt.entrypoints.http.doors import Auditor, Reader, TheHouse, actor_of
from tallywatt.entrypoints.http.manners import Cursor, cursor_of, place_of
from tallywatt.workflows.run_audit import AskAudit, ask_audit

router = APIRouter()

AT = "/console/audits"


@router.get(AT)
async def list_audits(request: Request, caller: Reader, house: TheHouse, cursor: Cursor = None) -> Response:
    """Audits, newest first."""
    page = await house.ask(house.views.page, "audits", caller.operator_id, PAGE, place_of(cursor))
    after = None if page["next"] is None else cursor_of(page["next"])
    return await shown(request, house, caller, "audits.html", "audits", rows=page["items"], next=after)


@router.post(AT)
async def run(caller: Auditor, house: TheHouse) -> Response:
    """Have everything recomputed and compared."""
    audit = await house.write(caller.operator_id, ask_audit, AskAudit(), actor=actor_of(caller))
    return done(f"{AT}/{audit.audit_id}", "auditing")


@router.get(AT + "/{audit_id}")
async def show_audit(
    request: Request, audit_id: str, caller: Reader, house: TheHouse, cursor: Cursor = None
) -> Response:
    """One audit: the two equations, and what does not add up."""
    row = await audit_of(house, caller, audit_id)
    page = await house.ask(
        house.views.page, "audit_findings", caller.operator_id, PAGE, place_of(cursor), audit=audit_id
    )
    after = None if page["next"] is None else cursor_of(page["next"])
    return await shown(request, house, caller, "audit.html", "audits", row=row, rows=page["items"], next=after)
