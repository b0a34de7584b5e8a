"""The key that a station shows: replaced over its own line, and where that stands. No answer ever holds one."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.places import station_of
from tallywatt.entrypoints.http.doors import Operations, Reader, TheHouse
from tallywatt.entrypoints.http.manners import Resource
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.telling import as_json, found, told
from tallywatt.kernel.identity import StationId
from tallywatt.workflows.replace_key import ReplaceKey, give_key_up, replace_key

router = APIRouter(tags=["places"], route_class=Resource)


@router.get("/stations/{identity}/key")
async def show_key(identity: str, caller: Reader, house: TheHouse) -> Response:
    """Where the last replacement of a station's key stands."""
    station = await station_of(house, caller.operator_id, identity)
    row = await house.ask(house.views.key_change, caller.operator_id, station["id"])
    return as_json(found(row, "replacement of a key", "keys.never_replaced"))


@router.post("/stations/{identity}/key", status_code=202)
async def post_key(request: Request, identity: str, caller: Operations, house: TheHouse) -> Response:
    """Have a new key drawn and sent. The old one holds until the station has connected with the new one."""
    command = ReplaceKey(StationId((await station_of(house, caller.operator_id, identity))["id"]))
    return await write_once(request, house, caller, replace_key, command, _standing, 202)


@router.post("/stations/{identity}/key/give-up")
async def post_give_up(request: Request, identity: str, caller: Operations, house: TheHouse) -> Response:
    """Let only the old key count. A station that has taken the new one comes in no more."""
    command = ReplaceKey(StationId((await station_of(house, caller.operator_id, identity))["id"]))
    return await write_once(request, house, caller, give_key_up, command, _standing)


def _standing(row: Any) -> dict[str, Any]:
    return told(row, "station_id")
