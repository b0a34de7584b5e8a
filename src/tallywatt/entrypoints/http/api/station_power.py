"""Limits of a station's power and texts on its display: what it has, one set, one cleared, asked what there is."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.places import command_for, station_of
from tallywatt.entrypoints.http.api.tariffs import when
from tallywatt.entrypoints.http.doors import Operations, Reader, TheHouse
from tallywatt.entrypoints.http.manners import Resource
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.shapes import (
    DisplayText,
    LimitCleared,
    LimitOfPower,
    LimitsAsked,
    NewCommand,
    TextCleared,
)
from tallywatt.entrypoints.http.telling import as_json, told
from tallywatt.kernel.errors import BadInput
from tallywatt.stations import charging
from tallywatt.stations import messages_shown as texts
from tallywatt.stations.command import Action
from tallywatt.workflows.order_station import order_station

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

router = APIRouter(tags=["places"], route_class=Resource)


@router.get("/stations/{identity}/power-limits")
async def show_limits(identity: str, caller: Reader, house: TheHouse) -> Response:
    """The profiles that a station has, as far as it was told or has told itself, and what it says that they come to."""
    row = await station_of(house, caller.operator_id, identity)
    found = await house.ask(house.views.limits_of, caller.operator_id, row["id"], house.machine.now())
    return as_json({"station": identity, **found})


@router.post("/stations/{identity}/power-limits", status_code=202)
async def post_limit(
    request: Request, identity: str, body: LimitOfPower, caller: Operations, house: TheHouse
) -> Response:
    """No more power than this, at one EVSE or the whole station. A limit of the same place gives way to it."""
    row = await _speaking(house, caller, identity)
    place = evse_at(row, body.evse)
    limit = charging.Limit(place, Decimal(body.amount), body.unit, house.machine.now(), body.minutes)
    return await _told(request, house, caller, row, charging.limiting(row["protocol"], limit))


@router.post("/stations/{identity}/power-limits/clear", status_code=202)
async def post_cleared(
    request: Request, identity: str, body: LimitCleared, caller: Operations, house: TheHouse
) -> Response:
    """Clear one profile, or all of them."""
    row = await _speaking(house, caller, identity)
    return await _told(request, house, caller, row, charging.clearing(row["protocol"], body.profile))


@router.post("/stations/{identity}/power-limits/ask", status_code=202)
async def post_asked(
    request: Request, identity: str, body: LimitsAsked, caller: Operations, house: TheHouse
) -> Response:
    """Ask what all profiles come to at a place for some time, or (OCPP 2.x) for the profiles themselves."""
    row = await _speaking(house, caller, identity)
    if body.profiles:
        return await _told(request, house, caller, row, charging.asking_profiles())
    place = evse_at(row, body.evse) or 0
    message = charging.asking_schedule(row["protocol"], place, body.minutes, body.unit)
    return await _told(request, house, caller, row, message)


@router.get("/stations/{identity}/display-texts")
async def show_texts(identity: str, caller: Reader, house: TheHouse) -> Response:
    """The texts that a station's display has, as far as it was told or has told itself."""
    row = await station_of(house, caller.operator_id, identity)
    found = await house.ask(house.views.texts_of, caller.operator_id, row["id"], house.machine.now())
    return as_json({"station": identity, **found})


@router.post("/stations/{identity}/display-texts", status_code=202)
async def post_text(
    request: Request, identity: str, body: DisplayText, caller: Operations, house: TheHouse
) -> Response:
    """Show a text (OCPP 2.x). One of the same number gives way to it."""
    row = await _speaking(house, caller, identity)
    text = texts.Text(
        body.number, body.text, body.priority, body.state, body.language, when(body.begins), when(body.ends)
    )
    return await _told(request, house, caller, row, texts.showing(row["protocol"], text))


@router.post("/stations/{identity}/display-texts/clear", status_code=202)
async def post_text_cleared(
    request: Request, identity: str, body: TextCleared, caller: Operations, house: TheHouse
) -> Response:
    """Take a text away."""
    row = await _speaking(house, caller, identity)
    return await _told(request, house, caller, row, texts.clearing(body.number))


@router.post("/stations/{identity}/display-texts/ask", status_code=202)
async def post_texts_asked(request: Request, identity: str, caller: Operations, house: TheHouse) -> Response:
    """Ask which texts there are."""
    row = await _speaking(house, caller, identity)
    return await _told(request, house, caller, row, texts.asking())


async def _speaking(house: House, caller: Caller, identity: str) -> dict[str, Any]:
    row = await station_of(house, caller.operator_id, identity)
    if row["protocol"] is None:
        msg = f"station {identity} has not told yet in which version it speaks"
        raise BadInput(msg, code="stations.version_unknown", remedy="wait until it has connected once")
    return row


def evse_at(row: dict[str, Any], number: int | None) -> int | None:
    """The number of an EVSE that a station has; None: the station as a whole."""
    if number and number not in {one["number"] for one in row["evses"]}:
        msg = f"station {row['identity']} has no EVSE {number}"
        raise BadInput(msg, code="stations.no_such_evse")
    return number or None


async def _told(
    request: Request, house: House, caller: Caller, row: dict[str, Any], message: tuple[str, dict[str, Any]]
) -> Response:
    name, content = message
    command = command_for(row, NewCommand(action=Action.MESSAGE, message=name, content=content))
    return await write_once(request, house, caller, order_station, command, lambda row: told(row, "command_id"), 202)
