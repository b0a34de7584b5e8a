"""What stations of OCPP 2.1 count by, what they have counted, and what stations may do without a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.places import station_of
from tallywatt.entrypoints.http.doors import Operations, Reader, TheHouse
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, listed
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.shapes import OfflinePolicy
from tallywatt.entrypoints.http.telling import as_json, found, told
from tallywatt.kernel.identity import LocationId, StationId
from tallywatt.workflows.keep_tariff import KeepTariffs, ask_tariffs, clear_tariffs
from tallywatt.workflows.set_offline import OfflineAnswer, RemoveOffline, SetOffline, remove_offline, set_offline

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

router = APIRouter(tags=["places"], route_class=Resource)


@router.get("/station-tariffs")
async def list_station_tariffs(caller: Reader, house: TheHouse) -> Response:
    """Every EVSE of a station that counts for itself: the tariff that bills, what the station was told, and since when it has
    it; else why it has not.
    """
    return as_json({"items": await house.ask(house.views.station_tariffs, caller.operator_id)})


@router.get("/stations/{identity}/tariffs")
async def show_station_tariffs(identity: str, caller: Reader, house: TheHouse) -> Response:
    """The same of one station; empty for one that counts nothing itself."""
    station = await station_of(house, caller.operator_id, identity)
    return as_json({"items": await house.ask(house.views.tariffs_of_station, caller.operator_id, station["id"])})


@router.post("/stations/{identity}/tariffs/tell", status_code=202)
async def post_telling(request: Request, identity: str, caller: Operations, house: TheHouse) -> Response:
    """Tell a station of OCPP 2.1 its tariffs again, also those that it has refused or that were cleared."""
    return await _asked(request, house, caller, identity, ask_tariffs)


@router.post("/stations/{identity}/tariffs/clear", status_code=202)
async def post_clearing(request: Request, identity: str, caller: Operations, house: TheHouse) -> Response:
    """Let a station of OCPP 2.1 count by none of our tariffs, until it is told them again."""
    return await _asked(request, house, caller, identity, clear_tariffs)


async def _asked(request: Request, house: Any, caller: Any, identity: str, workflow: Any) -> Response:
    station = await station_of(house, caller.operator_id, identity)

    def answer(count: int) -> dict[str, object]:
        return {"station": identity, "evses": count}

    return await write_once(request, house, caller, workflow, KeepTariffs(StationId(station["id"])), answer, 202)


@router.get("/counted-costs")
async def list_counted(
    request: Request, caller: Reader, house: TheHouse, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """Sessions whose station has counted another cost than the one that is charged, or one that cannot be compared with it."""
    return await listed(request, house, caller, "counted", limit, cursor)


@router.get("/sessions/{session_id}/counted", tags=["sessions"])
async def show_counted(session_id: str, caller: Reader, house: TheHouse) -> Response:
    """What the station of a session has counted last (`costDetails` of OCPP 2.1), beside the price that is charged: ours."""
    row = await house.ask(house.views.counted_of, caller.operator_id, session_id)
    return as_json(found(row, "cost that a station has counted", "sessions.not_counted"))


@router.get("/offline")
async def list_offline(caller: Reader, house: TheHouse) -> Response:
    """What stations may do without a connection: everywhere, and where a site or a station has a rule of its own. `words` say
    what it means, and what money it risks at the prices that hold now.
    """
    return as_json(await house.ask(house.views.offline_rules, caller.operator_id, house.business_now()))


@router.post("/offline")
async def post_offline(request: Request, body: OfflinePolicy, caller: Operations, house: TheHouse) -> Response:
    """Say it for all stations of which, and of whose site, nothing else is said."""
    command = SetOffline(None, body.starts, body.refused_wh)
    return await write_once(request, house, caller, set_offline, command, _kept)


@router.delete("/offline")
async def delete_offline(request: Request, caller: Operations, house: TheHouse) -> Response:
    """Take back what is said of all: stations of which nothing else is said do as usual."""
    return await write_once(request, house, caller, remove_offline, RemoveOffline(None), _kept)


@router.post("/locations/{location_reference}/offline")
async def post_location_offline(
    request: Request, location_reference: str, body: OfflinePolicy, caller: Operations, house: TheHouse
) -> Response:
    """Say it for the stations of a site of which nothing else is said."""
    command = SetOffline(None, body.starts, body.refused_wh, await _site(house, caller, location_reference))
    return await write_once(request, house, caller, set_offline, command, _kept)


@router.delete("/locations/{location_reference}/offline")
async def delete_location_offline(
    request: Request, location_reference: str, caller: Operations, house: TheHouse
) -> Response:
    """Take back what is said of a site: what is said of all holds there."""
    command = RemoveOffline(None, await _site(house, caller, location_reference))
    return await write_once(request, house, caller, remove_offline, command, _kept)


async def _site(house: House, caller: Caller, reference: str) -> LocationId:
    row = await house.ask(house.views.location, caller.operator_id, reference)
    return LocationId(found(row, "location", "locations.not_found")["id"])


@router.get("/stations/{identity}/offline")
async def show_offline(identity: str, caller: Reader, house: TheHouse) -> Response:
    """What this station may do, of whom that was said, and what it risks."""
    row = await house.ask(house.views.offline_of, caller.operator_id, identity, house.business_now())
    return as_json(found(row, "adopted station", "stations.not_found"))


@router.post("/stations/{identity}/offline")
async def post_station_offline(
    request: Request, identity: str, body: OfflinePolicy, caller: Operations, house: TheHouse
) -> Response:
    """Say it for this station."""
    station = await station_of(house, caller.operator_id, identity)
    command = SetOffline(StationId(station["id"]), body.starts, body.refused_wh)
    return await write_once(request, house, caller, set_offline, command, _kept)


@router.delete("/stations/{identity}/offline")
async def delete_station_offline(request: Request, identity: str, caller: Operations, house: TheHouse) -> Response:
    """Take back what is said of this station: what is said of its site holds, else of all."""
    station = await station_of(house, caller.operator_id, identity)
    command = RemoveOffline(StationId(station["id"]))
    return await write_once(request, house, caller, remove_offline, command, _kept)


def _kept(answer: OfflineAnswer) -> dict[str, Any]:
    return told(answer.rule, "scope") | {"is_set": answer.is_set}
