"""Charging sessions: listed, shown, brought from elsewhere, stopped."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime

from tallywatt.entrypoints.http.api.money import without_page
from tallywatt.entrypoints.http.api.tariffs import when
from tallywatt.entrypoints.http.doors import Assistant, Bringer, Reader, TheHouse
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, listed
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.shapes import NewSession
from tallywatt.entrypoints.http.telling import as_json, found, told
from tallywatt.kernel.clock import Instant, instant, rfc3339
from tallywatt.kernel.energy import milliwatt_hours
from tallywatt.kernel.errors import Conflict
from tallywatt.kernel.identity import SessionId, StationId
from tallywatt.metering.session import PayerKind, Reason, SessionState, Source
from tallywatt.stations.command import Action
from tallywatt.workflows.bring_session import BringSession, bring_session
from tallywatt.workflows.command_station import CommandStation
from tallywatt.workflows.order_station import order_station

router = APIRouter(tags=["sessions"], route_class=Resource)


@router.get("/sessions")
async def list_sessions(
    request: Request,
    caller: Reader,
    house: TheHouse,
    state: SessionState | None = None,
    source: Source | None = None,
    payer: PayerKind | None = None,
    station: str | None = None,
    evse: str | None = None,
    customer: str | None = None,
    token: str | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    reason: Reason | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Sessions, newest first; with `since` or `until` by their starts. `reason`: why energy of theirs is not billed."""
    filters = {
        "state": state, "source": source, "payer": payer, "station": station, "evse": evse, "customer": customer,
        "token": token, "since": when(since), "until": when(until), "reason": reason,
    }  # fmt: skip
    return await listed(request, house, caller, "sessions", limit, cursor, **filters)


@router.post("/sessions", status_code=201)
async def post_session(request: Request, body: NewSession, caller: Bringer, house: TheHouse) -> Response:
    """Bring a session from elsewhere: it is priced and billed like the others. The same `upstream_id` is billed once."""
    command = BringSession(
        source=Source.API,
        upstream_id=body.upstream_id,
        started_at=instant(body.started_at),
        ended_at=instant(body.ended_at),
        milliwatt_hours=milliwatt_hours(body.energy_wh, "Wh"),
        evse_code=body.evse,
        station=body.station,
        evse_number=body.evse_number,
        token_uid=body.token,
        customer_reference=body.customer,
        energy_ended_at=when(body.energy_ended_at),
        occupancy_ended_at=when(body.occupancy_ended_at),
    )
    return await write_once(request, house, caller, bring_session, command, lambda row: told(row, "session_id"), 201)


@router.get("/sessions/{session_id}")
async def show_session(session_id: str, caller: Reader, house: TheHouse) -> Response:
    """One session, down to readings, frames, price lines, payments and bookings."""
    row = found(await house.ask(house.views.session, caller.operator_id, session_id), "session", "sessions.not_found")
    for line in (line for rated in (row["rated"], *row["results"]) if rated is not None for line in rated["lines"]):
        for name in ("started_at", "ended_at"):
            if isinstance(line[name], int):  # the present result is one of them all
                line[name] = rfc3339(Instant(line[name]))
    row["payments"] = [without_page(payment) for payment in row["payments"]]
    return as_json({name: value for name, value in row.items() if name != "driver_secret"})


@router.post("/sessions/{session_id}/stop", status_code=202)
async def stop_session(request: Request, session_id: str, caller: Assistant, house: TheHouse) -> Response:
    """Ask the station to stop; follow the command at `/commands/{id}`."""
    row = found(await house.ask(house.views.session, caller.operator_id, session_id), "session", "sessions.not_found")
    if row["station_id"] is None:
        msg = "this session runs at no station of ours"
        raise Conflict(msg, code="sessions.no_station")
    command = CommandStation(StationId(row["station_id"]), Action.STOP, session_id=SessionId(session_id))
    return await write_once(request, house, caller, order_station, command, lambda one: told(one, "command_id"), 202)
