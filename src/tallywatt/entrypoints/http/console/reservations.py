"""Reservations on the console: which EVSE is kept for whom until when, one made, one given up, and what became of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.places import station_of
from tallywatt.entrypoints.http.console.shown import PAGE, done, given_fields, shown
from tallywatt.entrypoints.http.doors import Assistant, Reader, TheHouse, actor_of
from tallywatt.entrypoints.http.problems import status_of
from tallywatt.kernel.errors import BadInput, NotFound, TallywattError
from tallywatt.kernel.identity import EvseId, StationId
from tallywatt.stations.reservation import ReservationState
from tallywatt.workflows.reserve import CancelReservation, Reserve, cancel_reservation, reserve

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

router = APIRouter()
HERE: Final = "/console/reservations"


@router.get(HERE)
async def list_reservations(
    request: Request, caller: Reader, house: TheHouse, state: str = "", station: str = "", cursor: str | None = None
) -> Response:
    """Reservations, newest first; of a station, or in a state."""
    if state and state not in set(ReservationState):
        msg = "there is no such state of a reservation"
        raise BadInput(msg, code="reservations.bad_state", remedy=f"use one of: {', '.join(ReservationState)}")
    return await _page(request, house, caller, state, station, cursor)


@router.post(HERE)
async def make(request: Request, caller: Assistant, house: TheHouse) -> Response:
    """Ask a station to keep an EVSE; what does not fit comes back with what was typed."""
    given = await given_fields(request)
    identity = given.get("station", "").strip()
    try:
        station = await station_of(house, caller.operator_id, identity)
        command = Reserve(
            StationId(station["id"]),
            _whole(given.get("minutes", ""), "minutes"),
            _place(station, given.get("evse", "").strip()),
            given.get("connector_type", "").strip() or None,
            given.get("token", "").strip() or None,
            given.get("customer", "").strip() or None,
        )
        await house.write(caller.operator_id, reserve, command, actor=actor_of(caller))
    except TallywattError as problem:
        return await _page(request, house, caller, "", "", None, problem, given)
    return done(HERE, "reserving")


@router.post("/console/reservations/{reservation_id}/cancel")
async def give_up(request: Request, reservation_id: str, caller: Assistant, house: TheHouse) -> Response:
    """Ask the station to keep it no longer; it holds until the station has answered."""
    try:
        command = CancelReservation(reservation_id)
        await house.write(caller.operator_id, cancel_reservation, command, actor=actor_of(caller))
    except TallywattError as problem:
        return await _page(request, house, caller, "", "", None, problem)
    return done(HERE, "giving_up")


def _place(station: dict[str, object], number: str) -> EvseId | None:
    if not number:
        return None
    wanted = _whole(number, "the number of an EVSE")
    evses = station["evses"]
    assert isinstance(evses, list), "a station's row has its EVSEs"
    found = next((one["id"] for one in evses if one["number"] == wanted), None)
    if found is None:
        msg = f"station {station['identity']} has no EVSE {wanted}"
        raise NotFound(msg, code="evses.not_found")
    return EvseId(found)


def _whole(text: str, what: str) -> int:
    plain = text.strip()
    if not plain.isascii() or not plain.isdigit() or len(plain) > 6:
        msg = f"{what}: a whole number is needed"
        raise BadInput(msg, code="request.not_whole")
    return int(plain)


async def _page(
    request: Request,
    house: House,
    caller: Caller,
    state: str,
    station: str,
    cursor: str | None,
    problem: TallywattError | None = None,
    given: dict[str, str] | None = None,
) -> Response:
    chosen = {name: value for name, value in (("state", state), ("station", station.strip())) if value}
    told = await house.ask(house.views.page, "reservations", caller.operator_id, PAGE, cursor, **chosen)
    typed = given if given is not None else {"station": chosen.get("station", "")}
    return await shown(
        request, house, caller, "reservations.html", "stations", status_of(problem) if problem else 200,
        rows=told["items"], next=told["next"], chosen=chosen, problem=problem, given=typed,
        states=[one.value for one in ReservationState],
    )  # fmt: skip
