"""Rules that work off what is held, and profiles of how models of stations write their registers."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.doors import Clerk, Operations, Reader, TheHouse
from tallywatt.entrypoints.http.manners import Resource
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.shapes import NewProfile, NewRule, Order
from tallywatt.entrypoints.http.telling import as_json, told
from tallywatt.workflows.put_rule import EndRule, PutProfile, PutRule, end_rule, put_profile, put_rule
from tallywatt.workflows.work_off import WorkOffAll, work_off_all

router = APIRouter(tags=["attention"], route_class=Resource)


@router.post("/inbox/work-off", status_code=202)
async def work_off(request: Request, body: Order, caller: Clerk, house: TheHouse) -> Response:
    """Put all open items of a kind in line: each is decided on by itself, within the sum that is named.

    What a sum does not cover, or what nobody is known to owe for, stays with a person.
    """
    command = WorkOffAll(body.kind, body.decision, body.most_minor, body.note)
    return await write_once(request, house, caller, work_off_all, command, lambda count: {"count": count}, 202)


@router.get("/rules")
async def list_rules(caller: Reader, house: TheHouse) -> Response:
    """What is decided without a person, by name."""
    return as_json({"items": await house.ask(house.views.rules, caller.operator_id)})


@router.post("/rules", status_code=201)
async def post_rule(request: Request, body: NewRule, caller: Clerk, house: TheHouse) -> Response:
    """A rule, or another text of it. It looks at what waits already, and at all that comes."""
    command = PutRule(body.name, body.kind, body.decision, body.most_minor)
    return await write_once(request, house, caller, put_rule, command, lambda row: told(row, "rule_id"), 201)


@router.post("/rules/{name}/end")
async def post_end(request: Request, name: str, caller: Clerk, house: TheHouse) -> Response:
    """A rule decides no more. It stays, because decisions name it."""
    return await write_once(request, house, caller, end_rule, EndRule(name), lambda row: told(row, "rule_id"))


@router.get("/profiles")
async def list_profiles(caller: Reader, house: TheHouse) -> Response:
    """How models of stations write their registers, by name."""
    return as_json({"items": await house.ask(house.views.profiles, caller.operator_id)})


@router.post("/profiles", status_code=201)
async def post_profile(request: Request, body: NewProfile, caller: Operations, house: TheHouse) -> Response:
    """A profile, or another text of it. Sessions that end from now on are read by it; what is billed stays as it is."""
    command = PutProfile(body.name, body.vendor, body.model, body.firmware, dict(body.habits))
    return await write_once(request, house, caller, put_profile, command, lambda row: told(row, "profile_id"), 201)
