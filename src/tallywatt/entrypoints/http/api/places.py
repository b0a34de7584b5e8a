"""Operators, locations, stations, EVSEs, and commands to stations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime

from tallywatt.entrypoints.http.api.tariffs import when
from tallywatt.entrypoints.http.changes import EvseChange, LocationChange, StationChange
from tallywatt.entrypoints.http.doors import Assistant, Operations, Reader, Seller, TheHouse, authorise_command, take
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, listed
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.shapes import Adoption, NewCommand, NewEvse, NewLocation, NewStation
from tallywatt.entrypoints.http.telling import as_json, as_versioned, found, told
from tallywatt.kernel.clock import Instant, rfc3339
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.kernel.identity import EvseId, SessionId, StationId
from tallywatt.stations.command import Action, CommandState
from tallywatt.stations.credentials import hash_key
from tallywatt.stations.station import StationState
from tallywatt.wiring import check_message
from tallywatt.workflows import add_station
from tallywatt.workflows.add_location import AddLocation, add_location
from tallywatt.workflows.change_location import ChangeLocation, change_location, lock_location
from tallywatt.workflows.change_station import (
    ChangeEvse,
    ChangeStation,
    change_evse,
    change_station,
    lock_station,
)
from tallywatt.workflows.command_station import CommandStation
from tallywatt.workflows.order_station import order_station

if TYPE_CHECKING:
    from tallywatt.entrypoints.http.limits import Limits
    from tallywatt.wiring import House

router = APIRouter(tags=["places"], route_class=Resource)


@router.get("/locations")
async def list_locations(
    request: Request, caller: Reader, house: TheHouse, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """Locations by reference."""
    return await listed(request, house, caller, "locations", limit, cursor)


@router.post("/locations", status_code=201)
async def post_location(request: Request, body: NewLocation, caller: Seller, house: TheHouse) -> Response:
    """A new location."""
    command = AddLocation(**body.model_dump())
    return await write_once(request, house, caller, add_location, command, lambda row: told(row, "location_id"), 201)


@router.get("/locations/{location_reference}")
async def show_location(location_reference: str, caller: Reader, house: TheHouse) -> Response:
    """One location."""
    row = await house.ask(house.views.location, caller.operator_id, location_reference)
    return as_versioned(found(row, "location", "locations.not_found"))


@router.patch("/locations/{location_reference}")
async def patch_location(
    request: Request, location_reference: str, body: LocationChange, caller: Seller, house: TheHouse
) -> Response:
    """Change where a location says it is, and how it is called."""
    command = ChangeLocation(location_reference, **body.model_dump())
    return await write_once(
        request, house, caller, change_location, command, lambda row: told(row, "location_id"),
        version_of=lambda work: lock_location(work, location_reference).version,
    )  # fmt: skip


@router.get("/stations")
async def list_stations(
    request: Request,
    caller: Reader,
    house: TheHouse,
    state: StationState | None = None,
    location: str | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Stations by identity, with EVSEs and connectors. `state=quarantined` lists those that knock."""
    return await listed(request, house, caller, "stations", limit, cursor, state=state, location=location)


@router.post("/stations", status_code=201)
async def post_station(request: Request, body: NewStation, caller: Seller, house: TheHouse) -> Response:
    """A station that is to connect, with its EVSEs."""
    command = add_station.AddStation(body.identity, body.location, key_hash(house, body.key), evses_of(body.evses))
    return await write_once(
        request, house, caller, add_station.add_station, command, lambda row: told(row, "station_id"), 201
    )


@router.get("/stations/{identity}")
async def show_station(identity: str, caller: Reader, house: TheHouse) -> Response:
    """One station, with its last commands."""
    row = await house.ask(house.views.station, caller.operator_id, identity, versioned=True)
    return as_versioned(found(row, "station", "stations.not_found"))


@router.patch("/stations/{identity}")
async def patch_station(
    request: Request, identity: str, body: StationChange, caller: Seller, house: TheHouse
) -> Response:
    """Move a station, give it another key, say how it must connect and which version it prefers."""
    command = ChangeStation(
        identity, body.location, key_hash(house, body.key), body.security_profile, body.preferred_protocol
    )
    return await write_once(
        request, house, caller, change_station, command, lambda row: told(row, "station_id"),
        version_of=lambda work: lock_station(work, identity).version,
    )  # fmt: skip


