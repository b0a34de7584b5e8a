"""Fleets, groups and memberships: what they are, and who belongs to them from when to when."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from tallywatt.customers.circle import CircleKind
from tallywatt.entrypoints.http.api.tariffs import when
from tallywatt.entrypoints.http.changes import BelongingEnd
from tallywatt.entrypoints.http.doors import Reader, Seller, TheHouse
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, listed
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.shapes import NewBelonging, NewCircle
from tallywatt.entrypoints.http.telling import as_json, found, told
from tallywatt.workflows.keep_circle import AddCircle, JoinCircle, LeaveCircle, add_circle, join_circle, leave_circle

router = APIRouter(tags=["circles"], route_class=Resource)


@router.get("/circles")
async def list_circles(
    request: Request,
    caller: Reader,
    house: TheHouse,
    kind: CircleKind | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Fleets, groups and memberships, by kind and name."""
    return await listed(request, house, caller, "circles", limit, cursor, kind=kind)


@router.post("/circles", status_code=201)
async def post_circle(request: Request, body: NewCircle, caller: Seller, house: TheHouse) -> Response:
    """A new fleet, group or membership. Assign a tariff to it by an audience like `group:taxis`."""
    command = AddCircle(body.kind, body.name, body.title)
    return await write_once(request, house, caller, add_circle, command, lambda row: told(row, "circle_id"), 201)


@router.get("/circles/{circle_id}")
async def show_circle(circle_id: str, caller: Reader, house: TheHouse) -> Response:
    """One of them."""
    return as_json(
        found(await house.ask(house.views.circle, caller.operator_id, circle_id), "circle", "circles.not_found")
    )


@router.get("/circles/{circle_id}/customers")
async def list_belongings(
    request: Request, circle_id: str, caller: Reader, house: TheHouse, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """Who belongs to it, belonged to it, or will."""
    found(await house.ask(house.views.circle, caller.operator_id, circle_id), "circle", "circles.not_found")
    return await listed(request, house, caller, "belongings", limit, cursor, circle=circle_id)


@router.post("/circles/{circle_id}/customers", status_code=201)
async def post_belonging(
    request: Request, circle_id: str, body: NewBelonging, caller: Seller, house: TheHouse
) -> Response:
    """Let a customer belong to it. A span may begin in the past; prices that were offered meanwhile stay."""
    command = JoinCircle(circle_id, body.customer, when(body.valid_from), when(body.valid_until))
    return await write_once(request, house, caller, join_circle, command, lambda row: told(row, "belonging_id"), 201)


@router.post("/belongings/{belonging_id}/end")
async def post_end(
    request: Request, belonging_id: str, body: BelongingEnd, caller: Seller, house: TheHouse
) -> Response:
    """Let a customer belong to a circle no more, from now on or from a time to come."""
    command = LeaveCircle(belonging_id, when(body.at))
    return await write_once(request, house, caller, leave_circle, command, lambda row: told(row, "belonging_id"))


@router.get("/customers/{reference}/circles")
async def list_circles_of(reference: str, caller: Reader, house: TheHouse) -> Response:
    """To what a customer belongs, belonged, or will belong."""
    row = await house.ask(house.views.customer, caller.operator_id, reference)
    customer = found(row, "customer", "customers.not_found")
    rows = await house.ask(house.views.circles_of_customer, caller.operator_id, customer["id"])
    return as_json({"items": rows, "next": None})
