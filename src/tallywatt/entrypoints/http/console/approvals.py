"""Second pairs of eyes on the console: what waits, with what, why and who; the decision; and the limits of each role."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from tallywatt.customers.approval import Holder, standard_limit
from tallywatt.entrypoints.http.api.places import operator_of
from tallywatt.entrypoints.http.console.shown import PAGE, Text, done, given_fields, shown
from tallywatt.entrypoints.http.doors import Admin, Approver, Reader, TheHouse, actor_of
from tallywatt.entrypoints.http.problems import status_of
from tallywatt.kernel.errors import BadInput, TallywattError
from tallywatt.kernel.money import currency, money
from tallywatt.workflows.change_operator import ChangeOperator, change_operator
from tallywatt.workflows.decide_approval import decide_approval
from tallywatt.workflows.second_eyes import Decide
from tallywatt.workflows.set_money_limit import SetMoneyLimit, set_money_limit

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

router = APIRouter()
AT = "/console/approvals"
LIMITS = "/console/settings/limits"


@router.get(AT)
async def list_approvals(
    request: Request, caller: Reader, house: TheHouse, state: str = "waiting", cursor: str | None = None
) -> Response:
    """What waits, or what became of it."""
    return await _page(request, house, caller, state, cursor)


@router.post(f"{AT}/{{approval_id}}")
async def decide_one(
    request: Request, approval_id: str, caller: Approver, house: TheHouse, decision: Text = "", note: Text = ""
) -> Response:
    """Approve or decline."""
    try:
        if decision not in {"approve", "decline"}:
            msg = "a request is approved or declined"
            raise BadInput(msg, code="approvals.no_decision")
        order = Decide(approval_id, approve=decision == "approve", note=note)
        await house.write(caller.operator_id, decide_approval, order, actor=actor_of(caller))
    except TallywattError as problem:
        return await _page(request, house, caller, "waiting", problem=problem)
    return done(AT, "approved" if decision == "approve" else "declined")


@router.get(LIMITS)
async def show_limits(request: Request, caller: Reader, house: TheHouse) -> Response:
    """What each role gives away alone."""
    return await _limits(request, house, caller)


@router.post(LIMITS)
async def set_limits(request: Request, caller: Admin, house: TheHouse) -> Response:
    """Set what each role gives away alone, and how long a request waits."""
    given = await given_fields(request)
    try:
        code = currency(given.get("currency", "")).code
        orders = [
            SetMoneyLimit(one, code, _sum(given, f"{one}.payment", code), _sum(given, f"{one}.day", code))
            for one in Holder
        ]
        hours = given.get("approval_hours", "").strip()
        if not hours.isdecimal() or len(hours) > 6:
            msg = "a request waits for a whole number of hours"
            raise BadInput(msg, code="operators.bad_deadline")
        actor = actor_of(caller)
        await house.write(caller.operator_id, change_operator, ChangeOperator(approval_hours=int(hours)), actor=actor)
        for order in orders:
            await house.write(caller.operator_id, set_money_limit, order, actor=actor)
    except TallywattError as problem:
        return await _limits(request, house, caller, problem, given)
    return done(LIMITS, "saved")


def _sum(given: dict[str, str], field: str, code: str) -> int | None:
    text = given.get(field, "").strip().replace(",", ".")
    return money(text, code).minor if text else None


async def _page(
    request: Request, house: House, caller: Caller, state: str, cursor: str | None = None,
    problem: TallywattError | None = None,
) -> Response:  # fmt: skip
    views, waits = house.views, state == "waiting"
    filters: dict[str, Any] = {"before": cursor, "state": "waiting" if waits else None}
    rows = await house.ask(views.approvals, caller.operator_id, PAGE, **filters)
    items = [row for row in rows["items"] if waits or row["state"] != "waiting"]
    for row in items:
        row["is_own"] = row["asked_by"] == actor_of(caller)
    return await shown(
        request, house, caller, "approvals.html", "approvals", status_of(problem) if problem else 200,
        rows=items, next=rows["next"], state="waiting" if waits else "decided", problem=problem,
    )  # fmt: skip


async def _limits(
    request: Request, house: House, caller: Caller, problem: TallywattError | None = None,
    given: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    operator = await operator_of(house, caller.operator_id)
    code = currency(operator["currency"])
    rows = await house.ask(house.views.money_limits, caller.operator_id)
    known = {row["holder"]: row for row in rows if row["currency"] == code.code}
    limits = []
    for one in Holder:
        usual = standard_limit(one, code, house.business_now())
        plain = {"payment_minor": usual.payment_minor, "day_minor": usual.day_minor}
        limits.append({"holder": one.value, **known.get(one.value, plain)})
    return await shown(
        request, house, caller, "settings_limits.html", "settings", status_of(problem) if problem else 200,
        subject="limits", limits=limits, code=code.code, problem=problem, given=given,
    )  # fmt: skip
