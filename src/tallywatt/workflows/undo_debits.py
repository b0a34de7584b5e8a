"""What a line of the bank said of direct debits is taken back: they are asked for again, or have come after all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.errors import Conflict
from tallywatt.ledger.books import Phase
from tallywatt.ledger.chart import BANK, BANK_FEES, on_account
from tallywatt.ledger.post import Draft, Leg, transfer_id
from tallywatt.payments.bank import Carrying
from tallywatt.payments.debit import CollectionState
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.post_entry import post
from tallywatt.workflows.return_transfer import restore_transfer, return_transfer

if TYPE_CHECKING:
    from tallywatt.payments.bank import BankLine
    from tallywatt.payments.debit import DebitCollection
    from tallywatt.workflows.ports import UnitOfWork

CARRY_LINE_BACK: Final = "carry_line_back"
AT_ONCE: Final = 6
"""Payers in one transaction: to ask again takes longer than to collect."""
MOST_ITEMS: Final = 48


def undo_collected(work: UnitOfWork, line: BankLine) -> BankLine:
    """They did not come with this line: each waits in the books again, and its items are open and asked for.

    What is still to be carried is left as it is. Where payers are many, a job goes on; until it has ended none goes back.
    """
    if work.queries.has_gone_back(line.line_id):
        msg = "a debit that came with this line went back with another one"
        raise Conflict(msg, code="bank.went_back", remedy="undo the line with which it went back first")
    begun = replace(line, under_way=Carrying.UNDOING, debit_groups=None, carried_to=None)
    after = undo_some(work, work.bank_lines.put(begun))
    if after.under_way is not None:
        work.jobs.add(Job(CARRY_LINE_BACK, line.line_id, {"actor": work.actor}))
    return after


def undo_some(work: UnitOfWork, line: BankLine) -> BankLine:
    """Some more payers of a line; behind the last one it is open again."""
    debits = work.queries.collected_with(line.line_id, AT_ONCE)
    items = 0
    for count, one in enumerate(debits, 1):
        items += _ask_again(work, one)
        if items >= MOST_ITEMS and count < len(debits):
            return line
    if len(debits) == AT_ONCE:
        return line
    return work.bank_lines.put(line.open_again(work.machine_now, line.undone_by or work.actor, line.undo_note or ""))


def _ask_again(work: UnitOfWork, debit: DebitCollection) -> int:
    """One payer; how many items that was."""
    assert debit.transfer_id is not None, "what has come is a transfer"
    revision = debit.revision + 1
    return_transfer(work, work.received_transfers.get(debit.transfer_id), use_others=False)
    leg = Leg(BANK, on_account(debit.customer_id), debit.amount_minor, Phase.PENDING)
    cause = f"{debit.collection_id}/{revision}"
    entry = post(work, Draft("debit_asked", "debit", cause, debit.currency, (leg,)))
    work.debit_collections.put(
        replace(
            debit,
            state=CollectionState.ASKED,
            pending_id=transfer_id(entry, 0),
            transfer_id=None,
            line_id=None,
            revision=revision,
        )
    )
    work.queries.open_parts_again(debit.collection_id)
    return len(work.debit_parts.by(collection_id=debit.collection_id))


def undo_returned(work: UnitOfWork, line: BankLine) -> None:
    """It did not go back: it is paid again, and no fee was taken. A mandate that ended by it is signed anew by a person."""
    for found in work.debit_collections.by(return_line_id=line.line_id, batch_id=line.batch_id):
        debit = work.debit_collections.lock(found.collection_id)
        assert debit.transfer_id is not None, "what went back has come"
        key = f"debit/{debit.collection_id}/{line.line_id}/{line.revision}"
        transfer = restore_transfer(work, work.received_transfers.lock(debit.transfer_id), key)
        if debit.fee_minor:
            cause = f"{debit.collection_id}/{line.line_id}/{line.revision}"
            legs = (Leg(BANK, BANK_FEES, debit.fee_minor),)
            post(work, Draft("debit_fee_undone", "debit", cause, debit.currency, legs))
        work.debit_collections.put(
            replace(
                debit,
                state=CollectionState.COLLECTED,
                transfer_id=transfer.transfer_id,
                return_line_id=None,
                reason=None,
                fee_minor=0,
                ended_at=None,
            )
        )
