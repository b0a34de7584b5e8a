"""Lists of cards that stations know by heart, on the console: which version is here and there, kept or not, sent now."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from tallywatt.entrypoints.http.api.places import station_of
from tallywatt.entrypoints.http.console.shown import done, shown
from tallywatt.entrypoints.http.doors import Operations, Reader, TheHouse, actor_of
from tallywatt.kernel.identity import StationId
from tallywatt.workflows.keep_local_list import SwitchLists, SyncList, send_list_anew, switch_lists

router = APIRouter()
LISTS = "/console/local-lists"


@router.get("/console/local-lists")
async def show_lists(request: Request, caller: Reader, house: TheHouse) -> Response:
    """Every station's list."""
    told = await house.ask(house.views.local_lists, caller.operator_id)
    return await shown(
        request, house, caller, "local_lists.html", "stations", rows=told["items"], everywhere=told["everywhere"]
    )  # fmt: skip


@router.post("/console/local-lists")
async def switch_all(caller: Operations, house: TheHouse, is_on: Annotated[bool, Form()] = False) -> Response:
    """Keep lists wherever nothing else is said of a station, or not."""
    await house.write(caller.operator_id, switch_lists, SwitchLists(None, is_on), actor=actor_of(caller))
    return done(LISTS, "saved")


@router.post("/console/stations/{identity}/local-list")
async def switch_one(
    identity: str, caller: Operations, house: TheHouse, is_on: Annotated[bool, Form()] = False
) -> Response:
    """Keep this station's list, or not."""
    station = await station_of(house, caller.operator_id, identity)
    command = SwitchLists(StationId(station["id"]), is_on)
    await house.write(caller.operator_id, switch_lists, command, actor=actor_of(caller))
    return done(LISTS, "saved")


@router.post("/console/stations/{identity}/local-list/send")
async def send_anew(identity: str, caller: Operations, house: TheHouse) -> Response:
    """Send the whole list now, whatever the station is thought to have."""
    station = await station_of(house, caller.operator_id, identity)
    command = SyncList(StationId(station["id"]))
    await house.write(caller.operator_id, send_list_anew, command, actor=actor_of(caller))
    return done(LISTS, "commanded")
