"""Payments on the console: each operation, where each minor unit went, and what a person may do about it."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from tallywatt.customers.approval import Approval
from tallywatt.entrypoints.http.api.money import payment_of
from tallywatt.entrypoints.http.console.shown import PAGE, Text, done, shown
from tallywatt.entrypoints.http.doors import Collector, Reader, Refunder, TheHouse, actor_of, limit_holder
from tallywatt.kernel.identity import PaymentId
from tallywatt.kernel.money import Money, currency, money
from tallywatt.workflows.ask_refund import AskRefund, ask_refund
from tallywatt.workflows.give_back import GiveBack
from tallywatt.workflows.order_payment import order_release, order_retry
from tallywatt.workflows.try_again import TryAgain
from tallywatt.workflows.void_hold import VoidHold

router = APIRouter()


@router.get("/console/payments")
async def list_payments(
    request: Request, caller: Reader, house: TheHouse, state: str | None = None, cursor: str | None = None
) -> Response:
    """Payments, newest first."""
    filters = {"state": state or None, "before": cursor}
    rows = await house.ask(house.views.payments, caller.operator_id, PAGE, **filters)
    counts = await house.ask(house.views.payment_counts, caller.operator_id)
    return await shown(
        request,
        house,
        caller,
        "payments.html",
        "payments",
        rows=rows["items"],
        next=rows["next"],
        state=state,
        counts=counts,
    )


@router.get("/console/payments/{payment_id}")
async def show_payment(request: Request, payment_id: str, caller: Reader, house: TheHouse) -> Response:
    """One payment: every operation, and where each minor unit went."""
    row = await payment_of(house, caller.operator_id, payment_id)
    once = house.new_id("refund")
    waiting = await house.ask(house.views.approvals, caller.operator_id, subject=payment_id, state="waiting")
    return await shown(request, house, caller, "payment.html", "payments", row=row, once=once, waiting=waiting["items"])


@router.post("/console/payments/{payment_id}/retry")
async def retry_payment(payment_id: str, caller: Collector, house: TheHouse) -> Response:
    """Try a payment again."""
    await house.write(caller.operator_id, order_retry, TryAgain(PaymentId(payment_id)), actor=actor_of(caller))
    return done(f"/console/payments/{payment_id}", "retried")


@router.post("/console/payments/{payment_id}/release")
async def release(payment_id: str, caller: Collector, house: TheHouse) -> Response:
    """Let a hold go that no session has used."""
    order = VoidHold(PaymentId(payment_id), "cancelled")
    await house.write(caller.operator_id, order_release, order, actor=actor_of(caller))
    return done(f"/console/payments/{payment_id}", "released")


@router.post("/console/payments/{payment_id}/refund")
async def refund(
    payment_id: str,
    caller: Refunder,
    house: TheHouse,
    amount: Text,
    once: Text,
    reason: Text = "",
) -> Response:
    """Give money back. `once` was drawn with the form, so that sending it twice gives back once."""
    row = await payment_of(house, caller.operator_id, payment_id)
    sum_given: Money = money(amount.strip(), currency(row["currency"]).code)
    key = f"{actor_of(caller)}/{once}"
    order = GiveBack(PaymentId(payment_id), sum_given, reason.strip() or "requested", key)
    command = AskRefund(order, limit_holder(caller))
    came = await house.write(caller.operator_id, ask_refund, command, actor=actor_of(caller))
    return done(f"/console/payments/{payment_id}", "asked_approval" if isinstance(came, Approval) else "refunded")
