"""Disputes: what payers' banks have taken back, the evidence that is held, and answers to them."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from tallywatt.customers.approval import Approval, ApprovalState
from tallywatt.entrypoints.http.disputing import (
    MOST_BYTES,
    Part,
    contested,
    dispute_of,
    grounds_of,
    holding_of,
    pdf_of,
    zip_of,
)
from tallywatt.entrypoints.http.doors import Collector, Reader, Refunder, TheHouse, limit_holder
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, listed
from tallywatt.entrypoints.http.once import write_long, write_once
from tallywatt.entrypoints.http.shapes import DefencePart, DisputeContest, DisputeLetGo
from tallywatt.entrypoints.http.telling import as_json
from tallywatt.entrypoints.pages.dispute_page import held
from tallywatt.kernel.errors import BadInput
from tallywatt.payments.capabilities import capabilities_of
from tallywatt.payments.dispute import DisputeState
from tallywatt.workflows.accept_dispute import AskAccept, ask_accept

if TYPE_CHECKING:
    from tallywatt.entrypoints.http.disputing import Holding
    from tallywatt.payments.dispute import Dispute

router = APIRouter(tags=["disputes"], route_class=Resource)


@router.get("/disputes")
async def list_disputes(
    request: Request,
    caller: Reader,
    house: TheHouse,
    state: DisputeState | None = None,
    payment: str | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Disputes, the newest first."""
    return await listed(request, house, caller, "disputes", limit, cursor, state=state, payment=payment)


@router.get("/due-disputes")
async def list_due(caller: Reader, house: TheHouse) -> Response:
    """Those that wait for an answer of yours, the one that is due soonest first; at most 200."""
    return as_json({"items": await house.ask(house.views.disputes_due, caller.operator_id)})


@router.get("/disputes/{dispute_id}")
async def show_dispute(dispute_id: str, caller: Reader, house: TheHouse) -> Response:
    """One dispute, with what is held about its payment, and whether it is answered from here."""
    holding = await holding_of(house, caller.operator_id, dispute_id)
    approvals = await house.ask(
        house.views.approvals, caller.operator_id, 10, state=ApprovalState.WAITING.value, subject=dispute_id
    )
    return as_json(_detail(holding, [one["id"] for one in approvals["items"]]))


@router.get("/disputes/{dispute_id}/grounds")
async def list_grounds(dispute_id: str, caller: Collector, house: TheHouse) -> Response:
    """On what grounds it can be contested now, and which documents each one takes. The provider is asked."""
    found = await grounds_of(house, caller, dispute_id)
    items = [{"code": one.code, "needed": list(one.needed), "possible": list(one.possible)} for one in found]
    return as_json({"items": items})


@router.get("/disputes/{dispute_id}/evidence.zip")
async def show_evidence(dispute_id: str, caller: Reader, house: TheHouse) -> Response:
    """All that is held about the payment, in one file."""
    return Response(zip_of(await holding_of(house, caller.operator_id, dispute_id)), media_type="application/zip")


@router.get("/disputes/{dispute_id}/evidence.pdf")
async def show_paper(dispute_id: str, caller: Reader, house: TheHouse) -> Response:
    """The same as a bank reads it: what is handed in when a dispute is contested without documents."""
    holding = await holding_of(house, caller.operator_id, dispute_id)
    return Response(await pdf_of(house, holding, caller.operator_id), media_type="application/pdf")


@router.post("/disputes/{dispute_id}/contest", status_code=202, max_body_size=MOST_BYTES)
async def post_contest(
    request: Request, dispute_id: str, body: DisputeContest, caller: Collector, house: TheHouse
) -> Response:
    """Contest it at its provider. Without documents, the evidence of the house is handed in for each that is needed."""
    await dispute_of(house, caller.operator_id, dispute_id)
    parts = tuple(_part(one) for one in body.documents)
    return await write_long(
        request, house, caller, lambda: contested(house, caller, dispute_id, body.ground, parts), 202
    )


@router.post("/disputes/{dispute_id}/accept", status_code=202)
async def post_accept(
    request: Request, dispute_id: str, body: DisputeLetGo, caller: Refunder, house: TheHouse
) -> Response:
    """Let it go: its sum stays with the payer. The provider is told by a worker.

    It counts like a refund of that sum: beyond your limit it waits for another person, and `approval_id` names the request.
    """
    command = AskAccept(dispute_id, body.reason, limit_holder(caller))
    return await write_once(request, house, caller, ask_accept, command, _tell_accepted, 202)


def _detail(holding: Holding, approvals: list[str]) -> dict[str, Any]:
    evidence = held(holding.payment, holding.session, holding.signed, holding.receipt)
    return {
        **holding.dispute,
        "answered_here": capabilities_of(holding.dispute["provider"]).answers_disputes,
        "approval_id": approvals[0] if approvals else None,
        "evidence": [{"kind": one["kind"], "is_there": one["is_there"]} for one in evidence],
    }


def _part(told: DefencePart) -> Part:
    if (told.use is None) is (told.content is None):
        msg = f"say of the document {told.kind!r} what is to be handed in"
        raise BadInput(msg, code="dispute.which_document", remedy="send `use`, or `content` with `media_type`")
    if told.content is None:
        return Part(told.kind, told.use)
    try:
        content = base64.b64decode(told.content, validate=True)
    except (binascii.Error, ValueError) as error:
        msg = "the content of a document is no Base64"
        raise BadInput(msg, code="dispute.bad_document") from error
    return Part(told.kind, None, told.media_type, content)


def _tell_accepted(row: Dispute | Approval) -> dict[str, Any]:
    if isinstance(row, Approval):
        state = "waiting_for_approval" if row.state is ApprovalState.WAITING else row.state.value
        sums = {"amount_minor": row.amount_minor, "currency": row.currency}
        return {"id": row.subject_id, "state": state, **sums, "approval_id": row.approval_id}
    sums = {"amount_minor": row.amount_minor, "currency": row.currency}
    return {"id": row.dispute_id, "state": "accepted", **sums, "approval_id": None}
