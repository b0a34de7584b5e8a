"""Rules that work off what is held, on the console: made, changed, switched off, and what each has decided."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.places import operator_of
from tallywatt.entrypoints.http.console.shown import Text, done, given_fields, shown
from tallywatt.entrypoints.http.doors import Clerk, Reader, TheHouse, actor_of
from tallywatt.entrypoints.http.problems import status_of
from tallywatt.kernel.errors import BadInput, TallywattError
from tallywatt.kernel.money import currency, money
from tallywatt.workflows.put_rule import EndRule, PutRule, end_rule, put_rule
from tallywatt.workflows.resolve_inbox import Decision
from tallywatt.workflows.work_off import AUTOMATIC

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

router = APIRouter()
DECISIONS = (Decision.ACCEPT, Decision.RELEASE, Decision.WRITE_OFF, Decision.MATCH)


@router.get("/console/rules")
async def list_rules(request: Request, caller: Reader, house: TheHouse, rule: str = "") -> Response:
    """All rules; the one that is named stands in the form, to be changed."""
    rows = await house.ask(house.views.rules_with_count, caller.operator_id, house.machine.now())
    code = (await operator_of(house, caller.operator_id))["currency"]
    named = next((one for one in rows if one["name"] == rule), None)
    given = {} if named is None else {**named, "most": typed(named["most_minor"], code)}
    return await _page(request, house, caller, given=given)


@router.post("/console/rules")
async def put(request: Request, caller: Clerk, house: TheHouse) -> Response:
    """Make a rule, or change the one of that name. It looks at what waits already."""
    given = await given_fields(request)
    code = (await operator_of(house, caller.operator_id))["currency"]
    try:
        if given.get("decision") not in list(DECISIONS):
            msg = "this is nothing that a rule decides"
            raise BadInput(msg, code="rules.bad_decision", remedy=f"decide: {', '.join(DECISIONS)}")
        most = money(given.get("most", "").strip().replace(",", "."), currency(code).code).minor
        name, kind = given.get("name", "").strip(), given.get("kind", "")
        command = PutRule(name, kind, Decision(given["decision"]), most)
        await house.write(caller.operator_id, put_rule, command, actor=actor_of(caller))
    except TallywattError as problem:
        return await _page(request, house, caller, problem, given)
    return done("/console/rules", "saved")


@router.post("/console/rules/end")
async def end(request: Request, caller: Clerk, house: TheHouse, name: Text = "") -> Response:
    """Let a rule decide no more."""
    try:
        await house.write(caller.operator_id, end_rule, EndRule(name), actor=actor_of(caller))
    except TallywattError as problem:
        return await _page(request, house, caller, problem)
    return done("/console/rules", "saved")


def typed(minor: int, code: str) -> str:
    """A sum as a person types it."""
    unit = currency(code)
    return f"{Decimal(minor).scaleb(-unit.exponent):f}"


async def _page(
    request: Request, house: House, caller: Caller, problem: TallywattError | None = None,
    given: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    rows = await house.ask(house.views.rules_with_count, caller.operator_id, house.machine.now())
    return await shown(
        request, house, caller, "rules.html", "inbox", status_of(problem) if problem else 200,
        rows=rows, problem=problem, given=given or {}, kinds=list(AUTOMATIC), decisions=[one.value for one in DECISIONS],
    )  # fmt: skip
