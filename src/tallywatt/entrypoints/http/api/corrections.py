"""Price corrections: sessions rated again under a tariff as it should have been, looked at, and carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.tariffs import when
from tallywatt.entrypoints.http.changes import NewCorrection
from tallywatt.entrypoints.http.doors import Collector, Reader, TheHouse, limit_holder
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, listed
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.telling import as_json, found, told
from tallywatt.workflows.correct_prices import (
    DiscardCorrection,
    OpenCorrection,
    OrderCorrection,
    discard_correction,
    open_correction,
    order_correction,
)

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.wiring import House

router = APIRouter(tags=["money"], route_class=Resource)


@router.get("/corrections")
async def list_corrections(
    request: Request, caller: Reader, house: TheHouse, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """Price corrections, newest first."""
    return await listed(request, house, caller, "corrections", limit, cursor)


@router.post("/corrections", status_code=201)
async def post_correction(request: Request, body: NewCorrection, caller: Collector, house: TheHouse) -> Response:
    """Have sessions priced again. Nothing goes back before the correction is carried out."""
    since, until = _instant(when(body.since)), _instant(when(body.until))
    command = OpenCorrection(body.tariff, since, until, body.reason, body.priced_by)
    return await write_once(request, house, caller, open_correction, command, tell_correction, 201)


@router.get("/corrections/{correction_id}")
async def show_correction(correction_id: str, caller: Reader, house: TheHouse) -> Response:
    """One correction, and what it came to."""
    return as_json(await correction_of(house, caller.operator_id, correction_id))


@router.get("/corrections/{correction_id}/sessions")
async def list_corrected(
    request: Request, correction_id: str, caller: Reader, house: TheHouse, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """The sessions whose price differs."""
    await correction_of(house, caller.operator_id, correction_id)
    return await listed(request, house, caller, "corrected_sessions", limit, cursor, correction=correction_id)


@router.post("/corrections/{correction_id}/carry-out", status_code=202)
async def carry_out(request: Request, correction_id: str, caller: Collector, house: TheHouse) -> Response:
    """Credit and give back what was charged too much. Beyond your limit it waits for another person: `state` is waiting."""
    command = OrderCorrection(correction_id, limit_holder(caller))
    return await write_once(request, house, caller, order_correction, command, tell_correction, 202)


@router.post("/corrections/{correction_id}/discard")
async def discard(request: Request, correction_id: str, caller: Collector, house: TheHouse) -> Response:
    """Leave all prices as they are."""
    return await write_once(
        request, house, caller, discard_correction, DiscardCorrection(correction_id), tell_correction
    )


def _instant(told_at: Instant | None) -> Instant:
    assert told_at is not None, "the shape asks for it"
    return told_at


def tell_correction(row: Any) -> dict[str, Any]:
    """A correction as it was written down."""
    shown = told(row, "correction_id")
    shown["sessions"] = shown.pop("looked")
    return shown


async def correction_of(house: House, operator_id: str, correction_id: str) -> dict[str, Any]:
    """The correction of that id, or NotFound."""
    row = await house.ask(house.views.correction, operator_id, correction_id)
    return found(row, "correction", "corrections.not_found")
