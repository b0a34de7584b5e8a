"""The key of a station, on the console: replaced over its own line, or the new one given up."""

from __future__ import annotations

from fastapi import APIRouter, Response

from tallywatt.entrypoints.http.api.places import station_of
from tallywatt.entrypoints.http.console.shown import done
from tallywatt.entrypoints.http.doors import Operations, TheHouse, actor_of
from tallywatt.kernel.identity import StationId
from tallywatt.workflows.replace_key import ReplaceKey, give_key_up, replace_key

router = APIRouter()


@router.post("/console/stations/{identity}/key")
async def replace(identity: str, caller: Operations, house: TheHouse) -> Response:
    """Have a new key drawn and sent; the page of the station follows it."""
    command = ReplaceKey(StationId((await station_of(house, caller.operator_id, identity))["id"]))
    await house.write(caller.operator_id, replace_key, command, actor=actor_of(caller))
    return done(f"/console/stations/{identity}", "key_replacing", "#key")


@router.post("/console/stations/{identity}/key/give-up")
async def give_up(identity: str, caller: Operations, house: TheHouse) -> Response:
    """Let only the old key count."""
    command = ReplaceKey(StationId((await station_of(house, caller.operator_id, identity))["id"]))
    await house.write(caller.operator_id, give_key_up, command, actor=actor_of(caller))
    return done(f"/console/stations/{identity}", "saved", "#key")
