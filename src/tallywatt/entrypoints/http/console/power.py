"""Limits of a station's power, on the console: what it has been told to keep, a limit set or cleared, what it will do."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.places import command_for, station_of
from tallywatt.entrypoints.http.console.shown import done, given_fields, shown
from tallywatt.entrypoints.http.doors import Operations, Reader, TheHouse, actor_of
from tallywatt.entrypoints.http.problems import status_of
from tallywatt.entrypoints.http.shapes import NewCommand
from tallywatt.kernel.errors import BadInput, TallywattError
from tallywatt.stations import charging
from tallywatt.stations.charging import Limit, Unit
from tallywatt.stations.command import Action
from tallywatt.stations.messages import OLD
from tallywatt.workflows.order_station import order_station

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.kernel.clock import Instant
    from tallywatt.wiring import House

router = APIRouter()
WHOLE: Final = "0"
USUAL_MINUTES: Final = 24 * 60


@router.get("/console/stations/{identity}/power")
async def show_power(request: Request, identity: str, caller: Reader, house: TheHouse) -> Response:
    """What a station was told to keep to, and what it says that comes to."""
    return await _page(request, house, caller, identity)


@router.post("/console/stations/{identity}/power")
async def change(request: Request, identity: str, caller: Operations, house: TheHouse) -> Response:
    """Set a limit, clear one or all, ask what holds; what does not fit comes back with what was typed."""
    given = await given_fields(request)
    row = await station_of(house, caller.operator_id, identity)
    try:
        name, content = _wanted(row, given, house.machine.now())
        await tell(house, caller, row, name, content)
    except TallywattError as problem:
        return await _page(request, house, caller, identity, problem, given)
    return done(f"/console/stations/{identity}/power", "told", "#asked")


async def tell(house: House, caller: Caller, row: dict[str, Any], name: str, content: dict[str, Any]) -> None:
    """Ask a station by the message of its version, as any other message is asked for."""
    command = command_for(row, NewCommand(action=Action.MESSAGE, message=name, content=content))
    await house.write(caller.operator_id, order_station, command, actor=actor_of(caller))


def _wanted(row: dict[str, Any], given: dict[str, str], now: Instant) -> tuple[str, dict[str, Any]]:
    protocol, do = row["protocol"], given.get("do", "")
    if protocol is None:
        msg = f"station {row['identity']} has not told yet in which version it speaks"
        raise BadInput(msg, code="stations.version_unknown", remedy="wait until it has connected once")
    if do == "clear":
        return charging.clearing(protocol, whole(given.get("profile", ""), "the number of a profile"))
    if do == "clear_all":
        return charging.clearing(protocol, None)
    if do == "list":
        return charging.asking_profiles()
    unit = Unit.A if given.get("unit") == Unit.A.value else Unit.KW
    place = _place(row, given.get("evse", WHOLE))
    if do == "schedule":
        return charging.asking_schedule(protocol, place or 0, USUAL_MINUTES, unit)
    minutes = given.get("minutes", "").strip()
    lasts = whole(minutes, "minutes") if minutes else None
    return charging.limiting(protocol, Limit(place, _amount(given.get("amount", "")), unit, now, lasts))


def _place(row: dict[str, Any], text: str) -> int | None:
    number = whole(text, "the number of an EVSE")
    if number and number not in {one["number"] for one in row["evses"]}:
        msg = f"station {row['identity']} has no EVSE {number}"
        raise BadInput(msg, code="stations.no_such_evse")
    return number or None


def whole(text: str, what: str) -> int:
    """A whole number that somebody typed."""
    plain = text.strip()
    if not plain.isascii() or not plain.isdigit() or len(plain) > 10:
        msg = f"{what}: a whole number is needed"
        raise BadInput(msg, code="request.not_whole")
    return int(plain)


def _amount(text: str) -> Decimal:
    plain = text.strip().replace(",", ".")
    digits = plain.replace(".", "", 1)
    if not digits.isascii() or not digits.isdigit() or len(plain) > 12:
        msg = "a limit is a number, like 11 or 7.4"
        raise BadInput(msg, code="charging.bad_limit")
    return Decimal(plain)


async def told_of(house: House, caller: Caller, row: dict[str, Any], names: tuple[str, ...]) -> list[dict[str, Any]]:
    """The messages of these names that a station was sent, newest first."""
    rows = await house.ask(house.views.told_of, caller.operator_id, row["id"])
    return [one for one in rows if one["name"] in names]


async def _page(
    request: Request,
    house: House,
    caller: Caller,
    identity: str,
    problem: TallywattError | None = None,
    given: dict[str, str] | None = None,
) -> Response:
    row = await station_of(house, caller.operator_id, identity)
    told = await told_of(house, caller, row, charging.ABOUT_POWER)
    held = await house.ask(house.views.limits_of, caller.operator_id, row["id"], house.machine.now())
    return await shown(
        request, house, caller, "station_power.html", "stations", status_of(problem) if problem else 200,
        row=row, told=told[:20], problem=problem, given=given or {}, is_old=row["protocol"] == OLD,
        profiles=[one | {"limit": one["limit"] or "–"} for one in held["profiles"]],
        told_at=held["told_at"], schedules=held["schedules"],
    )  # fmt: skip
