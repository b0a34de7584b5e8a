"""A person takes back what was decided about a line of the bank: the opposite is booked, and the line is open again.

Nothing is edited: what a transfer has paid is open again, a payout is on its way again, a direct debit is asked for again.
What other decisions stand on is refused, with the one that has to be taken back first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.card_numbers import hide_card_numbers
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.ledger.banked import move_of
from tallywatt.ledger.settled import drafts
from tallywatt.payments.bank import BankLine, BankLineState, Carrying
from tallywatt.workflows.post_entry import post
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.return_transfer import can_return, restore_transfer, return_transfer
from tallywatt.workflows.undo_debits import undo_collected, undo_returned

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork

LONGEST_REASON: Final = 200


@dataclass(frozen=True, slots=True)
class UndoBankLine:
    """Which line was decided wrongly, and why."""

    line_id: str
    reason: str


def undo_bank_line(work: UnitOfWork, command: UndoBankLine) -> BankLine:
    """The line, open again. Undone already, it stays as it is. Behind one with many payers a job does so some at a time."""
    reason = hide_card_numbers(command.reason.strip())[0]
    if not reason or len(reason) > LONGEST_REASON:
        msg = f"say why it was decided wrongly, in at most {LONGEST_REASON} characters"
        raise BadInput(msg, code="bank.undo_why")
    if work.bank_lines.find(command.line_id) is None:
        msg = "there is no such line"
        raise NotFound(msg, code="bank.not_found", remedy="see: tallywatt bank list")
    line = work.bank_lines.lock(command.line_id)
    if line.state is BankLineState.OPEN:
        if line.undone_at is not None:
            return line
        msg = "nothing was decided about this line"
        raise Conflict(msg, code="bank.not_decided")
    if line.under_way is Carrying.UNDOING:
        return line
    if line.state is BankLineState.DEBIT and line.amount_minor > 0:
        after = undo_collected(work, replace(line, undone_by=work.actor, undo_note=reason))
    else:
        _take_back(work, line)
        there = work.bank_lines.get(line.line_id)
        after = work.bank_lines.put(there.open_again(work.machine_now, work.actor, reason))
    was = {
        "state": line.state.value,
        "payout": line.settlement_ref,
        "transfer": line.transfer_id,
        "debit_batch": line.batch_id,
    }
    before = {name: value for name, value in was.items() if value is not None}
    told = {"state": "open", "note": reason}
    if after.under_way is not None:
        told["under_way"] = after.under_way.value
    record_action(work, "bank.undo", "bank_line", line.line_id, before=before, after=told)
    return after


def _take_back(work: UnitOfWork, line: BankLine) -> None:
    match line.state:
        case BankLineState.MATCHED:
            cause = f"{line.line_id}/{line.revision}"
            for draft in drafts("banked_undone", "bank_line", cause, (move_of(line).back,)):
                post(work, draft)
        case BankLineState.TRANSFER if line.amount_minor > 0:
            _undo_received(work, line)
        case BankLineState.TRANSFER:
            _undo_returned(work, line)
        case BankLineState.DEBIT:
            undo_returned(work, line)


def _undo_received(work: UnitOfWork, line: BankLine) -> None:
    """It was not theirs: what it has paid is open again."""
    transfer = work.received_transfers.lock(line.transfer_id or "")
    if transfer.returned_at is not None:
        msg = "what came with this line went back with another one"
        raise Conflict(msg, code="bank.went_back", remedy="undo the line with which it went back first")
    if not can_return(work, transfer):
        msg = "the customer has used of their balance what came with this line"
        remedy = "a balance never goes below zero: once it holds the sum again, undo the line"
        raise Conflict(msg, code="bank.balance_used", remedy=remedy)
    return_transfer(work, transfer)


def _undo_returned(work: UnitOfWork, line: BankLine) -> None:
    """It did not go back: it is there again, and pays what it had paid."""
    transfer = work.received_transfers.lock(line.transfer_id or "")
    again = restore_transfer(work, transfer, f"{line.line_id}/{line.revision}/back")
    for one in work.bank_lines.by(transfer_id=transfer.transfer_id):
        if one.amount_minor > 0:
            work.bank_lines.put(replace(one, transfer_id=again.transfer_id))
