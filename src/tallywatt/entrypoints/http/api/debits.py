"""SEPA direct debit: who collects, mandates, batches with their files, reports of the bank."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from tallywatt.entrypoints.http.debiting import MOST_BYTES, batch_of, file_of, prepared, previewed, report_read
from tallywatt.entrypoints.http.doors import Collector, Reader, TheHouse, actor_of
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, listed
from tallywatt.entrypoints.http.once import KEY_HEADER, write_long, write_once
from tallywatt.entrypoints.http.shapes import NewCreditor, NewDebitBatch, NewMandate
from tallywatt.entrypoints.http.telling import as_json, found, told
from tallywatt.payments.debit import MandateState
from tallywatt.workflows.end_debits import CancelBatch, cancel_batch
from tallywatt.workflows.keep_mandate import (
    ResumeMandate,
    RevokeMandate,
    SetCreditor,
    SignMandate,
    resume_mandate,
    revoke_mandate,
    set_creditor,
    sign_mandate,
)
from tallywatt.workflows.prepare_debits import PrepareDebits

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

router = APIRouter(tags=["direct debit"], route_class=Resource)

XML: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "The file as the bank gives it.",
        "content": {"application/xml": {"schema": {"type": "string"}}},
    }
}
_INSIDE: Final = ("key_id", "sealed_account", "shown", "void_from")
_OF_FILE: Final = (
    "batch_key", "looked_to", "creditor_id", "creditor_name", "creditor_iban", "creditor_bic",
)  # fmt: skip


@router.get("/creditor")
async def show_creditor(caller: Reader, house: TheHouse) -> Response:
    """Who collects by direct debit, and on which account it comes in."""
    row = await house.ask(house.views.creditor, caller.operator_id)
    return as_json(found(row, "creditor", "debits.no_creditor"))


@router.put("/creditor")
async def put_creditor(request: Request, body: NewCreditor, caller: Collector, house: TheHouse) -> Response:
    """Say who collects. Files that are there stay as they are."""
    command = SetCreditor(body.creditor_id, body.name, body.iban, body.bic, body.notice_days)
    return await write_once(request, house, caller, set_creditor, command, _tell_creditor)


@router.get("/mandates")
async def list_mandates(
    request: Request,
    caller: Reader,
    house: TheHouse,
    customer: str | None = None,
    state: MandateState | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Mandates, the newest first."""
    return await listed(request, house, caller, "mandates", limit, cursor, customer=customer, state=state)


@router.post("/mandates", status_code=201)
async def post_mandate(request: Request, body: NewMandate, caller: Collector, house: TheHouse) -> Response:
    """Keep a mandate that a customer has signed. The customer's mandate before it ends."""
    command = SignMandate(
        body.customer,
        body.iban,
        body.signed_on.isoformat(),
        body.name,
        body.bic,
        body.reference,
        body.scheme,
        body.used_before,
    )
    return await write_once(request, house, caller, sign_mandate, command, _tell_mandate, 201)


@router.get("/mandates/{mandate_id}")
async def show_mandate(mandate_id: str, caller: Reader, house: TheHouse) -> Response:
    """One mandate, by its id or its reference."""
    row = await house.ask(house.views.mandate, caller.operator_id, mandate_id)
    return as_json(found(row, "mandate", "debits.no_mandate"))


@router.post("/mandates/{mandate_id}/revoke")
async def post_revoke(request: Request, mandate_id: str, caller: Collector, house: TheHouse) -> Response:
    """The customer has taken it back: nothing more is collected with it. What is in a file already goes on."""
    row = found(await house.ask(house.views.mandate, caller.operator_id, mandate_id), "mandate", "debits.no_mandate")
    return await write_once(request, house, caller, revoke_mandate, RevokeMandate(row["id"]), _tell_mandate)


@router.post("/mandates/{mandate_id}/resume")
async def post_resume(request: Request, mandate_id: str, caller: Collector, house: TheHouse) -> Response:
    """Collect again with a mandate that a bank's answer has paused."""
    row = found(await house.ask(house.views.mandate, caller.operator_id, mandate_id), "mandate", "debits.no_mandate")
    return await write_once(request, house, caller, resume_mandate, ResumeMandate(row["id"]), _tell_mandate)


