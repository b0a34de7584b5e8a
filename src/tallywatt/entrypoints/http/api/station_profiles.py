"""Stations that are moved to a higher security profile over their own line, and where that stands."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.places import station_of
from tallywatt.entrypoints.http.doors import Operations, Reader, TheHouse
from tallywatt.entrypoints.http.manners import Resource
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.shapes import ProfileMove
from tallywatt.entrypoints.http.telling import as_json, found, told
from tallywatt.kernel.identity import StationId
from tallywatt.workflows.move_profile import MoveProfile, WatchProfile, give_profile_up, move_profile

router = APIRouter(tags=["places"], route_class=Resource)


@router.get("/stations/{identity}/profile")
async def show_profile(identity: str, caller: Reader, house: TheHouse) -> Response:
    """Where the last move of a station to another security profile stands."""
    station = await station_of(house, caller.operator_id, identity)
    row = await house.ask(house.views.profile_change, caller.operator_id, station["id"])
    return as_json(found(row, "move to another profile", "profiles.never_moved"))


@router.post("/stations/{identity}/profile", status_code=202)
async def post_profile(
    request: Request, identity: str, body: ProfileMove, caller: Operations, house: TheHouse
) -> Response:
    """Move a station to a higher security profile. The old one opens the door until it has come with the new one."""
    station = StationId((await station_of(house, caller.operator_id, identity))["id"])
    command = MoveProfile(station, body.profile, body.url, body.slot, body.interface)
    return await write_once(request, house, caller, move_profile, command, _standing, 202)


@router.post("/stations/{identity}/profile/give-up")
async def post_give_up(request: Request, identity: str, caller: Operations, house: TheHouse) -> Response:
    """Tell it nothing more. What it was told already stays there; with which profile it may come stays as it was."""
    command = WatchProfile(StationId((await station_of(house, caller.operator_id, identity))["id"]))
    return await write_once(request, house, caller, give_profile_up, command, _standing)


def _standing(row: Any) -> dict[str, Any]:
    return told(row, "station_id")
