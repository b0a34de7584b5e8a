"""Money came in by bank: for a customer's open items, the one that it names first and then the oldest, or for the balance.

Whoever tells it (a person, a line of a bank's statement) names it by a key of its own: told twice, it is the same transfer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from tallywatt.invoicing.invoice import InvoiceKind
from tallywatt.kernel.card_numbers import hide_card_numbers
from tallywatt.kernel.errors import BadInput, IdempotencyMismatch, NotFound
from tallywatt.kernel.events import Event
from tallywatt.kernel.money import Money  # a command that the control socket reads: its types are needed there
from tallywatt.ledger.chart import BANK, on_account, prepaid
from tallywatt.ledger.post import Draft, Leg
from tallywatt.metering.session import PayerKind
from tallywatt.payments.own_books import (
    CustomerHold,
    ReceivedTransfer,
    TransferFor,
    TransferPart,
)
from tallywatt.workflows.post_entry import post
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.customers.customer import Customer
    from tallywatt.invoicing.invoice import Invoice
    from tallywatt.kernel.events import Scalar
    from tallywatt.workflows.ports import UnitOfWork

LONGEST_REFERENCE = 140
"""What a bank carries with a transfer."""


@dataclass(frozen=True, slots=True)
class ReceiveTransfer:
    """How much came from whom: by the customer's reference, or by the number of an invoice of theirs."""

    key: str
    amount: Money
    received_on: str
    """The bank's booking date: 2026-11-22."""
    customer: str | None = None
    invoice: str | None = None
    reference: str = ""
    """What the payer has written."""
    target: TransferFor = TransferFor.ITEMS


def receive_transfer(work: UnitOfWork, command: ReceiveTransfer) -> ReceivedTransfer:
    """The transfer, booked and matched. What is for no open item stays the customer's, and the next item takes it."""
    known = work.received_transfers.one_by(transfer_key=command.key)
    if known is not None:
        if (known.amount_minor, known.currency) != (command.amount.minor, command.amount.currency.code):
            msg = "this transfer was told with another amount before"
            raise IdempotencyMismatch(msg)
        return known
    _refuse(command)
    customer = payer_of(work, command.customer, command.invoice)
    code = command.amount.currency.code
    transfer = ReceivedTransfer(
        transfer_id=work.draw.id(f"transfer/{command.key}"),
        transfer_key=command.key,
        customer_id=customer.customer_id,
        target=command.target,
        currency=code,
        amount_minor=command.amount.minor,
        left_minor=command.amount.minor if command.target is TransferFor.ITEMS else 0,
        reference=hide_card_numbers(command.reference.strip())[0],
        received_on=command.received_on,
        received_at=work.machine_now,
    )
    work.received_transfers.add_new(transfer)
    owner = on_account if command.target is TransferFor.ITEMS else prepaid
    legs = (Leg(BANK, owner(customer.customer_id), transfer.amount_minor),)
    post(work, Draft("transfer_received", "bank_transfer", transfer.transfer_id, code, legs))
    if command.target is TransferFor.ITEMS:
        for item in _in_order(work, customer.customer_id, code, command.invoice):
            transfer = settle_item(work, transfer, item)
    after = {"minor": transfer.amount_minor, "currency": code, "for": command.target.value}
    record_action(work, "transfer.receive", "customer", customer.customer_id, after=after)
    data: dict[str, Scalar] = {"transfer_id": transfer.transfer_id, "minor": transfer.amount_minor, "currency": code}
    work.events.append(Event("customer", customer.customer_id, "TransferReceived", data))
    return work.received_transfers.get(transfer.transfer_id)


def _refuse(command: ReceiveTransfer) -> None:
    if command.amount.minor <= 0:
        msg = "a transfer brings something"
        raise BadInput(msg, code="transfers.nothing")
    if not command.key.strip() or len(command.reference) > LONGEST_REFERENCE:
        msg = f"a transfer has a key, and a reference of at most {LONGEST_REFERENCE} characters"
        raise BadInput(msg, code="transfers.unreadable")
    try:
        date.fromisoformat(command.received_on)
    except ValueError as error:
        msg = f"{command.received_on!r} is no date"
        raise BadInput(msg, code="transfers.unreadable", remedy="write it as 2026-11-22") from error


def payer_of(work: UnitOfWork, reference: str | None, number: str | None) -> Customer:
    """Whose it is: the invoice's payer, or who was named; when both are told, they must agree."""
    invoice = work.invoices.one_by(number=number) if number else None
    if number and (invoice is None or invoice.payer is not PayerKind.CUSTOMER or invoice.payer_id is None):
        msg = f"no customer has an invoice {number!r}"
        raise NotFound(msg, code="invoices.not_found")
    if reference is None:
        if invoice is None or invoice.payer_id is None:
            msg = "a transfer is from a customer, or for an invoice"
            raise BadInput(msg, code="transfers.from_nobody")
        return work.customers.get(invoice.payer_id)
    found = work.customers.one_by(reference=reference)
    if found is None:
        msg = f"there is no customer {reference!r}"
        raise NotFound(msg, code="customers.not_found")
    if invoice is not None and invoice.payer_id != found.customer_id:
        msg = f"invoice {number} is another customer's"
        raise BadInput(msg, code="transfers.other_customer")
    return found


def invoice_named(work: UnitOfWork, number: str) -> Invoice | None:
    """The invoice that stands for a number: who has the old paper means the one that has replaced it."""
    invoice = work.invoices.one_by(number=number)
    while invoice is not None and invoice.kind is InvoiceKind.INVOICE:
        again = work.rated_results.one_by(supersedes=invoice.rated_id)
        after = None if again is None else work.invoices.one_by(rated_id=again.rated_id, kind=InvoiceKind.INVOICE.value)
        if after is None:
            break
        invoice = after
    return invoice


def open_items(work: UnitOfWork, customer_id: str, currency: str) -> list[CustomerHold]:
    """What a customer has to pay, the oldest first."""
    return work.queries.owed_by(customer_id, currency)


def _in_order(work: UnitOfWork, customer_id: str, currency: str, number: str | None) -> list[CustomerHold]:
    named = invoice_named(work, number) if number else None
    items = open_items(work, customer_id, currency)
    return sorted(items, key=lambda one: named is None or one.invoice_id != named.invoice_id)


def settle_item(work: UnitOfWork, transfer: ReceivedTransfer, item: CustomerHold) -> ReceivedTransfer:
    """So much of the transfer as the item still asks for."""
    held = work.customer_holds.lock(item.payment_id)
    part = min(transfer.left_minor, held.open_minor)
    if part <= 0:
        return transfer
    work.customer_holds.put(replace(held, settled_minor=held.settled_minor + part))
    name = f"part/{transfer.transfer_id}/{held.payment_id}"
    work.transfer_parts.add_new(
        TransferPart(work.draw.id(name), transfer.transfer_id, held.payment_id, part, work.machine_now)
    )
    if part == held.open_minor:
        paid: dict[str, Scalar] = {
            "payment_id": held.payment_id,
            "invoice_id": held.invoice_id,
            "currency": held.currency,
        }
        work.events.append(Event("customer", held.customer_id, "OpenItemPaid", paid))
    return work.received_transfers.put(replace(transfer, left_minor=transfer.left_minor - part))


def take_what_is_left(work: UnitOfWork, item: CustomerHold) -> None:
    """A new open item takes what the customer has sent before it, or beyond what was open."""
    for one in work.queries.unused_transfers(item.customer_id, item.currency):
        settle_item(work, work.received_transfers.lock(one.transfer_id), item)
