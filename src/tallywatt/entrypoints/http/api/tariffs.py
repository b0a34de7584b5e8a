"""Tariffs in OCPI's JSON, and where they hold."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec
from fastapi import APIRouter, Body, Request, Response

from tallywatt.entrypoints.http.changes import AssignmentEnd
from tallywatt.entrypoints.http.doors import Reader, Seller, TheHouse
from tallywatt.entrypoints.http.examined import findings_of, sites_for_gate
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, listed, page, place_of
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.shapes import NewAssignment, storable
from tallywatt.entrypoints.http.telling import as_json, found, told
from tallywatt.kernel.clock import Instant, instant
from tallywatt.kernel.errors import BadInput
from tallywatt.rating.findings import finding_data
from tallywatt.workflows.end_assignment import EndAssignment, end_assignment
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff, PutTariffAnswer, assign_tariff, put_tariff

router = APIRouter(tags=["tariffs"], route_class=Resource)
_exact = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


@router.get("/tariffs")
async def list_tariffs(
    request: Request,
    caller: Reader,
    house: TheHouse,
    reference: str | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """All versions of all tariffs, by reference and time."""
    filters = {} if reference is None else {"reference": reference}
    rows = await house.ask(house.views.page, "tariffs", caller.operator_id, limit, place_of(cursor), **filters)
    return page(request, {**rows, "items": [_with_tariff(row) for row in rows["items"]]})


@router.post("/tariffs", status_code=201)
async def post_tariff(
    request: Request,
    caller: Seller,
    house: TheHouse,
    body: dict[str, Any] = Body(description="An OCPI 2.2.1 or 2.3.0 Tariff object."),  # FastAPI's way
) -> Response:
    """A version of a tariff. The same content is the same version; sessions keep the version that was offered to them.

    `warnings` tells what looks wrong in it, and which rules on prices it breaks where the operator has charging points.
    """
    del body  # declared for the documentation; read again below, with every digit of its prices
    try:
        data = _exact.decode(await request.body())
        storable(msgspec.json.encode(data).decode().replace("\\u0000", "\0"))
    except (ValueError, msgspec.MsgspecError) as error:
        msg = "the body is not JSON that can be stored"
        raise BadInput(msg, code="request.unreadable") from error
    warnings = [finding_data(one) for one in await findings_of(house, caller.operator_id, data)]
    return await write_once(request, house, caller, put_tariff, PutTariff(data), partial(_tell, warnings), 201)


@router.get("/tariffs/assignments")
async def list_assignments(
    request: Request, caller: Reader, house: TheHouse, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """From when which tariff holds where, the newest assignment first."""
    return await listed(request, house, caller, "assignments", limit, cursor)


@router.post("/tariffs/assignments", status_code=201)
async def post_assignment(request: Request, body: NewAssignment, caller: Seller, house: TheHouse) -> Response:
    """Let a tariff hold at a place from a time on."""
    sites = await sites_for_gate(house, caller.operator_id, body.scope, body.target)
    begins, ends = when(body.valid_from), when(body.valid_until)
    command = AssignTariff(body.tariff, body.scope, body.target, begins, ends, body.audience, sites)
    return await write_once(request, house, caller, assign_tariff, command, lambda row: told(row, "assignment_id"), 201)


@router.post("/tariffs/assignments/{assignment_id}/end")
async def post_end(
    request: Request, assignment_id: str, body: AssignmentEnd, caller: Seller, house: TheHouse
) -> Response:
    """Let a tariff hold at a place no more, from now on or from a time to come. What was offered before stays offered."""
    command = EndAssignment(assignment_id, when(body.at))
    return await write_once(request, house, caller, end_assignment, command, lambda row: told(row, "assignment_id"))


@router.get("/tariffs/{tariff_version_id}")
async def show_tariff(tariff_version_id: str, caller: Reader, house: TheHouse) -> Response:
    """One version."""
    row = await house.ask(house.views.tariff, caller.operator_id, tariff_version_id)
    return as_json(_with_tariff(found(row, "tariff", "tariffs.not_found")))


def when(moment: datetime | None) -> Instant | None:
    """An instant of what pydantic read."""
    return instant(moment) if moment is not None else None


def _with_tariff(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **{name: value for name, value in row.items() if name != "canonical"},
        "tariff": json.loads(row["canonical"]),
    }


def _tell(warnings: list[dict[str, Any]], answer: PutTariffAnswer) -> dict[str, Any]:
    return {**told(answer.version, "tariff_version_id"), "unread": list(answer.unread), "warnings": warnings}
