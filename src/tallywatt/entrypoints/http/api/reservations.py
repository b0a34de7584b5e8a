"""Reservations: an EVSE is kept for a driver until a moment, as far as the station plays along."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.places import station_of
from tallywatt.entrypoints.http.doors import Assistant, Reader, TheHouse
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, listed
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.shapes import NewReservation
from tallywatt.entrypoints.http.telling import as_json, found, told
from tallywatt.kernel.errors import NotFound
from tallywatt.kernel.identity import EvseId, StationId
from tallywatt.stations.reservation import ReservationState
from tallywatt.workflows.reserve import CancelReservation, Reserve, cancel_reservation, reserve

router = APIRouter(tags=["places"], route_class=Resource)


@router.get("/reservations")
async def list_reservations(
    request: Request,
    caller: Reader,
    house: TheHouse,
    state: ReservationState | None = None,
    station: str | None = None,
    customer: str | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Reservations, newest first."""
    filters = {"state": state, "station": station, "customer": customer}
    return await listed(request, house, caller, "reservations", limit, cursor, **filters)


@router.get("/reservations/{reservation_id}")
async def show_reservation(reservation_id: str, caller: Reader, house: TheHouse) -> Response:
    """Where a reservation stands."""
    row = await house.ask(house.views.reservation, caller.operator_id, reservation_id)
    return as_json(found(row, "reservation", "reservations.not_found"))


@router.post("/stations/{identity}/reservations", status_code=202)
async def post_reservation(
    request: Request, identity: str, body: NewReservation, caller: Assistant, house: TheHouse
) -> Response:
    """Ask a station to keep an EVSE for a token or a customer; follow it at `/reservations/{id}`."""
    station = await station_of(house, caller.operator_id, identity)
    evse = None
    if body.evse is not None:
        evse = next((one for one in station["evses"] if one["code"] == body.evse), None)
        if evse is None:
            msg = f"station {identity} has no EVSE {body.evse}"
            raise NotFound(msg, code="evses.not_found")
    command = Reserve(
        StationId(station["id"]),
        body.minutes,
        EvseId(evse["id"]) if evse is not None else None,
        body.connector_type,
        body.token,
        body.customer,
    )
    return await write_once(request, house, caller, reserve, command, lambda row: told(row, "reservation_id"), 202)


@router.post("/reservations/{reservation_id}/cancel", status_code=202)
async def post_cancel(request: Request, reservation_id: str, caller: Assistant, house: TheHouse) -> Response:
    """Ask the station to keep it no longer. It holds until the station has answered."""
    command = CancelReservation(reservation_id)
    return await write_once(
        request, house, caller, cancel_reservation, command, lambda row: told(row, "reservation_id"), 202
    )
