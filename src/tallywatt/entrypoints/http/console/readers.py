"""Card readers on the console: listed, added, removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.console.shown import done, given_fields, shown
from tallywatt.entrypoints.http.doors import Admin, Reader, TheHouse, actor_of
from tallywatt.entrypoints.http.new_readers import looked_for
from tallywatt.entrypoints.http.problems import status_of
from tallywatt.kernel.errors import TallywattError
from tallywatt.payments.capabilities import capabilities_of
from tallywatt.workflows.keep_reader import AddReader, RemoveReader, add_reader, remove_reader

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

router = APIRouter()
PAGE = "/console/settings/readers"


@router.get(PAGE)
async def list_readers(request: Request, caller: Reader, house: TheHouse) -> Response:
    """All card readers, and what is paid for at them."""
    return await _page(request, house, caller)


@router.post(PAGE)
async def add(request: Request, caller: Admin, house: TheHouse) -> Response:
    """Add a card reader, for a location or for EVSEs that are named."""
    given = await given_fields(request)
    evses = tuple(given.get("evses", "").replace(",", " ").split())
    command = AddReader(
        given.get("account", "").strip()[:64],
        given.get("reader_ref", "")[:200],
        given.get("label", "")[:200],
        None if evses else given.get("location", "").strip()[:64] or None,
        evses,
    )
    try:
        command = await looked_for(house, caller, command)
        await house.write(caller.operator_id, add_reader, command, actor=actor_of(caller))
    except TallywattError as problem:
        return await _page(request, house, caller, given, problem)
    return done(PAGE, "added")


@router.post(PAGE + "/{reader_id}/remove")
async def remove(request: Request, reader_id: str, caller: Admin, house: TheHouse) -> Response:
    """Offer a card reader no longer."""
    try:
        await house.write(caller.operator_id, remove_reader, RemoveReader(reader_id), actor=actor_of(caller))
    except TallywattError as problem:
        return await _page(request, house, caller, problem=problem)
    return done(PAGE, "saved")


async def _page(
    request: Request,
    house: House,
    caller: Caller,
    given: dict[str, str] | None = None,
    problem: TallywattError | None = None,
) -> Response:
    rows = await house.ask(house.views.readers, caller.operator_id)
    rest = await house.ask(house.views.resting_readers, caller.operator_id, house.business_now())
    accounts = await house.ask(house.views.provider_accounts, caller.operator_id)
    able = [one["name"] for one in accounts if capabilities_of(one["provider"]).card_present and not one["closed_at"]]
    locations = await house.ask(house.views.locations, caller.operator_id)
    return await shown(
        request, house, caller, "settings_readers.html", "settings", status_of(problem) if problem else 200,
        subject="readers", rows=[one for one in rows if not one["removed_at"]], given=given or {}, problem=problem,
        accounts=[(one, one) for one in able], rest=rest, locations=[(one["reference"], one["name"]) for one in locations],
    )  # fmt: skip
