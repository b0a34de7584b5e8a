"""Limits to what somebody gives away alone, and what waits for another person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from tallywatt.customers.approval import ApprovalState, Holder
from tallywatt.entrypoints.http.changes import DecisionNote, MoneyLimitChange
from tallywatt.entrypoints.http.doors import Admin, Approver, Reader, TheHouse
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, listed
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.telling import as_json, found, told
from tallywatt.workflows.decide_approval import decide_approval
from tallywatt.workflows.second_eyes import Decide
from tallywatt.workflows.set_money_limit import SetMoneyLimit, set_money_limit

if TYPE_CHECKING:
    from tallywatt.wiring import House

router = APIRouter(tags=["money"], route_class=Resource)


@router.get("/approvals")
async def list_approvals(
    request: Request,
    caller: Reader,
    house: TheHouse,
    state: ApprovalState | None = None,
    subject: str | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """What waits, or has waited, for a second pair of eyes, newest first. `subject`: a payment's id."""
    return await listed(request, house, caller, "approvals", limit, cursor, state=state, subject=subject)


@router.get("/approvals/{approval_id}")
async def show_approval(approval_id: str, caller: Reader, house: TheHouse) -> Response:
    """One request, with who asked and who decided."""
    return as_json(await approval_of(house, caller.operator_id, approval_id))


@router.post("/approvals/{approval_id}/approve")
async def approve(
    request: Request, approval_id: str, body: DecisionNote, caller: Approver, house: TheHouse
) -> Response:
    """Approve what somebody else asks for. It is carried out in the same moment, once."""
    command = Decide(approval_id, approve=True, note=body.note)
    return await write_once(request, house, caller, decide_approval, command, tell_approval)


@router.post("/approvals/{approval_id}/decline")
async def decline(
    request: Request, approval_id: str, body: DecisionNote, caller: Approver, house: TheHouse
) -> Response:
    """Say no. Nothing is done."""
    command = Decide(approval_id, approve=False, note=body.note)
    return await write_once(request, house, caller, decide_approval, command, tell_approval)


@router.get("/money-limits")
async def list_limits(caller: Reader, house: TheHouse) -> Response:
    """The limits that were set. Where none was set for a role and a currency, the role's own one holds."""
    return as_json({"items": await house.ask(house.views.money_limits, caller.operator_id), "next": None})


@router.put("/money-limits/{holder}/{currency}")
async def put_limit(
    request: Request, holder: Holder, currency: str, body: MoneyLimitChange, caller: Admin, house: TheHouse
) -> Response:
    """Set how much whoever has a role may give away alone: of one payment, and in a day. Null: no limit."""
    command = SetMoneyLimit(holder, currency.upper(), body.payment_minor, body.day_minor)
    return await write_once(request, house, caller, set_money_limit, command, lambda row: _limit(told(row, "holder")))


def tell_approval(row: Any) -> dict[str, Any]:
    """A request as it was written down."""
    return {name: value for name, value in told(row, "approval_id").items() if name != "request_key"}


def _limit(row: dict[str, Any]) -> dict[str, Any]:
    row["holder"] = row.pop("id")
    return row


async def approval_of(house: House, operator_id: str, approval_id: str) -> dict[str, Any]:
    """The request of that id, or NotFound."""
    row = await house.ask(house.views.approval, operator_id, approval_id)
    return found(row, "approval", "approvals.not_found")
