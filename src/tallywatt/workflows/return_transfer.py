"""A customer's transfer went back to their bank: what it has paid is open again, and a balance has it no more."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from tallywatt.kernel.events import Event
from tallywatt.ledger.chart import BANK, on_account, prepaid
from tallywatt.ledger.post import Draft, Leg
from tallywatt.payments.own_books import PREPAID, TransferFor, TransferPart
from tallywatt.workflows.answer_from_books import free_minor
from tallywatt.workflows.post_entry import post
from tallywatt.workflows.receive_transfer import open_items, settle_item, take_what_is_left
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.kernel.events import Scalar
    from tallywatt.payments.own_books import ReceivedTransfer
    from tallywatt.workflows.ports import UnitOfWork


def can_return(work: UnitOfWork, transfer: ReceivedTransfer) -> bool:
    """Whether it is all there: what a customer has used of a balance cannot be taken from it again."""
    if transfer.target is TransferFor.ITEMS:
        return True
    free = free_minor(work, PREPAID, transfer.customer_id, transfer.currency, lock=True) or 0
    return free >= transfer.amount_minor


def return_transfer(work: UnitOfWork, transfer: ReceivedTransfer, *, use_others: bool = True) -> ReceivedTransfer:
    """Undo it, once. What it has paid is open again, and other money of the customer's that is left may pay that."""
    transfer = work.received_transfers.lock(transfer.transfer_id)
    if transfer.returned_at is not None:
        return transfer
    paid: Counter[str] = Counter()
    for part in work.transfer_parts.by(transfer_id=transfer.transfer_id):
        paid[part.payment_id] += part.amount_minor
    reopened = [_reopen(work, transfer, payment_id, minor) for payment_id, minor in sorted(paid.items()) if minor]
    transfer = work.received_transfers.put(replace(transfer, left_minor=0, returned_at=work.machine_now))
    owner = on_account if transfer.target is TransferFor.ITEMS else prepaid
    legs = (Leg(owner(transfer.customer_id), BANK, transfer.amount_minor),)
    post(work, Draft("transfer_returned", "bank_transfer", transfer.transfer_id, transfer.currency, legs))
    for payment_id in reopened if use_others else ():
        take_what_is_left(work, work.customer_holds.get(payment_id))
    data: dict[str, Scalar] = {
        "transfer_id": transfer.transfer_id,
        "minor": transfer.amount_minor,
        "currency": transfer.currency,
    }
    record_action(work, "transfer.return", "customer", transfer.customer_id, after=dict(data))
    work.events.append(Event("customer", transfer.customer_id, "TransferReturned", data))
    return transfer


def restore_transfer(work: UnitOfWork, transfer: ReceivedTransfer, key: str) -> ReceivedTransfer:
    """It did not go back after all: the same sum is there anew, and pays what it had paid first."""
    again = work.received_transfers.one_by(transfer_key=key)
    if again is not None:
        return again
    is_for_items = transfer.target is TransferFor.ITEMS
    again = replace(
        transfer,
        transfer_id=work.draw.id(f"transfer/{key}"),
        transfer_key=key,
        left_minor=transfer.amount_minor if is_for_items else 0,
        received_at=work.machine_now,
        returned_at=None,
        version=1,
    )
    work.received_transfers.add_new(again)
    owner = on_account if is_for_items else prepaid
    legs = (Leg(BANK, owner(again.customer_id), again.amount_minor),)
    post(work, Draft("transfer_received", "bank_transfer", again.transfer_id, again.currency, legs))
    if is_for_items:
        paid = dict.fromkeys(one.payment_id for one in work.transfer_parts.by(transfer_id=transfer.transfer_id))
        first = [work.customer_holds.get(payment_id) for payment_id in paid]
        for item in (*first, *open_items(work, again.customer_id, again.currency)):
            again = settle_item(work, again, item)
    data: dict[str, Scalar] = {
        "transfer_id": again.transfer_id,
        "minor": again.amount_minor,
        "currency": again.currency,
    }
    record_action(work, "transfer.restore", "customer", again.customer_id, after=dict(data))
    work.events.append(Event("customer", again.customer_id, "TransferReceived", data))
    return again


def _reopen(work: UnitOfWork, transfer: ReceivedTransfer, payment_id: str, minor: int) -> str:
    """A part is never edited: its opposite stands beside it."""
    held = work.customer_holds.lock(payment_id)
    work.customer_holds.put(replace(held, settled_minor=held.settled_minor - minor))
    name = f"unpart/{transfer.transfer_id}/{payment_id}"
    work.transfer_parts.add_new(
        TransferPart(work.draw.id(name), transfer.transfer_id, held.payment_id, -minor, work.machine_now)
    )
    return payment_id
