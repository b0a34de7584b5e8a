"""The security profile of a station, on the console: moved to a higher one, followed, or given up."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Response

from tallywatt.entrypoints.http.api.places import station_of
from tallywatt.entrypoints.http.console.shown import Text, done
from tallywatt.entrypoints.http.doors import Operations, TheHouse, actor_of
from tallywatt.kernel.identity import StationId
from tallywatt.workflows.move_profile import MoveProfile, WatchProfile, give_profile_up, move_profile

router = APIRouter()


@router.post("/console/stations/{identity}/profile")
async def move(
    identity: str,
    caller: Operations,
    house: TheHouse,
    profile: Annotated[int, Form(ge=2, le=3)],
    url: Text = "",
) -> Response:
    """Tell it step by step; the page of the station follows."""
    station = StationId((await station_of(house, caller.operator_id, identity))["id"])
    command = MoveProfile(station, profile, url.strip() or None)
    await house.write(caller.operator_id, move_profile, command, actor=actor_of(caller))
    return done(f"/console/stations/{identity}", "profile_moving", "#profile")


@router.post("/console/stations/{identity}/profile/give-up")
async def give_up(identity: str, caller: Operations, house: TheHouse) -> Response:
    """Tell it nothing more."""
    command = WatchProfile(StationId((await station_of(house, caller.operator_id, identity))["id"]))
    await house.write(caller.operator_id, give_profile_up, command, actor=actor_of(caller))
    return done(f"/console/stations/{identity}", "saved", "#profile")
