"""Limits of sessions that run, and prices on displays of stations."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.places import station_of
from tallywatt.entrypoints.http.doors import Assistant, Operations, TheHouse
from tallywatt.entrypoints.http.manners import Resource
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.shapes import PricesShown, SessionLimits
from tallywatt.entrypoints.http.telling import told
from tallywatt.kernel.identity import SessionId, StationId
from tallywatt.workflows.keep_limit import SetLimit, set_limit
from tallywatt.workflows.show_price import SetDisplay, set_display

router = APIRouter(tags=["sessions"], route_class=Resource)


@router.post("/sessions/{session_id}/limit")
async def limit_session(
    request: Request, session_id: str, body: SessionLimits, caller: Assistant, house: TheHouse
) -> Response:
    """The most of a session that runs; what is reached first stops it. Without any of them, what was chosen is lifted.

    A station of OCPP 2.1 is told it and keeps it itself; every other session is watched, and stopped before it passes it.
    """
    command = SetLimit(SessionId(session_id), body.chosen())
    return await write_once(request, house, caller, set_limit, command, lambda row: told(row, "subject_id"))


@router.post("/display", tags=["places"])
async def post_display(request: Request, body: PricesShown, caller: Operations, house: TheHouse) -> Response:
    """Whether displays of stations are told prices, wherever nothing else is said of a station."""
    command = SetDisplay(None, body.shows, body.every_seconds, body.tolerance_minor)
    return await write_once(request, house, caller, set_display, command, lambda row: told(row, "scope"))


@router.post("/stations/{identity}/display", tags=["places"])
async def post_station_display(
    request: Request, identity: str, body: PricesShown, caller: Operations, house: TheHouse
) -> Response:
    """Whether the display of this station is told prices, and how often."""
    station = await station_of(house, caller.operator_id, identity)
    command = SetDisplay(StationId(station["id"]), body.shows, body.every_seconds, body.tolerance_minor)
    return await write_once(request, house, caller, set_display, command, lambda row: told(row, "scope"))
