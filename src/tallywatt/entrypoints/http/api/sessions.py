"""Charging sessions: listed, shown, brought from elsewhere, stopped."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime

from tallywatt.entrypoints.http.api.money import without_page
from tallywatt.entrypoints.http.api.tariffs import when
from tallywatt.entrypoints.http.doors import Assistant, Bringer, Reader, TheHouse
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, listed
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.shapes import NewSession
from tallywatt.entrypoints.http.telling import as_json, found, told
from tallywatt.entrypoints.pages import session_page
from tallywatt.kernel.clock import Instant, instant, rfc3339
from tallywatt.kernel.energy import milliwatt_hours
from tallywatt.kernel.errors import Conflict
from tallywatt.kernel.identity import SessionId, StationId
from tallywatt.metering.session import PayerKind, Reason, SessionState, Source
from tallywatt.rating.outlook import Limit as Reach
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


@router.get("/sessions/{session_id}/cost")
async def show_cost(
    session_id: str,
    caller: Reader,
    house: TheHouse,
    limit_minor: Annotated[int | None, Query(ge=0, le=10**12)] = None,
    limit_wh: Annotated[int | None, Query(ge=0, le=10**9)] = None,
    limit_seconds: Annotated[int | None, Query(ge=0, le=10**8)] = None,
) -> Response:
    """What a session costs so far, by the rule of its invoice, and what is ahead if it goes on as it does.

    `ahead.next_minute` is what the price with tax changes by within the next minute, in major units; `ahead.change` the next
    other price. With a limit of money (minor units, with tax), energy or time since the start, `ahead.limit` says which one is
    reached first and when; it is null if none is within two days.
    `ahead` is null where nothing goes on; what is billed is final.
    """
    row = found(await house.ask(house.views.session, caller.operator_id, session_id), "session", "sessions.not_found")
    limit = Reach(
        limit_minor,
        None if limit_wh is None else limit_wh * 1000,
        None if limit_seconds is None else limit_seconds * 1000,
    )
    asked = limit if limit != Reach() else None
    cost = row["rated"] and session_page.final_cost(row)
    if cost is None:
        cost = await house.ask(house.views.cost_so_far, caller.operator_id, session_id, limit=asked)
    return as_json(found(cost, "price of this session", "sessions.no_price"))


@router.post("/sessions/{session_id}/stop", status_code=202)
async def stop_session(request: Request, session_id: str, caller: Assistant, house: TheHouse) -> Response:
    """Ask the station to stop; follow the command at `/commands/{id}`."""
    row = found(await house.ask(house.views.session, caller.operator_id, session_id), "session", "sessions.not_found")
    if row["station_id"] is None:
        msg = "this session runs at no station of ours"
        raise Conflict(msg, code="sessions.no_station")
    command = CommandStation(StationId(row["station_id"]), Action.STOP, session_id=SessionId(session_id))
    return await write_once(request, house, caller, order_station, command, lambda one: told(one, "command_id"), 202)
