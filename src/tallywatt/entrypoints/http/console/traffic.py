"""The message log of a station on the console."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator

from tallywatt.entrypoints.http.api.places import operator_of, station_of
from tallywatt.entrypoints.http.api.traffic import log_of
from tallywatt.entrypoints.http.console.shown import PAGE, shown
from tallywatt.entrypoints.http.doors import Operations, TheHouse
from tallywatt.entrypoints.http.manners import Cursor, cursor_of
from tallywatt.entrypoints.http.shapes import storable
from tallywatt.kernel.clock import instant, zone
from tallywatt.stations.traffic import Direction

router = APIRouter()
LONGEST_LINE = 160
Word = Annotated[str, Query(max_length=100), AfterValidator(storable)]


@router.get("/console/stations/{identity}/log")
async def show_log(
    request: Request,
    identity: str,
    caller: Operations,
    house: TheHouse,
    action: Word = "",
    direction: Word = "",
    session: Word = "",
    text: Word = "",
    until: Word = "",
    cursor: Cursor = None,
) -> Response:
    """What a station said and heard, newest first."""
    row = await station_of(house, caller.operator_id, identity)
    operator = await operator_of(house, caller.operator_id)
    chosen = {"action": action, "direction": direction, "session": session, "text": text, "until": until}
    given = {name: value for name, value in chosen.items() if value}
    asked: dict[str, Any] = {
        "action": action or None,
        "direction": direction if direction in set(Direction) else None,
        "session": session or None,
        "text": text or None,
        "until": _moment(until, operator["zone"]),
    }
    found = await log_of(house, caller, identity, PAGE, cursor, asked)
    following = None if found["next"] is None else cursor_of(found["next"])
    return await shown(
        request, house, caller, "station_log.html", "stations",
        row=row,
        rows=[{**one, "pretty": _pretty(one["text"]), "line": _line(one["text"])} for one in found["items"]],
        next=following,
        chosen=chosen,
        query=urlencode(given),
        days=house.settings.message_log_days,
    )  # fmt: skip


def _moment(text: str, zone_name: str) -> int | None:
    """What a field for date and time says, in the operator's zone; None for what is no time."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    at = at.replace(tzinfo=zone(zone_name)) if at.tzinfo is None else at
    return instant(at.astimezone(UTC))


def _line(text: str) -> str:
    """What stands beside the name of a message: its content, in one line."""
    try:
        parts = json.loads(text)
    except (ValueError, RecursionError):
        return text[:LONGEST_LINE]
    content = parts[-1] if isinstance(parts, list) and parts and isinstance(parts[-1], dict) else parts
    if isinstance(parts, list) and parts and parts[0] == 4:
        content = parts[2:4]
    line = json.dumps(content, ensure_ascii=False)
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
