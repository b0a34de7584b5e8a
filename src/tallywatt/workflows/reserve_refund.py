"""A part of a top-up is to go back to the card: until the provider has answered, no session may use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.kernel.errors import Conflict
from tallywatt.ledger.books import Phase
from tallywatt.ledger.chart import clearing, prepaid
from tallywatt.ledger.post import Draft, Leg, entry_id, transfer_id
from tallywatt.payments.operation import OperationKind
from tallywatt.payments.own_books import PREPAID
from tallywatt.payments.payment import TOP_UP
from tallywatt.workflows.answer_from_books import free_minor
from tallywatt.workflows.post_entry import post

if TYPE_CHECKING:
    from tallywatt.payments.operation import Operation
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork


def refuse_what_is_used(work: UnitOfWork, payment: Payment, minor: int) -> None:
    """Raise when more of a top-up is to go back than is free of the balance."""
    if payment.purpose != TOP_UP or payment.customer_id is None:
        return
    free = free_minor(work, PREPAID, payment.customer_id, payment.currency, lock=True) or 0
    if minor > free:
        msg = f"only {free} minor units of the balance are free: the rest is used or held"
        raise Conflict(msg, code="balance.used", remedy="give back less, or wait until the running sessions have ended")


def reserve_refund(work: UnitOfWork, payment: Payment, operation: Operation) -> None:
    """Keep the sum from being used."""
    if payment.purpose == TOP_UP:
        post(work, _reserved(payment, operation))


def release_reserved(work: UnitOfWork, payment: Payment, operation: Operation | None) -> None:
    """Once the provider has answered, the sum is free, or about to be booked as gone."""
    if payment.purpose != TOP_UP or operation is None or operation.kind is not OperationKind.REFUND:
        return
    if operation.is_unresolved:
        return
    reserved = _reserved(payment, operation)
    entry = entry_id(reserved)
    if work.entries.find(entry) is None:
        return
    (leg,) = reserved.legs
    ended = Leg(leg.debit, leg.credit, leg.amount_minor, Phase.VOID, transfer_id(entry, 0))
    post(work, Draft("refund_released", "payment", reserved.cause_id, payment.currency, (ended,)))


def _reserved(payment: Payment, operation: Operation) -> Draft:
    assert payment.customer_id is not None, "a balance is a customer's"
    leg = Leg(prepaid(payment.customer_id), clearing(payment.account_id), operation.amount_minor, Phase.PENDING)
    cause = f"{payment.payment_id}/{operation.operation_id}"
    return Draft("refund_reserved", "payment", cause, payment.currency, (leg,))
