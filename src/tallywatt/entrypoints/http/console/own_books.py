"""A customer's balance and buying on invoice on the console: opened, paid out, allowed, ended, transfers written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.console.customers import customer_page, customer_path
from tallywatt.entrypoints.http.console.shown import done, given_fields
from tallywatt.entrypoints.http.doors import Collector, TheHouse, actor_of, limit_holder
from tallywatt.kernel.errors import BadInput, TallywattError
from tallywatt.kernel.money import money
from tallywatt.payments.own_books import TransferFor
from tallywatt.workflows.ask_pay_out import AskPayOut, ask_pay_out, waits
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
    from collections.abc import Callable, Mapping

    from tallywatt.customers.access import Caller
    from tallywatt.kernel.money import Money
    from tallywatt.wiring import House

router = APIRouter()
_CUSTOMER = "/console/customers/{reference:path}"


@router.post(_CUSTOMER + "/balance")
async def open_(request: Request, reference: str, caller: Collector, house: TheHouse) -> Response:
    """Let a customer pay from a prepaid balance."""
    return await _do(
        request, house, caller, reference, open_balance, lambda given: OpenBalance(reference, _code(given)), "saved"
    )


@router.post(_CUSTOMER + "/balance/payout")
async def pay_out(request: Request, reference: str, caller: Collector, house: TheHouse) -> Response:
    """Give back what is free: to the cards that it came from, and the rest by bank where somebody says how."""
    given = await given_fields(request)
    try:
        order = PayOutBalance(reference, _code(given), given.get("by_bank", "").strip()[:140] or None)
        command = AskPayOut(order, limit_holder(caller))
        came = await house.write(caller.operator_id, ask_pay_out, command, actor=actor_of(caller))
    except TallywattError as problem:
        return await customer_page(request, house, caller, reference, problem, given=given)
    return done(customer_path(reference), "asked_approval" if waits(came) else "paid_out", "#own-account")


@router.post(_CUSTOMER + "/credit")
async def allow(request: Request, reference: str, caller: Collector, house: TheHouse) -> Response:
    """Let a customer buy on invoice, or change the terms."""

    def read(given: Mapping[str, str]) -> AllowInvoice:
        return AllowInvoice(reference, _sum(given, "limit"), _days(given.get("days", "")))

    return await _do(request, house, caller, reference, allow_invoice, read, "saved")


@router.post(_CUSTOMER + "/credit/end")
async def end(request: Request, reference: str, caller: Collector, house: TheHouse) -> Response:
    """Let nothing more begin on invoice."""
    return await _do(
        request, house, caller, reference, end_invoice, lambda given: EndInvoice(reference, _code(given)), "saved"
    )


@router.post(_CUSTOMER + "/transfers")
async def receive(request: Request, reference: str, caller: Collector, house: TheHouse) -> Response:
    """Write down money that came by bank. `once` was drawn with the form, so that sending it twice is one transfer."""

    def read(given: Mapping[str, str]) -> ReceiveTransfer:
        once = given.get("once", "").strip()
        return ReceiveTransfer(
            f"{actor_of(caller)}/{once}" if once else "",
            _sum(given, "amount"),
            given.get("received_on", "").strip()[:10],
            reference,
            given.get("invoice", "").strip()[:64] or None,
            given.get("reference", "").strip(),
            TransferFor.BALANCE if given.get("target") == TransferFor.BALANCE else TransferFor.ITEMS,
        )

    return await _do(request, house, caller, reference, receive_transfer, read, "received")


async def _do(
    request: Request, house: House, caller: Caller, reference: str, workflow: Callable[[Any, Any], Any],
    read: Callable[[Mapping[str, str]], Any], said: str,
) -> Response:  # fmt: skip
    """Do it and say so, or show the customer's page again with what stopped it and what was typed."""
    given = await given_fields(request)
    try:
        await house.write(caller.operator_id, workflow, read(given), actor=actor_of(caller))
    except TallywattError as problem:
        return await customer_page(request, house, caller, reference, problem, given=given)
    return done(customer_path(reference), said, "#own-account")


def _code(given: Mapping[str, str]) -> str:
    return given.get("currency", "").strip()[:3]


def _sum(given: Mapping[str, str], name: str) -> Money:
    return money(given.get(name, "").strip()[:40].replace(",", "."), _code(given))


def _days(typed: str) -> int:
    text = typed.strip()
    if not text.isascii() or not text.isdecimal() or len(text) > 4:
        msg = f"{text[:40]!r} is no number of days"
        raise BadInput(msg, code="credit.bad_terms")
    return int(text)
