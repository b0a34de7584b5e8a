"""Whether sessions of stations can be billed, what is missing and why it matters, and where values may be written by us."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.places import station_of
from tallywatt.entrypoints.http.doors import Operations, Reader, TheHouse
from tallywatt.entrypoints.http.manners import Resource
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.shapes import SettingRight
from tallywatt.entrypoints.http.telling import as_json, found, told
from tallywatt.kernel.identity import StationId
from tallywatt.workflows.check_station import AllowSetting, AskCheck, allow_setting, ask_check

router = APIRouter(tags=["places"], route_class=Resource)


@router.get("/commissioning")
async def list_commissioning(caller: Reader, house: TheHouse) -> Response:
    """All stations: whether their sessions can be billed, and what of their configuration is off."""
    return as_json(await house.ask(house.views.commissioning, caller.operator_id))


@router.post("/commissioning")
async def post_commissioning(request: Request, body: SettingRight, caller: Operations, house: TheHouse) -> Response:
    """Whether values that stand in the way are written by us, wherever nothing else is said of a station."""
    command = AllowSetting(None, body.sets_values)
    return await write_once(request, house, caller, allow_setting, command, lambda row: told(row, "scope"))


@router.get("/stations/{identity}/billable")
async def show_billable(identity: str, caller: Reader, house: TheHouse) -> Response:
    """Is this station billable? With every value that billing needs: what it is, what it should be, and why."""
    row = await house.ask(house.views.billable, caller.operator_id, identity)
    return as_json(found(row, "station", "stations.not_found"))


@router.post("/stations/{identity}/check", status_code=202)
async def post_check(request: Request, identity: str, caller: Operations, house: TheHouse) -> Response:
    """Ask the station now how it is configured; it is asked by itself after each boot."""
    station = await station_of(house, caller.operator_id, identity)
    command = AskCheck(StationId(station["id"]))
    return await write_once(request, house, caller, ask_check, command, lambda count: {"questions": count}, 202)


@router.post("/stations/{identity}/commissioning")
async def post_setting(
    request: Request, identity: str, body: SettingRight, caller: Operations, house: TheHouse
) -> Response:
    """Whether values of this station that stand in the way are written by us. It is looked at again at once."""
    station = await station_of(house, caller.operator_id, identity)
    command = AllowSetting(StationId(station["id"]), body.sets_values)
    return await write_once(request, house, caller, allow_setting, command, lambda row: told(row, "scope"))
