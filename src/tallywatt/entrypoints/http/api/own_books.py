"""Customers' accounts in our own books: prepaid balances, buying on invoice, open items, transfers by bank."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from tallywatt.customers.approval import Approval
from tallywatt.entrypoints.http.api.places import operator_of
from tallywatt.entrypoints.http.doors import Collector, Reader, TheHouse, limit_holder
from tallywatt.entrypoints.http.manners import Resource
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.shapes import NewBalance, NewCredit, NewTopUp, NewTransfer, PayOut
from tallywatt.entrypoints.http.telling import as_json, found, told
from tallywatt.kernel.clock import local_date
from tallywatt.kernel.identity import CustomerId
from tallywatt.kernel.money import Money, currency
from tallywatt.workflows.ask_on_page import TopUp, top_up
from tallywatt.workflows.ask_pay_out import AskPayOut, ask_pay_out
from tallywatt.workflows.keep_own_account import (
    AllowInvoice,
    EndInvoice,
    OpenBalance,
    allow_invoice,
    end_invoice,
    open_balance,
)
from tallywatt.workflows.pay_out_balance import PayOutBalance
from tallywatt.workflows.receive_transfer import ReceiveTransfer, receive_transfer

if TYPE_CHECKING:
    from tallywatt.wiring import House

router = APIRouter(tags=["money"], route_class=Resource)


@router.get("/customers/{reference}/account")
async def show_account(reference: str, caller: Reader, house: TheHouse) -> Response:
    """A customer's balances, terms of credit, open items and movements, the newest first."""
    customer_id = await _id_of(house, caller.operator_id, reference)
    return as_json(await house.ask(house.views.customer_account, caller.operator_id, customer_id))


@router.post("/customers/{reference}/balance", status_code=201)
async def post_balance(
    request: Request, reference: str, body: NewBalance, caller: Collector, house: TheHouse
) -> Response:
    """Let a customer pay from a prepaid balance in that currency. It is empty at first."""
    command = OpenBalance(reference, body.currency)
    return await write_once(request, house, caller, open_balance, command, _tell_method, 201)


@router.post("/customers/{reference}/top-ups", status_code=202)
async def post_top_up(request: Request, reference: str, body: NewTopUp, caller: Collector, house: TheHouse) -> Response:
    """Open a page where the customer pays in. `status_url` tells its address as soon as the provider has opened it."""
    customer_id = CustomerId(await _id_of(house, caller.operator_id, reference))
    amount = Money(body.amount_minor, currency(body.currency))
    command = TopUp(customer_id, amount, body.title, body.success_url, body.cancel_url, body.language)
    return await write_once(request, house, caller, top_up, command, _tell_page, 202)


@router.post("/customers/{reference}/balance/payout", status_code=202)
async def post_payout(request: Request, reference: str, body: PayOut, caller: Collector, house: TheHouse) -> Response:
    """Give back what is free: to the cards that it came from, and the rest by bank if you say how.

    Beyond your limit it waits for another person: `state` is `waiting_for_approval`, and `approval_id` names the request.
    """
    command = AskPayOut(PayOutBalance(reference, body.currency, body.by_bank), limit_holder(caller))
    return await write_once(request, house, caller, ask_pay_out, command, _tell_paid_out, 202)


@router.post("/customers/{reference}/credit")
async def post_credit(
    request: Request, reference: str, body: NewCredit, caller: Collector, house: TheHouse
) -> Response:
    """Let a customer buy on invoice, or change the terms."""
    limit = Money(body.limit_minor, currency(body.currency))
    command = AllowInvoice(reference, limit, body.term_days)
    return await write_once(request, house, caller, allow_invoice, command, _tell_terms)


@router.post("/customers/{reference}/credit/end")
async def post_credit_end(
    request: Request, reference: str, body: NewBalance, caller: Collector, house: TheHouse
) -> Response:
    """Let nothing more begin on invoice. What is open stays open."""
    command = EndInvoice(reference, body.currency)
    return await write_once(request, house, caller, end_invoice, command, _tell_terms)


@router.get("/open-items")
async def list_items(caller: Reader, house: TheHouse, *, overdue: bool = False) -> Response:
    """What was bought on invoice and is not paid, the longest due first. `overdue`: only what was due before today."""
    today = None
    if overdue:
        operator = await operator_of(house, caller.operator_id)
        today = local_date(house.business_now(), operator["zone"]).isoformat()
    items = await house.ask(house.views.open_items, caller.operator_id, today)
    return as_json({"items": items})


@router.post("/transfers", status_code=201)
async def post_transfer(request: Request, body: NewTransfer, caller: Collector, house: TheHouse) -> Response:
    """Money came by bank. It pays the invoice that it names first and then the oldest item, or it is for the balance."""
    amount = Money(body.amount_minor, currency(body.currency))
    command = ReceiveTransfer(
        body.key, amount, body.received_on.isoformat(), body.customer, body.invoice, body.reference, body.target
    )
    return await write_once(request, house, caller, receive_transfer, command, _tell_transfer, 201)


async def _id_of(house: House, operator_id: str, reference: str) -> str:
    row = found(await house.ask(house.views.customer, operator_id, reference), "customer", "customers.not_found")
    return str(row["id"])


def _tell_method(row: Any) -> dict[str, Any]:
    return {"id": row.method_id, "account_id": row.account_id, "state": row.state.value}


def _tell_page(row: Any) -> dict[str, Any]:
    return {"payment_id": row.payment_id, "state": row.state.value, "status_url": f"/pay/{row.driver_secret}.json"}


def _tell_paid_out(row: Any) -> dict[str, Any]:
    if isinstance(row, Approval):
        sums = {"to_cards_minor": 0, "by_bank_minor": 0, "left_minor": row.amount_minor, "currency": row.currency}
        return {**sums, "state": "waiting_for_approval", "approval_id": row.approval_id}
    return {
        "to_cards_minor": row.to_cards_minor,
        "by_bank_minor": row.by_bank_minor,
        "left_minor": row.left_minor,
        "currency": row.currency,
        "state": "done",
        "approval_id": None,
    }


def _tell_terms(row: Any) -> dict[str, Any]:
    return told(row, "customer_id")


def _tell_transfer(row: Any) -> dict[str, Any]:
    return told(row, "transfer_id")
