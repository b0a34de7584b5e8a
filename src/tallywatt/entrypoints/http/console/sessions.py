"""Sessions on the console: the list, one of them down to its frames, and stopping it."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.metrology import receipt_of
from tallywatt.entrypoints.http.api.places import operator_of
from tallywatt.entrypoints.http.console.counting import beside
from tallywatt.entrypoints.http.console.shown import PAGE, done, shown
from tallywatt.entrypoints.http.doors import Assistant, Operations, Reader, TheHouse, actor_of
from tallywatt.entrypoints.http.telling import found
from tallywatt.entrypoints.pages import frame_page, session_page
from tallywatt.entrypoints.pages.language import language
from tallywatt.entrypoints.pages.signed_part import signed_view
from tallywatt.kernel.errors import BadInput
from tallywatt.kernel.identity import SessionId, StationId
from tallywatt.stations.command import Action
from tallywatt.workflows.command_station import CommandStation
from tallywatt.workflows.order_station import order_station

router = APIRouter()


@router.get("/console/sessions")
async def list_sessions(
    request: Request,
    caller: Reader,
    house: TheHouse,
    state: str | None = None,
    reason: str | None = None,
    station: str | None = None,
    source: str | None = None,
    customer: str | None = None,
    cursor: str | None = None,
) -> Response:
    """Sessions, newest first."""
    chosen = {"state": state, "reason": reason, "station": station, "source": source, "customer": customer}
    given = {name: value for name, value in chosen.items() if value}
    rows = await house.ask(house.views.sessions, caller.operator_id, PAGE, **given, before=cursor)
    counts = await house.ask(house.views.session_counts, caller.operator_id)
    return await shown(
        request,
        house,
        caller,
        "sessions.html",
        "sessions",
        rows=rows["items"],
        next=rows["next"],
        chosen=given,
        counts=counts,
    )


@router.get("/console/sessions/{session_id}")
async def show_session(request: Request, session_id: str, caller: Reader, house: TheHouse) -> Response:
    """One session, down to the frames."""
    asked = house.ask(house.views.session, caller.operator_id, session_id, language())
    row = found(await asked, "session", "sessions.not_found")
    cost = None
    if row["rated"] is None:
        cost = await house.ask(house.views.cost_so_far, caller.operator_id, session_id, language())
    operator = await operator_of(house, caller.operator_id)
    view = session_page.view(row, cost, operator)
    signed = signed_view(await house.ask(house.views.signed_values, caller.operator_id, session_id))
    counted = await house.ask(house.views.counted_of, caller.operator_id, session_id)
    return await shown(
        request, house, caller, "session_detail.html", "sessions", row=row, view=view, signed=signed,
        counted=None if counted is None else beside(counted),
    )  # fmt: skip


@router.get("/console/sessions/{session_id}/signed.xml")
async def show_receipt(session_id: str, caller: Reader, house: TheHouse) -> Response:
    """What its meter signed, as the file that the official transparency software opens."""
    found(
        await house.ask(house.views.session, caller.operator_id, session_id, language()),
        "session",
        "sessions.not_found",
    )
    return receipt_of(await house.ask(house.views.signed_values, caller.operator_id, session_id), session_id)


@router.get("/console/frames/{frame_id}")
async def show_frame(request: Request, frame_id: str, caller: Operations, house: TheHouse) -> Response:
    """What came over the wire, unsealed: tokens and serial numbers too, so it is for who works at stations, as in the API."""
    row = await house.ask(house.views.frame, caller.operator_id, frame_id, house.store.vault)
    view = frame_page.view(found(row, "frame", "frames.not_found"))
    return await shown(request, house, caller, "frame.html", "stations", frame=view)


@router.post("/console/sessions/{session_id}/stop")
async def stop(session_id: str, caller: Assistant, house: TheHouse) -> Response:
    """Ask the station to stop."""
    row = found(await house.ask(house.views.session, caller.operator_id, session_id), "session", "sessions.not_found")
    if row["station_id"] is None:
        msg = "this session runs at no station of ours"
        raise BadInput(msg, code="sessions.no_station")
    order = CommandStation(StationId(row["station_id"]), Action.STOP, session_id=SessionId(session_id))
    await house.write(caller.operator_id, order_station, order, actor=actor_of(caller))
    return done(f"/console/sessions/{session_id}", "stopping")
