"""The lists of tokens that stations know by heart: kept in step where that is switched on."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.places import station_of
from tallywatt.entrypoints.http.doors import Operations, Reader, TheHouse
from tallywatt.entrypoints.http.manners import Resource
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.shapes import ListSending, ListSwitch
from tallywatt.entrypoints.http.telling import as_json, told
from tallywatt.kernel.identity import StationId
from tallywatt.workflows.keep_local_list import SwitchLists, SyncList, send_changes, send_list_anew, switch_lists

router = APIRouter(tags=["places"], route_class=Resource)


@router.get("/local-lists")
async def list_local_lists(caller: Reader, house: TheHouse) -> Response:
    """Every station's list of tokens: whether it is kept in step, how it stands, how many tokens it has."""
    return as_json(await house.ask(house.views.local_lists, caller.operator_id))


@router.post("/local-lists")
async def post_local_lists(request: Request, body: ListSwitch, caller: Operations, house: TheHouse) -> Response:
    """Whether lists are kept in step wherever nothing else is said of a station."""
    command = SwitchLists(None, body.is_on)
    return await write_once(request, house, caller, switch_lists, command, lambda row: told(row, "scope"))


@router.post("/stations/{identity}/local-list")
async def post_local_list(
    request: Request, identity: str, body: ListSwitch, caller: Operations, house: TheHouse
) -> Response:
    """Whether this station's list is kept in step. Switched off, what it has stays there."""
    station = await station_of(house, caller.operator_id, identity)
    command = SwitchLists(StationId(station["id"]), body.is_on)
    return await write_once(request, house, caller, switch_lists, command, lambda row: told(row, "scope"))


@router.post("/stations/{identity}/local-list/send", status_code=202)
async def post_sending(
    request: Request, identity: str, body: ListSending, caller: Operations, house: TheHouse
) -> Response:
    """Send what has changed now, or the whole list; follow it at `/local-lists`."""
    station = await station_of(house, caller.operator_id, identity)
    workflow = send_list_anew if body.whole else send_changes

    def answer(_: object) -> dict[str, object]:
        return {"station": identity, "whole": body.whole}

    return await write_once(request, house, caller, workflow, SyncList(StationId(station["id"])), answer, 202)
