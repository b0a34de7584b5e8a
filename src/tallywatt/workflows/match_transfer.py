"""A line of the bank that is a customer's transfer, or the return of one: whose it is, and what it does to the books.

Nobody guesses: a line that names invoices of two customers, or none that is open, waits for a person.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tallywatt.invoicing.named import numbers_in
from tallywatt.kernel.clock import local_date
from tallywatt.kernel.money import Money, currency
from tallywatt.payments.bank import BankLineState
from tallywatt.payments.own_books import TransferFor
from tallywatt.workflows.receive_transfer import (
    LONGEST_REFERENCE,
    ReceiveTransfer,
    invoice_named,
    open_items,
    receive_transfer,
)
from tallywatt.workflows.return_transfer import can_return, return_transfer

if TYPE_CHECKING:
    from tallywatt.invoicing.invoice import Invoice
    from tallywatt.payments.bank import BankLine, ToldBankLine
    from tallywatt.payments.own_books import ReceivedTransfer
    from tallywatt.workflows.ports import UnitOfWork


def named_invoices(work: UnitOfWork, line: ToldBankLine | BankLine) -> list[Invoice]:
    """Invoices with something open that a line names, in the order in which it names them."""
    if line.amount_minor <= 0 or line.return_code is not None:
        return []
    named = [invoice_named(work, number) for number in _numbers(line)]
    return [one for one in named if one is not None and _is_open(work, one, line.currency)]


def payers(invoices: list[Invoice]) -> set[str]:
    """Whose they are."""
    return {one.payer_id for one in invoices if one.payer_id is not None}


def receive_line(
    work: UnitOfWork,
    line: BankLine,
    *,
    customer: str | None = None,
    invoice: str | None = None,
    target: TransferFor = TransferFor.ITEMS,
) -> BankLine:
    """Take a line as that customer's transfer. Its id is the transfer's key: a file given twice pays once."""
    told = ReceiveTransfer(
        # What was undone is another transfer when it is decided anew.
        f"{line.line_id}/{line.revision}" if line.revision else line.line_id,
        Money(line.amount_minor, currency(line.currency)),
        local_date(line.booked_at, "UTC").isoformat(),
        customer,
        invoice,
        _words(line)[:LONGEST_REFERENCE],
        target,
    )
    stored = _decided(work, line, receive_transfer(work, told))
    for waiting in work.bank_lines.by(state=BankLineState.OPEN.value, amount_minor=-line.amount_minor):
        # Whoever gives the files out of order has the return first. What a person has undone waits for a person.
        if not waiting.revision:
            return_line(work, waiting)
    return stored


def return_line(work: UnitOfWork, line: BankLine) -> bool:
    """Undo the one transfer that a line says has gone back to its payer; False when it is not clear which, or it is used."""
    found = [] if line.return_code is None else _returned_by(work, line)
    if len(found) != 1 or not can_return(work, found[0]):
        return False
    _decided(work, line, return_transfer(work, found[0]))
    return True


def return_by_hand(work: UnitOfWork, line: BankLine, transfer: ReceivedTransfer) -> BankLine:
    """The same, of the transfer that a person has named."""
    return _decided(work, line, return_transfer(work, transfer))


def _decided(work: UnitOfWork, line: BankLine, transfer: ReceivedTransfer) -> BankLine:
    now = work.machine_now
    return work.bank_lines.put(
        replace(
            line,
            state=BankLineState.TRANSFER,
            transfer_id=transfer.transfer_id,
            decided_at=now,
            decided_by=work.actor,
        )
    )


def _returned_by(work: UnitOfWork, line: BankLine) -> list[ReceivedTransfer]:
    """Transfers of that sum on the same account that are still there, and that the line tells of by one of its marks."""
    came = work.bank_lines.by(
        state=BankLineState.TRANSFER.value, amount_minor=-line.amount_minor, currency=line.currency
    )
    found = []
    for one in came:
        if one.amount_minor <= 0 or one.transfer_id is None or one.bank_account != line.bank_account:
            continue
        transfer = work.received_transfers.get(one.transfer_id)
        if transfer.returned_at is None and _is_same(one, line):
            found.append(transfer)
    return found


def _is_same(came: BankLine, back: BankLine) -> bool:
    same_mark = back.end_to_end is not None and came.end_to_end == back.end_to_end
    from_there = back.counterparty_account is not None and came.counterparty_account == back.counterparty_account
    return same_mark or from_there or bool(set(_numbers(came)) & set(_numbers(back)))


def _numbers(line: ToldBankLine | BankLine) -> tuple[str, ...]:
    return numbers_in(line.reference, line.end_to_end, line.remittance)


def _words(line: BankLine) -> str:
    return line.reference or line.remittance or line.end_to_end or ""


def _is_open(work: UnitOfWork, invoice: Invoice, code: str) -> bool:
    if invoice.payer_id is None:
        return False
    return any(one.invoice_id == invoice.invoice_id for one in open_items(work, invoice.payer_id, code))