@router.get("/debit-preview")
async def show_preview(
    caller: Collector,
    house: TheHouse,
    collect_on: Annotated[date | None, Query(description="The day; left out, the first that is in time.")] = None,
) -> Response:
    """What a batch would ask for at this moment, and of whom. Nothing is written down."""
    return as_json(await previewed(house, caller, PrepareDebits(_day(collect_on))))


@router.get("/debit-batches")
async def list_batches(
    request: Request, caller: Reader, house: TheHouse, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """Batches, the newest first."""
    return await listed(request, house, caller, "debit_batches", limit, cursor)


@router.post("/debit-batches", status_code=201)
async def post_batch(request: Request, body: NewDebitBatch, caller: Collector, house: TheHouse) -> Response:
    """Put together what is due until a day: each payer once. Asked for again under the same name it is the same batch.

    Its `count` is 0 when nothing is due that may be collected.
    """
    key = request.headers.get(KEY_HEADER)
    # The caller's key is the batch's name: an answer that was lost does not lead to a second one.
    name = body.key or (f"{actor_of(caller)}/{key}" if key else None)

    async def prepare() -> dict[str, Any]:
        batch = await prepared(house, caller, PrepareDebits(_day(body.collect_on), name))
        return await _batch(house, caller, batch.batch_id)

    return await write_long(request, house, caller, prepare, 201)


@router.get("/debit-batches/{batch_id}")
async def show_batch(batch_id: str, caller: Reader, house: TheHouse) -> Response:
    """One batch, by its id or its message id."""
    return as_json(await _batch(house, caller, batch_id))


@router.get("/debit-batches/{batch_id}/debits")
async def list_debits(
    request: Request, batch_id: str, caller: Reader, house: TheHouse, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """What it asks of each payer, and what became of it."""
    row = await _batch(house, caller, batch_id)
    return await listed(request, house, caller, "debits", limit, cursor, batch=row["id"])


@router.post("/debit-batches/{batch_id}/file")
async def post_file(batch_id: str, caller: Collector, house: TheHouse) -> Response:
    """The file for the bank (pain.008.001.08), always the same. People's accounts are in it: who fetches it is recorded."""
    row = await _batch(house, caller, batch_id)
    name, content = await file_of(house, caller, row["id"])
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, 200, headers, "application/xml")


@router.post("/debit-batches/{batch_id}/cancel")
async def post_cancel(request: Request, batch_id: str, caller: Collector, house: TheHouse) -> Response:
    """Let a batch go that the bank never had, or has called back. What it asks for is open again."""
    row = await _batch(house, caller, batch_id)
    return await write_once(request, house, caller, cancel_batch, CancelBatch(row["id"]), _tell_batch)


@router.post("/debit-reports", max_body_size=MOST_BYTES, openapi_extra=XML)
async def post_report(request: Request, caller: Collector, house: TheHouse) -> Response:
    """A report of the bank (pain.002). What it has rejected is open again; the same report again changes nothing."""
    content = await request.body()
    return await write_long(request, house, caller, lambda: report_read(house, caller, content))


async def _batch(house: House, caller: Caller, batch_id: str) -> dict[str, Any]:
    row = await batch_of(house, caller, batch_id, most=0)
    return {name: value for name, value in row.items() if name != "debits"}


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _tell_creditor(row: Any) -> dict[str, Any]:
    shown = told(row, "currency")
    return {"currency": shown.pop("id"), **shown}


def _tell_mandate(row: Any) -> dict[str, Any]:
    shown = {name: value for name, value in told(row, "mandate_id").items() if name not in _INSIDE}
    return {**shown, "account": row.shown}


def _tell_batch(row: Any) -> dict[str, Any]:
    shown = {name: value for name, value in told(row, "batch_id").items() if name not in _OF_FILE}
    given = "given" if row.given_at else "ready" if row.closed_at else "open"
    return {**shown, "state": "cancelled" if row.cancelled_at else given}
