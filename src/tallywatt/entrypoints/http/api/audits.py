"""Audits: asked for, followed, and what each has found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.doors import Auditor, Reader, TheHouse
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, listed
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.telling import as_json, found, told
from tallywatt.evidence.run import AuditState
from tallywatt.workflows.run_audit import AskAudit, ask_audit

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.evidence.run import Audit
    from tallywatt.wiring import House

router = APIRouter(tags=["audits"], route_class=Resource)

SHOWN: Final = 100
"""Findings that an audit shows with itself; the rest is a list."""


@router.get("/audits")
async def list_audits(
    request: Request,
    caller: Reader,
    house: TheHouse,
    state: AuditState | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Audits that were asked for, newest first."""
    return await listed(request, house, caller, "audits", limit, cursor, state=state)


@router.post("/audits", status_code=202)
async def post_audit(request: Request, caller: Auditor, house: TheHouse) -> Response:
    """Recompute energy and money from what was sealed and compare everything; follow it at `Location`.

    The one that waits already is the answer, for it has not looked at anything yet.
    """
    answer = await write_once(request, house, caller, ask_audit, AskAudit(), _tell, 202)
    row = told_id(answer)
    answer.headers["Location"] = f"/audits/{row}"
    return answer


@router.get("/audits/{audit_id}")
async def show_audit(audit_id: str, caller: Reader, house: TheHouse) -> Response:
    """One audit: its figures, and the first of what did not add up. `is_clean` is null until it is known."""
    row = await audit_of(house, caller, audit_id)
    first = await house.ask(house.views.page, "audit_findings", caller.operator_id, SHOWN, audit=audit_id)
    return as_json({**row, "first_findings": first["items"]})


@router.get("/audits/{audit_id}/findings")
async def list_findings(
    request: Request, audit_id: str, caller: Reader, house: TheHouse, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """What did not add up: a stable code, what it is about, and the two figures that differ. Of one audit at most 1000."""
    await audit_of(house, caller, audit_id)
    return await listed(request, house, caller, "audit_findings", limit, cursor, audit=audit_id)


async def audit_of(house: House, caller: Caller, audit_id: str) -> dict[str, Any]:
    """An audit as the view shows it, or NotFound."""
    row = await house.ask(house.views.audit_of, caller.operator_id, audit_id)
    return found(row, "audit", "audits.not_found")


def told_id(answer: Response) -> str:
    """The id in an answer that was just written."""
    row: str = msgspec.json.decode(answer.body)["id"]
    return row


def _tell(row: Audit) -> dict[str, Any]:
    shown = told(row, "audit_id")
    return {name: shown[name] for name in ("id", "state", "asked_at")}
