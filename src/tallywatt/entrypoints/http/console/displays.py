"""Texts on a station's display, on the console: which ones it has, one set, one taken away (OCPP 2.x)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.places import operator_of, station_of
from tallywatt.entrypoints.http.console.power import tell, told_of, whole
from tallywatt.entrypoints.http.console.shown import done, given_fields, shown
from tallywatt.entrypoints.http.console.tariffs import typed_instant
from tallywatt.entrypoints.http.doors import Operations, Reader, TheHouse
from tallywatt.entrypoints.http.problems import status_of
from tallywatt.kernel.errors import TallywattError
from tallywatt.stations import messages_shown as texts
from tallywatt.stations.messages import OLD

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.kernel.clock import Instant
    from tallywatt.wiring import House

router = APIRouter()


@router.get("/console/stations/{identity}/display")
async def show_display(request: Request, identity: str, caller: Reader, house: TheHouse) -> Response:
    """What a station's display was told to show."""
    return await _page(request, house, caller, identity)


@router.post("/console/stations/{identity}/display")
async def change(request: Request, identity: str, caller: Operations, house: TheHouse) -> Response:
    """Show a text, take one away, ask which ones there are. Times are those of the operator's zone."""
    given = await given_fields(request)
    row = await station_of(house, caller.operator_id, identity)
    zone = (await operator_of(house, caller.operator_id))["zone"]
    try:
        name, content = _wanted(row["protocol"], given, house.machine.now(), zone)
        await tell(house, caller, row, name, content)
    except TallywattError as problem:
        return await _page(request, house, caller, identity, problem, given)
    return done(f"/console/stations/{identity}/display", "told", "#asked")


def _wanted(protocol: str | None, given: dict[str, str], now: Instant, zone: str) -> tuple[str, dict[str, Any]]:
    do, number = given.get("do", ""), given.get("number", "").strip()
    if do == "clear":
        return texts.clearing(whole(number, "the number of a message"))
    if do == "list":
        return texts.asking()
    wanted = texts.Text(
        # The second of the day it is made in: no two that a person makes are alike, and the same number replaces.
        whole(number, "the number of a message") if number else now // 1000 % texts.LARGEST_NUMBER,
        given.get("text", ""),
        given.get("priority") or texts.PRIORITIES[0],
        given.get("state", ""),
        given.get("language", ""),
        typed_instant(given.get("begins", ""), zone),
        typed_instant(given.get("ends", ""), zone),
    )
    return texts.showing(protocol, wanted)


async def _page(
    request: Request,
    house: House,
    caller: Caller,
    identity: str,
    problem: TallywattError | None = None,
    given: dict[str, str] | None = None,
) -> Response:
    row = await station_of(house, caller.operator_id, identity)
    told = await told_of(house, caller, row, texts.ABOUT_DISPLAYS)
    held = await house.ask(house.views.texts_of, caller.operator_id, row["id"], house.machine.now())
    return await shown(
        request, house, caller, "station_display.html", "stations", status_of(problem) if problem else 200,
        row=row, told=told[:20], problem=problem, given=given or {}, is_old=row["protocol"] == OLD,
        texts=held["texts"], told_at=held["told_at"],
        priorities=texts.PRIORITIES, states=texts.STATES,
    )  # fmt: skip
