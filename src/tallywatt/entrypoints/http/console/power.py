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
from tallywatt.kernel.clock import Instant, parse_instant, rfc3339
from tallywatt.kernel.errors import BadInput, TallywattError
from tallywatt.stations import charging
from tallywatt.stations.charging import Limit, Unit
from tallywatt.stations.command import Action, Asked
from tallywatt.stations.messages import OLD
from tallywatt.workflows.order_station import order_station

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
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


async def report_of(
    house: House, caller: Caller, told: list[dict[str, Any]], name: str
) -> tuple[list[dict[str, Any]], Instant | None]:
    """The newest whole report of a station about what it has, and when it was whole; nothing, where there is none."""
    asked = next((one for one in told if one["name"] == name and one["state"] == "completed"), None)
    if asked is None:
        return [], None
    rows = await house.ask(house.views.reports_of, caller.operator_id, asked["id"])
    return [one["content"] for one in rows if isinstance(one["content"], dict)], parse_instant(asked["ended_at"])


def as_asked(told: list[dict[str, Any]], now: Instant) -> list[Asked]:
    """The same, oldest first, as the room of stations reads it."""
    return [
        Asked(
            one["id"], one["name"], one["state"], one["payload"].get("content") or {},
            now if one["ended_at"] is None else parse_instant(one["ended_at"]),
        )
        for one in reversed(told)
    ]  # fmt: skip


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
    report, told_at = await report_of(house, caller, told, charging.LIST)
    now = house.machine.now()
    profiles = charging.profiles_of(as_asked(told, now), charging.with_told(report), told_at, now)
    return await shown(
        request, house, caller, "station_power.html", "stations", status_of(problem) if problem else 200,
        row=row, told=told[:20], problem=problem, given=given or {}, is_old=row["protocol"] == OLD,
        profiles=[
            {
                "number": one.number, "purpose": one.purpose, "evse": one.evse_number, "limit": _plain(one.limit),
                "unit": one.unit, "periods": one.periods, "source": one.source, "command_id": one.command_id,
                "until": None if one.until is None else rfc3339(one.until),
            }
            for one in profiles
        ],
        told_at=None if told_at is None else rfc3339(told_at),
        schedules=_schedules(told),
    )  # fmt: skip


def _schedules(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The newest answer of each place to the question what all its profiles come to."""
    found: dict[int, dict[str, Any]] = {}
    for one in told:
        if one["name"] != charging.SCHEDULE or one["answered_at"] is None:
            continue
        at = parse_instant(one["answered_at"])
        made = charging.composite_of(one["answer"], one["payload"].get("content") or {}, at)
        if made is not None and made.evse_number not in found:
            steps = [
                {"at": rfc3339(step.at), "limit": _plain(step.limit), "phases": step.phases} for step in made.steps
            ]
            found[made.evse_number] = {
                "evse": made.evse_number, "unit": made.unit, "steps": steps, "at": one["answered_at"],
                "command_id": one["id"],
            }  # fmt: skip
    return [found[place] for place in sorted(found)]


def _plain(amount: Decimal | None) -> str:
    return "–" if amount is None else f"{amount.normalize():f}"