@router.get("/stations/{identity}/frames")
async def list_frames(
    request: Request,
    identity: str,
    caller: Reader,
    house: TheHouse,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """What a station sent, newest first, without the contents: those are at `/frames/{id}`."""
    await station_of(house, caller.operator_id, identity)
    span = {"since": when(since), "until": when(until)}
    return await listed(request, house, caller, "frames", limit, cursor, station=identity, **span)


@router.get("/frames/{frame_id}")
async def show_frame(frame_id: str, caller: Operations, house: TheHouse) -> Response:
    """What came over the wire, unsealed. `text` is null where the key of its month was dropped."""
    row = await house.ask(house.views.frame, caller.operator_id, frame_id, house.store.vault)
    return as_json(found(row, "frame", "frames.not_found"))


@router.post("/stations/{identity}/adopt")
async def adopt_station(
    request: Request, identity: str, body: Adoption, caller: Operations, house: TheHouse
) -> Response:
    """Take a station out of quarantine."""
    command = add_station.AdoptStation(identity, body.location, key_hash(house, body.key), evses_of(body.evses))
    return await write_once(
        request, house, caller, add_station.adopt_station, command, lambda row: told(row, "station_id")
    )


@router.post("/stations/{identity}/commands", status_code=202)
async def post_command(
    request: Request, identity: str, body: NewCommand, caller: Assistant, house: TheHouse
) -> Response:
    """Ask a station to do something, and follow the command at `/commands/{id}`."""
    authorise_command(caller, body.action)
    station = await station_of(house, caller.operator_id, identity)
    command = command_for(station, body)
    return await write_once(request, house, caller, order_station, command, lambda row: told(row, "command_id"), 202)


@router.get("/commands")
async def list_commands(
    request: Request,
    caller: Reader,
    house: TheHouse,
    state: CommandState | None = None,
    station: str | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Commands to stations, newest first."""
    return await listed(request, house, caller, "commands", limit, cursor, state=state, station=station)


@router.get("/commands/{command_id}")
async def show_command(command_id: str, caller: Reader, house: TheHouse) -> Response:
    """Where a command stands."""
    row = await house.ask(house.views.command, caller.operator_id, command_id)
    return as_json(found(row, "command", "commands.not_found"))


@router.get("/evses")
async def list_evses(
    request: Request,
    caller: Reader,
    house: TheHouse,
    station: str | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """EVSEs by their codes, with their connectors."""
    return await listed(request, house, caller, "evses", limit, cursor, station=station)


@router.get("/evses/{code}")
async def show_evse(code: str, caller: Reader, house: TheHouse) -> Response:
    """One EVSE by the code that drivers see."""
    row = await house.ask(house.views.evse, caller.operator_id, code)
    return as_json(found(row, "EVSE", "evses.not_found"))


@router.patch("/evses/{code}")
async def patch_evse(request: Request, code: str, body: EvseChange, caller: Seller, house: TheHouse) -> Response:
    """Change what is known of an EVSE: its current, its power, since when it is in service, its law of measurement."""
    deployed = None if body.deployed_on is None else body.deployed_on.isoformat()
    command = ChangeEvse(code, body.current, body.max_watts, deployed, body.metrology)
    return await write_once(request, house, caller, change_evse, command, lambda row: told(row, "evse_id"))


@router.get("/evses/{code}/price")
async def show_price(request: Request, code: str, house: TheHouse) -> Response:
    """What a driver is shown before a start at this moment: from the tariff that would rate the session. Open to everybody."""
    limits: Limits = request.app.state.limits
    take(request, limits.ask("pages", limits.address_of(request.scope)))
    evse = await house.ask(house.views.evse_by_code, code)
    if evse is None or evse["state"] != StationState.ADOPTED.value:
        msg = "there is no such EVSE"
        raise NotFound(msg, code="evses.not_found")
    price = await house.ask(house.views.price_at, evse["operator_id"], evse, house.business_now())
    if price is None:
        msg = f"no tariff holds at {evse['code']} at the moment"
        raise Conflict(msg, code="offers.no_tariff", remedy="assign a tariff: tallywatt tariff assign")
    shown = {name: value for name, value in price.items() if name != "choice_reason"}
    always: dict[str, Any] = {
        "evse": evse["code"], "reservation": [], "min_price": None, "max_price": None, "caps": [], "discounts": [],
    }  # fmt: skip
    return as_json({**always, **shown, "at": rfc3339(Instant(price["at"]))})


async def operator_of(house: House, operator_id: str, *, versioned: bool = False) -> dict[str, Any]:
    """The operator of a caller."""
    row = await house.ask(house.views.operator_by_id, operator_id, versioned=versioned)
    return found(row, "operator", "operators.not_found")


async def station_of(house: House, operator_id: str, identity: str) -> dict[str, Any]:
    """The station of that identity, or NotFound."""
    row = await house.ask(house.views.station, operator_id, identity)
    return found(row, "station", "stations.not_found")


def key_hash(house: House, key: str | None) -> str | None:
    """What is kept of a station's key."""
    return hash_key(key, house.pepper) if key else None


def evses_of(evses: list[NewEvse]) -> tuple[add_station.NewEvse, ...]:
    """The EVSEs in the words of the workflow."""
    return tuple(add_station.NewEvse(one.number, one.current, one.max_watts, one.code) for one in evses)


def command_for(station: dict[str, Any], body: NewCommand) -> CommandStation:
    """The command in the words of the workflow."""
    evse = next((one for one in station["evses"] if one["code"] == body.evse), None)
    if body.evse is not None and evse is None:
        msg = f"station {station['identity']} has no EVSE {body.evse}"
        raise BadInput(msg, code="stations.no_such_evse")
    if body.action is Action.STOP and body.session is None:
        msg = "say which session to stop"
        raise BadInput(msg, code="stations.no_session")
    if body.action is Action.MESSAGE:
        if body.message is None:
            msg = "say which message"
            raise BadInput(msg, code="stations.no_such_message", remedy="GET /messages lists them")
        check_message(station["protocol"], body.message, body.content or {})
    payloads: dict[Action, dict[str, Any]] = {
        Action.MESSAGE: {"name": body.message, "content": body.content or {}},
        Action.START: {"tag": body.tag} | ({"limit": body.limit.chosen()} if body.limit is not None else {}),
        Action.RESET: {"type": body.reset.capitalize()},
        Action.AVAILABILITY: {"operative": body.operative},
    }
    return CommandStation(
        StationId(station["id"]),
        body.action,
        payloads.get(body.action, {}),
        evse_id=EvseId(evse["id"]) if evse is not None else None,
        session_id=SessionId(body.session) if body.session else None,
        deadline_seconds=body.deadline_seconds,
    )
