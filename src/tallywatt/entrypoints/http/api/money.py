"""Payments and invoices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime

from tallywatt.customers.approval import Approval, ApprovalState
from tallywatt.entrypoints.http.api.tariffs import when
from tallywatt.entrypoints.http.doors import Collector, Reader, Refunder, TheHouse, limit_holder
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, listed, page, place_of
from tallywatt.entrypoints.http.once import KEY_HEADER, write_once
from tallywatt.entrypoints.http.shapes import NewRefund
from tallywatt.entrypoints.http.telling import as_json, found, told
from tallywatt.kernel.clock import rfc3339
from tallywatt.kernel.errors import BadInput, NotFound
from tallywatt.kernel.identity import PaymentId
from tallywatt.kernel.money import Money, currency
from tallywatt.payments.operation import OperationKind
from tallywatt.payments.payment import PaymentKind, PaymentState
from tallywatt.workflows.ask_refund import AskRefund, ask_refund
from tallywatt.workflows.give_back import GiveBack
from tallywatt.workflows.order_payment import order_release, order_retry
from tallywatt.workflows.try_again import TryAgain
from tallywatt.workflows.void_hold import VoidHold

if TYPE_CHECKING:
    from tallywatt.wiring import House

router = APIRouter(tags=["money"], route_class=Resource)


@router.get("/payments")
async def list_payments(
    request: Request,
    caller: Reader,
    house: TheHouse,
    state: PaymentState | None = None,
    kind: PaymentKind | None = None,
    customer: str | None = None,
    session: str | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Payments with their operations and allocations, newest first. `since` and `until` are about when they were made."""
    filters = {"state": state, "kind": kind, "customer": customer, "session": session}
    span = {"since": when(since), "until": when(until)}
    plain = {name: getattr(value, "value", value) for name, value in (filters | span).items() if value is not None}
    rows = await house.ask(house.views.page, "payments", caller.operator_id, limit, place_of(cursor), **plain)
    return page(request, {**rows, "items": [without_page(row) for row in rows["items"]]})


@router.get("/payments/{payment_id}")
async def show_payment(payment_id: str, caller: Reader, house: TheHouse) -> Response:
    """One payment."""
    return as_json(without_page(await payment_of(house, caller.operator_id, payment_id)))


@router.post("/payments/{payment_id}/refunds", status_code=202)
async def post_refund(
    request: Request, payment_id: str, body: NewRefund, caller: Refunder, house: TheHouse
) -> Response:
    """Give money back. The provider is asked by a worker; the payment shows what became of it.

    Beyond your limit it waits for another person: `state` is `waiting_for_approval`, and `approval_id` names the request.
    """
    key = request.headers.get(KEY_HEADER)
    if not key:
        msg = "a refund needs an Idempotency-Key"
        raise BadInput(
            msg, code="request.no_idempotency_key", remedy="send a key of your own, the same when you ask again"
        )
    row = await payment_of(house, caller.operator_id, payment_id)
    amount = Money(body.amount_minor, currency(row["currency"]))
    refund = GiveBack(PaymentId(payment_id), amount, body.reason, f"{caller.kind}:{caller.id}/{key}")
    return await write_once(
        request, house, caller, ask_refund, AskRefund(refund, limit_holder(caller)), _tell_refund, 202
    )


@router.post("/payments/{payment_id}/retry", status_code=202)
async def retry_payment(request: Request, payment_id: str, caller: Collector, house: TheHouse) -> Response:
    """Try a payment again that has come to a halt."""
    command = TryAgain(PaymentId(payment_id))
    return await write_once(request, house, caller, order_retry, command, _tell_payment, 202)


@router.post("/payments/{payment_id}/release", status_code=202)
async def release_payment(request: Request, payment_id: str, caller: Collector, house: TheHouse) -> Response:
    """Let a hold go that no session has used."""
    command = VoidHold(PaymentId(payment_id), "cancelled")
    return await write_once(request, house, caller, order_release, command, _tell_payment, 202)


@router.get("/invoices")
async def list_invoices(
    request: Request,
    caller: Reader,
    house: TheHouse,
    customer: str | None = None,
    session: str | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Invoices and credit notes, newest first. `since` and `until` are about when they were issued."""
    filters = {"customer": customer, "session": session, "since": when(since), "until": when(until)}
    return await listed(request, house, caller, "invoices", limit, cursor, **filters)


@router.get("/invoices/{number}.pdf")
async def print_invoice(number: str, caller: Reader, house: TheHouse) -> Response:
    """The invoice as it was printed, once."""
    return await pdf_of(house, caller.operator_id, number)


@router.get("/invoices/{number}")
async def show_invoice(number: str, caller: Reader, house: TheHouse) -> Response:
    """One invoice, by number or id."""
    row = await house.ask(house.views.invoice, caller.operator_id, number)
    return as_json(found(row, "invoice", "invoices.not_found"))


async def pdf_of(house: House, operator_id: str, number: str) -> Response:
    """The printed invoice of an operator."""
    row = found(await house.ask(house.views.invoice, operator_id, number), "invoice", "invoices.not_found")
    printed = await house.ask(house.views.printed_invoice, operator_id, row["id"])
    if printed is None:
        msg = f"invoice {row['number']} is being printed"
        raise NotFound(msg, code="invoices.not_printed_yet", remedy="ask again in a moment")
    headers = {"Content-Disposition": f'inline; filename="{row["number"]}.pdf"', "ETag": f'"{printed["sha256"]}"'}
    return Response(printed["content"], 200, headers, "application/pdf")


async def payment_of(house: House, operator_id: str, payment_id: str) -> dict[str, Any]:
    """The payment of that id, or NotFound."""
    return found(await house.ask(house.views.payment, operator_id, payment_id), "payment", "payments.not_found")


def without_page(row: dict[str, Any]) -> dict[str, Any]:
    """A payment without the driver's page at the provider: whoever has the address can pay there."""
    return {name: value for name, value in row.items() if name not in {"hosted_page_url", "page_ref"}}


def _tell_refund(row: Any) -> dict[str, Any]:
    if not isinstance(row, Approval):
        return {**told(row, "operation_id"), "approval_id": None}
    waiting = dict.fromkeys(
        (
            "id",
            "account_id",
            "idempotency_key",
            "first_sent_at",
            "last_sent_at",
            "provider_ref",
            "code",
            "advice",
            "error",
        )
    )
    state = "waiting_for_approval" if row.state is ApprovalState.WAITING else row.state.value
    return {
        **waiting,
        "payment_id": row.subject_id,
        "kind": OperationKind.REFUND.value,
        "amount_minor": row.amount_minor,
        "currency": row.currency,
        "state": state,
        "attempts": 0,
        "created_at": rfc3339(row.created_at),
        "resolved_at": None if row.decided_at is None else rfc3339(row.decided_at),
        "approval_id": row.approval_id,
    }


def _tell_payment(row: Any) -> dict[str, Any]:
    return without_page(told(row, "payment_id"))
