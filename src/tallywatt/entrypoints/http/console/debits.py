"""Direct debits on the console: who collects, batches with their files, reports of the bank, mandates of customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.console.bank import FORM_BYTES, file_in
from tallywatt.entrypoints.http.console.customers import customer_page, customer_path
from tallywatt.entrypoints.http.console.shown import PAGE, done, given_fields, shown
from tallywatt.entrypoints.http.debiting import MOST_BYTES, batch_of, file_of, prepared, report_read
from tallywatt.entrypoints.http.doors import Collector, Reader, TheHouse, actor_of
from tallywatt.entrypoints.http.problems import status_of
from tallywatt.entrypoints.http.telling import found
from tallywatt.kernel.errors import BadInput, TallywattError
from tallywatt.payments.debit import Scheme
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

router = APIRouter()
AT = "/console/debits"
_CUSTOMER = "/console/customers/{reference:path}"


@router.get(AT)
async def list_batches(request: Request, caller: Reader, house: TheHouse) -> Response:
    """Batches, the latest day first; who collects; forms for a batch and a report."""
    return await _list(request, house, caller)


@router.post(AT)
async def prepare(request: Request, caller: Collector, house: TheHouse) -> Response:
    """Put together what is due."""
    given = await given_fields(request)
    try:
        batch = await prepared(house, caller, PrepareDebits(given.get("collect_on", "").strip()[:40] or None))
    except TallywattError as problem:
        return await _list(request, house, caller, problem, given)
    return done(f"{AT}/{batch.batch_id}", "prepared") if batch.count else done(AT, "nothing_due")


@router.post(AT + "/creditor")
async def creditor(request: Request, caller: Collector, house: TheHouse) -> Response:
    """Say who collects."""
    given = await given_fields(request)
    try:
        command = SetCreditor(
            given.get("creditor_id", "")[:60],
            given.get("name", ""),
            given.get("iban", "")[:60],
            given.get("bic", "")[:20] or None,
            _days(given.get("notice_days", "")),
        )
        await house.write(caller.operator_id, set_creditor, command, actor=actor_of(caller))
    except TallywattError as problem:
        return await _list(request, house, caller, problem, given)
    return done(AT, "saved")


@router.post(AT + "/report", max_body_size=MOST_BYTES + FORM_BYTES)
async def report(request: Request, caller: Collector, house: TheHouse) -> Response:
    """Take a report of the bank."""
    try:
        taken = await report_read(house, caller, await file_in(request))
    except TallywattError as problem:
        return await _list(request, house, caller, problem)
    return done(AT, "rejected_debits" if taken["rejected"] else "report")


@router.get(AT + "/{batch_id}")
async def show_batch(request: Request, batch_id: str, caller: Reader, house: TheHouse) -> Response:
    """One batch: what is asked of each payer, and what became of it."""
    row = await batch_of(house, caller, batch_id)
    return await shown(request, house, caller, "debit_batch.html", "debits", row=row, problem=None)


@router.post(AT + "/{batch_id}/file")
async def download(batch_id: str, caller: Collector, house: TheHouse) -> Response:
    """The file for the bank. Who fetched it is written down: accounts of people are in it."""
    name, content = await file_of(house, caller, batch_id)
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(content, 200, headers, "application/xml")


@router.post(AT + "/{batch_id}/cancel")
async def cancel(request: Request, batch_id: str, caller: Collector, house: TheHouse) -> Response:
    """Let a batch go that the bank never had."""
    row = await batch_of(house, caller, batch_id)
    try:
        await house.write(caller.operator_id, cancel_batch, CancelBatch(row["id"]), actor=actor_of(caller))
    except TallywattError as problem:
        status = status_of(problem)
        return await shown(request, house, caller, "debit_batch.html", "debits", status, row=row, problem=problem)
    return done(f"{AT}/{row['id']}", "saved")


@router.post(_CUSTOMER + "/mandates")
async def sign(request: Request, reference: str, caller: Collector, house: TheHouse) -> Response:
    """Keep a mandate that a customer has signed."""
    given = await given_fields(request)
    try:
        command = SignMandate(
            reference,
            given.get("iban", "")[:60],
            given.get("signed_on", "").strip()[:40],
            given.get("holder", "").strip() or None,
            given.get("bic", "")[:20] or None,
            given.get("mandate", "").strip() or None,
            Scheme.B2B if given.get("scheme") == Scheme.B2B else Scheme.CORE,
        )
        await house.write(caller.operator_id, sign_mandate, command, actor=actor_of(caller))
    except TallywattError as problem:
        return await customer_page(request, house, caller, reference, problem, given=given)
    return done(customer_path(reference), "saved", "#mandates")


@router.post("/console/mandates/{mandate_id}/revoke")
async def revoke(mandate_id: str, caller: Collector, house: TheHouse) -> Response:
    """Collect with it no more."""
    row = await _mandate(house, caller, mandate_id)
    await house.write(caller.operator_id, revoke_mandate, RevokeMandate(row["id"]), actor=actor_of(caller))
    return done(customer_path(row["customer"]), "saved", "#mandates")


@router.post("/console/mandates/{mandate_id}/resume")
async def resume(request: Request, mandate_id: str, caller: Collector, house: TheHouse) -> Response:
    """Collect with it again."""
    row = await _mandate(house, caller, mandate_id)
    try:
        await house.write(caller.operator_id, resume_mandate, ResumeMandate(row["id"]), actor=actor_of(caller))
    except TallywattError as problem:
        return await customer_page(request, house, caller, row["customer"], problem)
    return done(customer_path(row["customer"]), "saved", "#mandates")


async def _mandate(house: House, caller: Caller, mandate_id: str) -> dict[str, Any]:
    row = await house.ask(house.views.mandate, caller.operator_id, mandate_id)
    return found(row, "mandate", "debits.no_mandate")


def _days(typed: str) -> int:
    text = typed.strip()
    if not text.isascii() or not text.isdecimal() or len(text) > 3:
        msg = "this is no number of days"
        raise BadInput(msg, code="debits.bad_notice")
    return int(text)


async def _list(
    request: Request,
    house: House,
    caller: Caller,
    problem: TallywattError | None = None,
    given: dict[str, str] | None = None,
) -> Response:
    rows = await house.ask(house.views.debit_batches, caller.operator_id, PAGE)
    known = await house.ask(house.views.creditor, caller.operator_id)
    return await shown(
        request, house, caller, "debits.html", "debits", status_of(problem) if problem else 200,
        rows=rows, creditor=known, given=given or {}, problem=problem,
    )  # fmt: skip
