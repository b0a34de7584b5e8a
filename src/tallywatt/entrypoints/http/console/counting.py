"""On the console: what stations of OCPP 2.1 count by, what they counted, and what stations may do without a connection."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Form, Request, Response

from tallywatt.entrypoints.http.api.places import station_of
from tallywatt.entrypoints.http.console.shown import PAGE, Text, done, shown
from tallywatt.entrypoints.http.doors import Operations, Reader, TheHouse, actor_of
from tallywatt.entrypoints.http.manners import place_of
from tallywatt.entrypoints.http.telling import found
from tallywatt.kernel.errors import NotFound
from tallywatt.kernel.identity import LocationId, StationId
from tallywatt.stations.offline import MOST_WH, Starts
from tallywatt.workflows.keep_tariff import KeepTariffs, ask_tariffs, clear_tariffs
from tallywatt.workflows.set_offline import RemoveOffline, SetOffline, remove_offline, set_offline

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

router = APIRouter()
OFFLINE: Final = "/console/offline"
STARTS: Final = [one.value for one in Starts]
Energy = Annotated[int, Form(ge=0, le=MOST_WH)]


async def parts_of_station(house: House, operator_id: str, row: dict[str, Any]) -> dict[str, Any]:
    """What the page of a station shows of it."""
    told = await house.ask(house.views.tariffs_of_station, operator_id, row["id"])
    offline = await house.ask(house.views.offline_of, operator_id, row["identity"], house.business_now())
    return {"told_tariffs": told, "offline": offline, "starts": STARTS, "most_wh": MOST_WH}


@router.post("/console/stations/{identity}/tariffs/tell")
async def tell(identity: str, caller: Operations, house: TheHouse) -> Response:
    """Tell it again, also what it has refused."""
    command = KeepTariffs(StationId((await station_of(house, caller.operator_id, identity))["id"]))
    await house.write(caller.operator_id, ask_tariffs, command, actor=actor_of(caller))
    return done(f"/console/stations/{identity}", "tariffs_told", "#counts")


@router.post("/console/stations/{identity}/tariffs/clear")
async def clear(identity: str, caller: Operations, house: TheHouse) -> Response:
    """Let it count by none of ours, until it is to be told again."""
    command = KeepTariffs(StationId((await station_of(house, caller.operator_id, identity))["id"]))
    await house.write(caller.operator_id, clear_tariffs, command, actor=actor_of(caller))
    return done(f"/console/stations/{identity}", "tariffs_cleared", "#counts")


@router.get("/console/counted")
async def show_counted(request: Request, caller: Reader, house: TheHouse, cursor: str | None = None) -> Response:
    """Sessions whose station came to another sum than the one that is charged."""
    rows = await house.ask(house.views.page, "counted", caller.operator_id, PAGE, place_of(cursor))
    return await shown(
        request, house, caller, "counted.html", "stations", rows=[beside(one) for one in rows["items"]],
        next=rows["next"],
    )  # fmt: skip


def beside(row: dict[str, Any]) -> dict[str, Any]:
    """The station's sum beside ours: both with tax where it tells that, else before tax."""
    with_tax = row["after_taxes"] is not None
    theirs = row["after_taxes"] if with_tax else row["before_taxes"]
    return row | {
        "with_tax": with_tax,
        "theirs": None if theirs is None else f"{Decimal(theirs):f}",
        "ours_minor": row["gross_minor"] if with_tax else row["net_minor"],
        "theirs_currency": row["currency"] or row["charged_currency"],
    }


@router.get("/console/offline")
async def show_offline(request: Request, caller: Reader, house: TheHouse) -> Response:
    """What stations may do without a connection, and what that risks: everywhere, and where something else is said."""
    told = await house.ask(house.views.offline_rules, caller.operator_id, house.business_now())
    locations = await house.ask(house.views.locations, caller.operator_id)
    return await shown(
        request, house, caller, "offline.html", "stations", told=told, locations=locations, starts=STARTS,
        most_wh=MOST_WH,
    )  # fmt: skip


@router.post("/console/offline")
async def post_offline(
    caller: Operations, house: TheHouse, starts: Annotated[Starts, Form()], refused_wh: Energy = 0, location: Text = ""
) -> Response:
    """Say it for all, or for a site."""
    command = SetOffline(None, starts, refused_wh, await _site(house, caller, location))
    await house.write(caller.operator_id, set_offline, command, actor=actor_of(caller))
    return done(OFFLINE, "saved")


@router.post("/console/offline/remove")
async def remove(caller: Operations, house: TheHouse, location: Text = "") -> Response:
    """Take it back, of all or of a site: the next wider rule holds."""
    command = RemoveOffline(None, await _site(house, caller, location))
    await house.write(caller.operator_id, remove_offline, command, actor=actor_of(caller))
    return done(OFFLINE, "saved")


async def _site(house: House, caller: Caller, reference: str) -> LocationId | None:
    if not reference:
        return None
    row = await house.ask(house.views.location, caller.operator_id, reference)
    return LocationId(found(row, "location", "locations.not_found")["id"])


@router.post("/console/stations/{identity}/offline")
async def post_station(
    identity: str, caller: Operations, house: TheHouse, starts: Annotated[Starts, Form()], refused_wh: Energy = 0
) -> Response:
    """Say it for one station."""
    station = await station_of(house, caller.operator_id, identity)
    if station["state"] != "adopted":
        msg = f"station {identity} is {station['state']}"
        raise NotFound(msg, code="stations.not_adopted", remedy="adopt it first: tallywatt station adopt")
    command = SetOffline(StationId(station["id"]), starts, refused_wh)
    await house.write(caller.operator_id, set_offline, command, actor=actor_of(caller))
    return done(f"/console/stations/{identity}", "saved", "#offline")


@router.post("/console/stations/{identity}/offline/remove")
async def remove_station(identity: str, caller: Operations, house: TheHouse) -> Response:
    """Take back what is said of one station: what is said of its site holds, else of all."""
    station = await station_of(house, caller.operator_id, identity)
    command = RemoveOffline(StationId(station["id"]))
    await house.write(caller.operator_id, remove_offline, command, actor=actor_of(caller))
    return done(f"/console/stations/{identity}", "saved", "#offline")
