"""The record of actions on the console: who, what, when, before, after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.console.shown import PAGE, shown
from tallywatt.entrypoints.http.doors import Reader, TheHouse
from tallywatt.entrypoints.http.manners import Cursor, cursor_of, place_of
from tallywatt.entrypoints.pages.trail import view

if TYPE_CHECKING:
    from tallywatt.wiring import House

router = APIRouter()


@router.get("/console/audit-trail")
async def show_trail(
    request: Request, caller: Reader, house: TheHouse, subject: str | None = None, cursor: Cursor = None
) -> Response:
    """What people and keys did, newest first; of one thing, when it is named."""
    filters = {"subject": subject} if subject else {}
    found = await house.ask(house.views.page, "actions", caller.operator_id, PAGE, place_of(cursor), **filters)
    names = await _names(house, caller.operator_id, found["items"])
    rows = [view(row, names) for row in found["items"]]
    following = cursor_of(found["next"]) if found["next"] is not None else None
    return await shown(
        request, house, caller, "audit_trail.html", "audit-trail", rows=rows, next=following, subject=subject
    )


async def _names(house: House, operator_id: str, rows: list[dict[str, Any]]) -> dict[str, str]:
    """The names of those who acted; who was erased has none any more."""
    names: dict[str, str] = {}
    for person_id in {row["caller_id"] for row in rows if row["caller_kind"] == "person"}:
        person = await house.ask(house.views.person, operator_id, person_id)
        if person is not None:
            names[person_id] = person["name"]
    if any(row["caller_kind"] == "key" for row in rows):
        keys = await house.ask(house.views.api_keys, operator_id)
        names |= {key["id"]: key["name"] for key in keys}
    return names
