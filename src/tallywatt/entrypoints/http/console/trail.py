"""The record of actions on the console: who, what, when, before, after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

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
    request: Request,
    caller: Reader,
    house: TheHouse,
    subject: str | None = None,
    who: str | None = None,
    action: str | None = None,
    cursor: Cursor = None,
) -> Response:
    """What people and keys did, newest first: to one thing, by one of them, of one kind, where they are named."""
    asked = {"subject": subject, "who": who, "action": action}
    filters = {name: value for name, value in asked.items() if value}
    found = await house.ask(house.views.page, "actions", caller.operator_id, PAGE, place_of(cursor), **filters)
    names = await names_of(house, caller.operator_id, found["items"])
    rows = [view(row, names) for row in found["items"]]
    following = cursor_of(found["next"]) if found["next"] is not None else None
    return await shown(
        request,
        house,
        caller,
        "audit_trail.html",
        "audit-trail",
        rows=rows,
        next=following,
        filters=asked,
        # One who did nothing on this page is called by the id that was asked for.
        doer=next((row["who"] for row in rows if row["caller_id"] == who), who),
        query=urlencode(filters),
    )


async def names_of(house: House, operator_id: str, rows: list[dict[str, Any]]) -> dict[str, str]:
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
