"""Disputes on the console: what is due soonest, one with its evidence and its history, and the answer to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile

from tallywatt.customers.approval import Approval
from tallywatt.entrypoints.http.console.shown import PAGE, done, given_fields, shown
from tallywatt.entrypoints.http.console.trail import names_of
from tallywatt.entrypoints.http.disputing import MOST_BYTES, Part, contested, grounds_of, holding_of, pdf_of, zip_of
from tallywatt.entrypoints.http.doors import Collector, Reader, Refunder, TheHouse, actor_of, limit_holder
from tallywatt.entrypoints.http.problems import status_of
from tallywatt.entrypoints.pages.dispute_page import held, timeline
from tallywatt.entrypoints.pages.trail import who
from tallywatt.kernel.errors import BadInput, TallywattError
from tallywatt.payments.capabilities import capabilities_of
from tallywatt.workflows.accept_dispute import AskAccept, ask_accept

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

router = APIRouter()
AT = "/console/disputes"


@router.get(AT)
async def list_disputes(request: Request, caller: Reader, house: TheHouse, cursor: str | None = None) -> Response:
    """What waits for an answer, the soonest first; below it all of them, the newest first."""
    rows = await house.ask(house.views.disputes, caller.operator_id, PAGE, before=cursor)
    due = await house.ask(house.views.disputes_due, caller.operator_id, PAGE) if cursor is None else []
    return await shown(
        request, house, caller, "disputes.html", "disputes", due=due, rows=rows["items"], next=rows["next"],
    )  # fmt: skip


@router.get(AT + "/{dispute_id}")
async def show_dispute(request: Request, dispute_id: str, caller: Reader, house: TheHouse) -> Response:
    """One of them."""
    return await _page(request, house, caller, dispute_id)


@router.post(AT + "/{dispute_id}/grounds")
async def ask_grounds(request: Request, dispute_id: str, caller: Collector, house: TheHouse) -> Response:
    """Ask the provider on what grounds it can be contested now, and show them with the form."""
    try:
        grounds = await grounds_of(house, caller, dispute_id)
        if not grounds:
            msg = "the provider names no ground on which it can be contested now"
            raise BadInput(msg, code="dispute.no_such_ground", remedy="ask for the grounds again")
    except TallywattError as problem:
        return await _page(request, house, caller, dispute_id, problem)
    return await _page(request, house, caller, dispute_id, grounds=grounds)


@router.post(AT + "/{dispute_id}/contest", max_body_size=MOST_BYTES)
async def contest(request: Request, dispute_id: str, caller: Collector, house: TheHouse) -> Response:
    """Hand in the evidence on that ground; a file that was chosen goes instead of the paper of the house."""
    try:
        given = await given_fields(request)
        ground = given.get("ground", "").strip()[:80]
        parts = []
        for kind in filter(None, given.get(f"needed.{ground}", "").split(",")):
            chosen = (await request.form()).get(f"file.{ground}.{kind}")
            content = await chosen.read() if isinstance(chosen, UploadFile) else b""
            media = chosen.content_type if isinstance(chosen, UploadFile) else None
            parts.append(Part(kind, None, media or "", content) if content else Part(kind, "evidence"))
        await contested(house, caller, dispute_id, ground, tuple(parts))
    except TallywattError as problem:
        return await _page(request, house, caller, dispute_id, problem)
    return done(f"{AT}/{dispute_id}", "contested")


@router.post(AT + "/{dispute_id}/accept")
async def accept(request: Request, dispute_id: str, caller: Refunder, house: TheHouse) -> Response:
    """Let it go, as far as one's limit goes."""
    try:
        reason = (await given_fields(request)).get("reason", "")
        command = AskAccept(dispute_id, reason, limit_holder(caller))
        came = await house.write(caller.operator_id, ask_accept, command, actor=actor_of(caller))
    except TallywattError as problem:
        return await _page(request, house, caller, dispute_id, problem)
    return done(f"{AT}/{dispute_id}", "asked_approval" if isinstance(came, Approval) else "let_go")


@router.get(AT + "/{dispute_id}/evidence.zip")
async def evidence(dispute_id: str, caller: Reader, house: TheHouse) -> Response:
    """What the house knows about a disputed payment, in one file."""
    holding = await holding_of(house, caller.operator_id, dispute_id)
    name = f"evidence-{holding.dispute['dispute_ref']}.zip"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(zip_of(holding), media_type="application/zip", headers=headers)


@router.get(AT + "/{dispute_id}/evidence.pdf")
async def paper(dispute_id: str, caller: Reader, house: TheHouse) -> Response:
    """The same as a bank reads it."""
    holding = await holding_of(house, caller.operator_id, dispute_id)
    return Response(await pdf_of(house, holding, caller.operator_id), media_type="application/pdf")


async def _page(
    request: Request,
    house: House,
    caller: Caller,
    dispute_id: str,
    problem: TallywattError | None = None,
    grounds: tuple[object, ...] = (),
) -> Response:
    views, operator = house.views, caller.operator_id
    holding = await holding_of(house, operator, dispute_id)
    asked = await house.ask(views.approvals, operator, 10, subject=dispute_id)
    kind, _, caller_id = (holding.dispute["answered_by"] or "").partition(":")
    names = await names_of(house, operator, [{"caller_kind": kind, "caller_id": caller_id}])
    return await shown(
        request, house, caller, "dispute.html", "disputes", status_of(problem) if problem else 200,
        row=holding.dispute, payment=holding.payment, session=holding.session, problem=problem, grounds=grounds,
        held=held(holding.payment, holding.session, holding.signed, holding.receipt),
        steps=timeline(holding.dispute, holding.payment, asked["items"], who(kind, caller_id, names)),
        waiting=[one for one in asked["items"] if one["state"] == "waiting"],
        answered_here=capabilities_of(holding.dispute["provider"]).answers_disputes,
    )  # fmt: skip
