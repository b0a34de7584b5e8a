"""Price corrections: sessions rated again under a tariff as it should have been, looked at, and carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.tariffs import when
from tallywatt.entrypoints.http.changes import CarryOut, NewCorrection, NewRestPage
from tallywatt.entrypoints.http.doors import Collector, Reader, TheHouse, limit_holder
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, listed
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.telling import as_json, found, told
from tallywatt.kernel.identity import SessionId
from tallywatt.workflows.ask_rest import PayRest, WaiveRest, pay_rest, waive_rest
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
async def carry_out(
    request: Request, correction_id: str, caller: Collector, house: TheHouse, body: CarryOut | None = None
) -> Response:
    """Give back what was charged too much, and give up or ask for what was charged too little.

    What is given away beyond your limit waits for another person: `state` is waiting.
    """
    command = OrderCorrection(correction_id, limit_holder(caller), body.ask_above_minor if body else None)
    return await write_once(request, house, caller, order_correction, command, tell_correction, 202)


@router.post("/corrections/{correction_id}/discard")
async def discard(request: Request, correction_id: str, caller: Collector, house: TheHouse) -> Response:
    """Leave all prices as they are."""
    return await write_once(
        request, house, caller, discard_correction, DiscardCorrection(correction_id), tell_correction
    )


@router.post("/corrections/{correction_id}/sessions/{session_id}/waive")
async def waive(request: Request, correction_id: str, session_id: str, caller: Collector, house: TheHouse) -> Response:
    """Give up what a session's payer was asked for and has not paid: a credit note takes it off the invoice."""
    await correction_of(house, caller.operator_id, correction_id)
    command = WaiveRest(correction_id, SessionId(session_id), limit_holder(caller))
    return await write_once(request, house, caller, waive_rest, command, _tell_corrected)


@router.post("/sessions/{session_id}/rest-page", status_code=202)
async def post_rest_page(
    request: Request, session_id: str, body: NewRestPage, caller: Collector, house: TheHouse
) -> Response:
    """Open a page where what is missing of a session is paid. `status_url` tells its address as soon as there is one."""
    command = PayRest(SessionId(session_id), body.title, body.success_url, body.cancel_url, body.language)
    return await write_once(request, house, caller, pay_rest, command, _tell_rest, 202)


def _tell_corrected(row: Any) -> dict[str, Any]:
    hidden = ("id", "correction_id", "invoice_id", "new_invoice_id", "replaces")
    shown = {name: value for name, value in told(row, "session_id").items() if name not in hidden}
    return {"session_id": row.session_id, **shown}


def _tell_rest(row: Any) -> dict[str, Any]:
    shown = told(row, "payment_id")
    names = ("state", "amount_minor", "currency")
    status_url = f"/pay/{row.driver_secret}.json"
    return {"payment_id": row.payment_id, **{name: shown[name] for name in names}, "status_url": status_url}


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
