"""What direct debits stand at while lines of the bank are read, and those that went back. Each is taken once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tallywatt.kernel.errors import Conflict
from tallywatt.kernel.events import Event
from tallywatt.ledger.chart import BANK, BANK_FEES
from tallywatt.ledger.post import Draft, Leg
from tallywatt.payments.bank import BankLine, BankLineState, Carrying
from tallywatt.payments.debit import (
    MOST_FEE_MINOR,
    CollectionState,
    Consequence,
    DebitCollection,
    MandateState,
    consequence_of,
)
from tallywatt.workflows.keep_mandate import end, pause
from tallywatt.workflows.post_entry import post
from tallywatt.workflows.return_transfer import return_transfer

if TYPE_CHECKING:
    from tallywatt.kernel.events import Scalar
    from tallywatt.workflows.ports import UnitOfWork


def is_asked(one: DebitCollection) -> bool:
    """Whether the bank may say that it came: one that is being put together stands in no file."""
    return one.state is CollectionState.ASKED and bool(one.pending_id)


def coming_groups(work: UnitOfWork, batch_id: str) -> set[str]:
    """Groups of a file that have come with a line of which not every payer is carried yet."""
    lines = work.bank_lines.by(batch_id=batch_id, under_way=Carrying.COLLECTING.value)
    return {group for one in lines for group in one.groups}


def is_being_undone(work: UnitOfWork, batch_id: str) -> bool:
    """Whether payers of a file are being asked again, because they did not come with a line."""
    return bool(work.bank_lines.by(batch_id=batch_id, under_way=Carrying.UNDOING.value))


def refuse_while_carried(work: UnitOfWork, batch_id: str) -> None:
    """Conflict while payers of a file are carried: whoever asks again when that has ended gets a clear answer."""
    if coming_groups(work, batch_id) or is_being_undone(work, batch_id):
        msg = "the payers behind a line of the bank are being carried at this moment"
        raise Conflict(
            msg, code="bank.under_way", remedy="ask again when it is done; see: tallywatt bank list --state debit"
        )


def decided(work: UnitOfWork, line: BankLine, batch_id: str) -> BankLine:
    """The line as one of direct debits."""
    now, actor = work.machine_now, work.actor
    return work.bank_lines.put(
        replace(line, state=BankLineState.DEBIT, batch_id=batch_id, decided_at=now, decided_by=actor)
    )


def returned_debit(work: UnitOfWork, line: BankLine) -> DebitCollection | None:
    """The one collection that a line takes back, by its name, or by its mandate and sum; None when that is not clear."""
    if line.amount_minor >= 0:
        return None
    found = work.debit_collections.one_by(end_to_end=line.end_to_end) if line.end_to_end else None
    if found is not None:
        return found if _can_return(found, line) else None
    mandate = work.mandates.one_by(reference=line.mandate_ref) if line.mandate_ref and line.return_code else None
    if mandate is None:
        return None
    theirs = [one for one in work.debit_collections.by(mandate_id=mandate.mandate_id) if _can_return(one, line)]
    return theirs[0] if len(theirs) == 1 else None


def _can_return(debit: DebitCollection, line: BankLine) -> bool:
    beyond = -line.amount_minor - debit.amount_minor
    same = debit.currency == line.currency
    return debit.state is CollectionState.COLLECTED and same and 0 <= beyond <= MOST_FEE_MINOR


def return_debit(work: UnitOfWork, line: BankLine) -> bool:
    """Take back what a line says went back; False when it is not clear which."""
    debit = returned_debit(work, line)
    if debit is None or debit.transfer_id is None:
        return False
    if debit.line_id is not None and work.bank_lines.lock(debit.line_id).under_way is Carrying.UNDOING:
        # A person has said that it did not come, and nothing goes back that did not come.
        return False
    stored = decided(work, line, debit.batch_id)
    debit = work.debit_collections.lock(debit.collection_id)
    assert debit.transfer_id is not None, "what has come is a transfer"
    return_transfer(work, work.received_transfers.get(debit.transfer_id))
    fee = -line.amount_minor - debit.amount_minor
    if fee:
        leg = Leg(BANK_FEES, BANK, fee)
        cause = f"{debit.collection_id}/{line.line_id}/{line.revision}"
        post(work, Draft("debit_fee", "debit", cause, debit.currency, (leg,)))
    after = replace(
        debit,
        state=CollectionState.RETURNED,
        reason=line.return_code,
        return_line_id=stored.line_id,
        fee_minor=fee,
        ended_at=work.machine_now,
    )
    work.debit_collections.put(after)
    follow_refusal(work, after)
    tell_ended(work, after, CollectionState.RETURNED, line.return_code)
    return True


def follow_refusal(work: UnitOfWork, debit: DebitCollection) -> None:
    """What a bank's no means for the mandate."""
    mandate = work.mandates.lock(debit.mandate_id)
    if mandate.state is not MandateState.ACTIVE:
        return
    consequence = consequence_of(debit.reason)
    if consequence is Consequence.END:
        end(work, mandate, debit.reason or "")
    elif consequence is Consequence.LOOK:
        pause(work, mandate, debit.reason or "unknown")


def tell_ended(work: UnitOfWork, debit: DebitCollection, state: CollectionState, reason: str | None) -> None:
    """Partners hear what became of what was asked."""
    data: dict[str, Scalar] = {
        "collection_id": debit.collection_id,
        "minor": debit.amount_minor,
        "currency": debit.currency,
        "state": state.value,
        "reason": reason,
    }
    work.events.append(Event("customer", debit.customer_id, "DebitEnded", data))
