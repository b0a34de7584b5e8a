"""On a station's page: ask it how it is configured, and say whether that may be set right by us."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Response

from tallywatt.entrypoints.http.api.places import station_of
from tallywatt.entrypoints.http.console.shown import done
from tallywatt.entrypoints.http.doors import Operations, TheHouse, actor_of
from tallywatt.kernel.identity import StationId
from tallywatt.workflows.check_station import AllowSetting, AskCheck, allow_setting, ask_check

router = APIRouter()


@router.post("/console/stations/{identity}/check")
async def check(identity: str, caller: Operations, house: TheHouse) -> Response:
    """Ask it now."""
    station = await station_of(house, caller.operator_id, identity)
    command = AskCheck(StationId(station["id"]))
    await house.write(caller.operator_id, ask_check, command, actor=actor_of(caller))
    return done(f"/console/stations/{identity}", "commanded", "#billable")


@router.post("/console/stations/{identity}/commissioning")
async def allow(
    identity: str, caller: Operations, house: TheHouse, sets_values: Annotated[bool, Form()] = False
) -> Response:
    """Let its values be written by us, or not."""
    station = await station_of(house, caller.operator_id, identity)
    command = AllowSetting(StationId(station["id"]), sets_values)
    await house.write(caller.operator_id, allow_setting, command, actor=actor_of(caller))
    return done(f"/console/stations/{identity}", "saved", "#billable")
