"""A person says whose transfer a line of the bank is, or whose went back with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.kernel.errors import Conflict
from tallywatt.workflows.match_transfer import receive_line, return_by_hand
from tallywatt.workflows.receive_transfer import payer_of
from tallywatt.workflows.return_transfer import can_return

if TYPE_CHECKING:
    from tallywatt.payments.bank import BankLine
    from tallywatt.payments.own_books import TransferFor
    from tallywatt.workflows.ports import UnitOfWork


def decide_transfer(
    work: UnitOfWork, line: BankLine, customer: str | None, invoice: str | None, target: TransferFor
) -> BankLine:
    """What came in pays their items or their balance; what went out undoes the latest transfer of theirs of that sum."""
    if line.amount_minor > 0:
        return receive_line(work, line, customer=customer, invoice=invoice, target=target)
    whose = payer_of(work, customer, invoice)
    came = work.received_transfers.by(customer_id=whose.customer_id, currency=line.currency)
    there = [one for one in came if one.returned_at is None and one.amount_minor == -line.amount_minor]
    if not there:
        msg = "this customer has sent no such sum that is still there"
        raise Conflict(msg, code="bank.no_such_transfer", remedy="see: tallywatt bank list --state transfer")
    latest = max(there, key=lambda one: (one.received_on, one.transfer_id))
    if not can_return(work, latest):
        msg = "the customer has used of their balance what went back"
        raise Conflict(msg, code="bank.balance_used", remedy="ask the customer to pay it in again, then match the line")
    return return_by_hand(work, line, latest)


def is_that_transfer(work: UnitOfWork, line: BankLine, customer: str | None, invoice: str | None) -> bool:
    """Whether a line that is decided already is what a person says it is."""
    if line.transfer_id is None:
        return False
    transfer = work.received_transfers.get(line.transfer_id)
    return transfer.customer_id == payer_of(work, customer, invoice).customer_id
