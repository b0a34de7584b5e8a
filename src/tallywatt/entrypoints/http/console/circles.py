"""Fleets, groups and memberships on the console: made, who belongs to them, and from when to when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from tallywatt.customers.circle import CircleKind
from tallywatt.entrypoints.http.api.places import operator_of
from tallywatt.entrypoints.http.console.shown import PAGE, Text, done, shown
from tallywatt.entrypoints.http.console.tariffs import typed_instant
from tallywatt.entrypoints.http.doors import Reader, Seller, TheHouse, actor_of
from tallywatt.entrypoints.http.problems import status_of
from tallywatt.entrypoints.http.telling import found
from tallywatt.kernel import clock
from tallywatt.kernel.errors import BadInput, TallywattError
from tallywatt.workflows.keep_circle import AddCircle, JoinCircle, LeaveCircle, add_circle, join_circle, leave_circle

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.kernel.clock import Instant
    from tallywatt.wiring import House

router = APIRouter()


@router.get("/console/circles")
async def list_circles(request: Request, caller: Reader, house: TheHouse) -> Response:
    """All of them, with how many belong to each today."""
    return await _list(request, house, caller)


@router.post("/console/circles")
async def add(
    request: Request, caller: Seller, house: TheHouse, kind: Text = "group", name: Text = "", title: Text = ""
) -> Response:
    """Make a fleet, a group or a membership."""
    try:
        if kind not in set(CircleKind):
            msg = "it is a fleet, a group or a membership"
            raise BadInput(msg, code="circles.bad_name")
        row = await house.write(
            caller.operator_id, add_circle, AddCircle(CircleKind(kind), name, title[:200]), actor=actor_of(caller)
        )
    except TallywattError as problem:
        return await _list(request, house, caller, problem, {"kind": kind, "name": name, "title": title})
    return done(f"/console/circles/{row.circle_id}", "added")


@router.get("/console/circles/{circle_id}")
async def show_circle(request: Request, circle_id: str, caller: Reader, house: TheHouse, cursor: str = "") -> Response:
    """Who belongs to it, and which tariffs ask for it."""
    return await _page(request, house, caller, circle_id, cursor)


@router.post("/console/circles/{circle_id}/customers")
async def join(
    request: Request,
    circle_id: str,
    caller: Seller,
    house: TheHouse,
    customer: Text = "",
    begins: Text = "",
    ends: Text = "",
) -> Response:
    """Let a customer belong to it. Times are those of the operator's zone."""
    zone = (await operator_of(house, caller.operator_id))["zone"]
    try:
        order = JoinCircle(circle_id, customer.strip(), typed_instant(begins, zone), typed_instant(ends, zone))
        await house.write(caller.operator_id, join_circle, order, actor=actor_of(caller))
    except TallywattError as problem:
        return await _page(request, house, caller, circle_id, problem=problem, customer=customer)
    return done(f"/console/circles/{circle_id}", "joined")


@router.post("/console/circles/{circle_id}/belongings/{belonging_id}/end")
async def leave(request: Request, circle_id: str, belonging_id: str, caller: Seller, house: TheHouse) -> Response:
    """Let a customer belong to it no more, from now on."""
    try:
        await house.write(caller.operator_id, leave_circle, LeaveCircle(belonging_id), actor=actor_of(caller))
    except TallywattError as problem:
        return await _page(request, house, caller, circle_id, problem=problem)
    return done(f"/console/circles/{circle_id}", "left")


async def _list(
    request: Request, house: House, caller: Caller, problem: TallywattError | None = None,
    given: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    rows = await house.ask(house.views.circles, caller.operator_id, house.business_now())
    return await shown(
        request, house, caller, "circles.html", "circles", status_of(problem) if problem else 200,
        rows=rows, kinds=[kind.value for kind in CircleKind], problem=problem, given=given or {},
    )  # fmt: skip


async def _page(
    request: Request, house: House, caller: Caller, circle_id: str, cursor: str = "",
    problem: TallywattError | None = None, customer: str = "",
) -> Response:  # fmt: skip
    row = found(await house.ask(house.views.circle, caller.operator_id, circle_id), "circle", "circles.not_found")
    rows = await house.ask(house.views.customers_of_circle, caller.operator_id, circle_id, cursor, PAGE + 1)
    assignments = await house.ask(house.views.tariff_assignments, caller.operator_id)
    now, address = house.business_now(), f"{row['kind']}:"
    return await shown(
        request, house, caller, "circle.html", "circles", status_of(problem) if problem else 200,
        row=row,
        rows=[with_standing(one, now) for one in rows[:PAGE]],
        next=rows[PAGE - 1]["id"] if len(rows) > PAGE else None,
        assignments=[
            with_standing(one, now) for one in assignments if _asks_for(one["audience"], address, row["name"])
        ],
        problem=problem, customer=customer,
    )  # fmt: skip


def _asks_for(audience: str, kind: str, name: str) -> bool:
    return any(
        name in condition.removeprefix(kind).split(",")
        for condition in audience.split(" & ")
        if condition.startswith(kind)
    )


def with_standing(row: dict[str, Any], now: Instant) -> dict[str, Any]:
    """Whether a span is to come, holds, or is over."""
    begins = clock.parse_instant(row["valid_from"])
    over = row["valid_until"] is not None and clock.parse_instant(row["valid_until"]) <= now
    return {**row, "state": "over" if over else "coming" if begins > now else "holds"}
