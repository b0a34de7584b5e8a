"""Card readers of payment providers: which account each belongs to, and which EVSEs are paid for there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.changes import NewReader
from tallywatt.entrypoints.http.doors import Admin, Reader, TheHouse
from tallywatt.entrypoints.http.manners import Resource
from tallywatt.entrypoints.http.new_readers import looked_for
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.telling import as_json, found, told
from tallywatt.workflows.keep_reader import AddReader, RemoveReader, add_reader, remove_reader

if TYPE_CHECKING:
    from tallywatt.payments.reader import Reader as CardReader

router = APIRouter(tags=["settings"], route_class=Resource)


@router.get("/readers")
async def list_readers(caller: Reader, house: TheHouse) -> Response:
    """All card readers by label, those that were removed too."""
    rows = await house.ask(house.views.readers, caller.operator_id)
    return as_json({"items": rows, "next": None})


@router.get("/readers/{reader_id}")
async def show_reader(reader_id: str, caller: Reader, house: TheHouse) -> Response:
    """One card reader."""
    row = await house.ask(house.views.reader, caller.operator_id, reader_id)
    return as_json(found(row, "reader", "readers.not_found"))


@router.post("/readers", status_code=201)
async def post_reader(request: Request, body: NewReader, caller: Admin, house: TheHouse) -> Response:
    """Add a card reader. It serves all EVSEs of a location, or those that are named."""
    command = AddReader(body.account, body.reader_ref, body.label, body.location, tuple(body.evses))
    return await write_once(request, house, caller, add_reader, await looked_for(house, caller, command), _told, 201)


@router.delete("/readers/{reader_id}")
async def delete_reader(request: Request, reader_id: str, caller: Admin, house: TheHouse) -> Response:
    """Offer a card reader no longer. Who is paying there goes on."""
    return await write_once(request, house, caller, remove_reader, RemoveReader(reader_id), _told)


def _told(row: CardReader) -> dict[str, Any]:
    return told(row, "reader_id")
