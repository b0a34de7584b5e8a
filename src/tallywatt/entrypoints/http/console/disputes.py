"""Disputes on the console: what banks have taken back, until when to answer, and the evidence in one file."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.console.shown import PAGE, shown
from tallywatt.entrypoints.http.doors import Reader, TheHouse
from tallywatt.entrypoints.pages.evidence_pack import packed
from tallywatt.kernel.errors import NotFound

router = APIRouter()


@router.get("/console/disputes")
async def list_disputes(request: Request, caller: Reader, house: TheHouse, cursor: str | None = None) -> Response:
    """Disputes, the newest first."""
    rows = await house.ask(house.views.disputes, caller.operator_id, PAGE, before=cursor)
    return await shown(request, house, caller, "disputes.html", "disputes", rows=rows["items"], next=rows["next"])


@router.get("/console/disputes/{dispute_id}/evidence.zip")
async def evidence(dispute_id: str, caller: Reader, house: TheHouse) -> Response:
    """What the house knows about a disputed payment, in one file."""
    views, operator = house.views, caller.operator_id
    dispute = await house.ask(views.dispute, operator, dispute_id)
    if dispute is None:
        msg = "there is no such dispute"
        raise NotFound(msg, code="disputes.not_found")
    payment = await house.ask(views.payment, operator, dispute["payment_id"])
    session = None
    if dispute["session_id"] is not None:
        session = await house.ask(views.session, operator, dispute["session_id"])
    printed = None
    if dispute["invoice_id"] is not None:
        printed = await house.ask(views.printed_invoice, operator, dispute["invoice_id"])
    content = packed(dispute, payment, session, None if printed is None else bytes(printed["content"]))
    name = f"evidence-{dispute['dispute_ref']}.zip"
    return Response(
        content, media_type="application/zip", headers={"content-disposition": f'attachment; filename="{name}"'}
    )
