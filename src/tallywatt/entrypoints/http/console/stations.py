"""Stations on the console: what knocks, what is known, and what they are asked to do."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from tallywatt.entrypoints.http.api.places import command_for, key_hash, station_of
from tallywatt.entrypoints.http.console.counting import parts_of_station
from tallywatt.entrypoints.http.console.shown import Text, done, shown
from tallywatt.entrypoints.http.doors import Assistant, Operations, Reader, TheHouse, actor_of, authorise_command
from tallywatt.entrypoints.http.shapes import NewCommand
from tallywatt.stations.command import Action
from tallywatt.stations.metrology import Metrology
from tallywatt.stations.station import Current
from tallywatt.workflows.add_station import AdoptStation, NewEvse, adopt_station
from tallywatt.workflows.order_station import order_station

router = APIRouter()


@router.get("/console/stations")
async def list_stations(request: Request, caller: Reader, house: TheHouse) -> Response:
    """Stations, those that knock first."""
    rows = await house.ask(house.views.stations, caller.operator_id)
    locations = await house.ask(house.views.locations, caller.operator_id)
    waiting = [row for row in rows if row["state"] == "quarantined"]
    others = [row for row in rows if row["state"] != "quarantined"]
    return await shown(
        request, house, caller, "stations.html", "stations", waiting=waiting, rows=others, locations=locations
    )


@router.get("/console/stations/{identity}")
async def show_station(request: Request, identity: str, caller: Reader, house: TheHouse) -> Response:
    """One station: its EVSEs, its commands, what it sent."""
    row = await station_of(house, caller.operator_id, identity)
    frames = await house.ask(house.views.frames_of, caller.operator_id, row["id"], 40)
    sessions = await house.ask(house.views.sessions, caller.operator_id, 10, station=identity)
    billable = await house.ask(house.views.billable, caller.operator_id, identity)
    return await shown(
        request,
        house,
        caller,
        "station.html",
        "stations",
        row=row,
        frames=frames,
        sessions=sessions["items"],
        billable=billable,
        key_change=await house.ask(house.views.key_change, caller.operator_id, row["id"]),
        profile_change=await house.ask(house.views.profile_change, caller.operator_id, row["id"]),
        laws=[one.value for one in Metrology],
        **await parts_of_station(house, caller.operator_id, row),
    )


@router.post("/console/stations/{identity}/adopt")
async def adopt(
    identity: str,
    caller: Operations,
    house: TheHouse,
    location: Text = "",
    key: Text = "",
    evses: Annotated[int, Form(ge=1, le=64)] = 1,
    current: Annotated[Current, Form()] = Current.AC,
    max_kw: Annotated[float | None, Form(gt=0, le=10_000)] = None,
) -> Response:
    """Take a station out of quarantine."""
    watts = round(max_kw * 1000) if max_kw is not None else None
    places = tuple(NewEvse(number, current, watts) for number in range(1, evses + 1))
    command = AdoptStation(identity, location or None, key_hash(house, key or None), places)
    await house.write(caller.operator_id, adopt_station, command, actor=actor_of(caller))
    return done(f"/console/stations/{identity}", "adopted")


@router.post("/console/stations/{identity}/commands")
async def command(
    identity: str,
    caller: Assistant,
    house: TheHouse,
    action: Annotated[Action, Form()],
    evse: Text = "",
    tag: Text = "",
    how: Text = "",
) -> Response:
    """Ask a station to do something; its page follows the command."""
    authorise_command(caller, action)
    station = await station_of(house, caller.operator_id, identity)
    asked = NewCommand(
        action=action,
        evse=evse or None,
        tag=tag or None,
        reset="hard" if how == "hard" else "soft",
        operative=how != "inoperative",
    )
    await house.write(caller.operator_id, order_station, command_for(station, asked), actor=actor_of(caller))
    return done(f"/console/stations/{identity}", "commanded", "#commands")
