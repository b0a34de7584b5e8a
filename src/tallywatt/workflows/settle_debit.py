"""What banks say of direct debits: that they were refused, that they went back. Each is taken once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.kernel.errors import Conflict, NotFound
from tallywatt.kernel.events import Event
from tallywatt.ledger.books import Phase
from tallywatt.ledger.chart import BANK, BANK_FEES, on_account
from tallywatt.ledger.post import Draft, Leg
from tallywatt.payments.bank import BankLine, BankLineState, Carrying
from tallywatt.payments.debit import (
    MOST_FEE_MINOR,
    CollectionState,
    Consequence,
    DebitBatch,
    DebitCollection,
    MandateState,
    Sequence,
    ToldStatus,
    consequence_of,
    payment_information,
)
from tallywatt.workflows.keep_mandate import end, pause
from tallywatt.workflows.post_entry import post
from tallywatt.workflows.record_action import record_action
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
    _follow(work, after)
    tell_ended(work, after, CollectionState.RETURNED, line.return_code)
    return True


def _follow(work: UnitOfWork, debit: DebitCollection) -> None:
    """What a bank's no means for the mandate."""
    mandate = work.mandates.lock(debit.mandate_id)
    if mandate.state is not MandateState.ACTIVE:
        return
    consequence = consequence_of(debit.reason)
    if consequence is Consequence.END:
        end(work, mandate, debit.reason or "")
    elif consequence is Consequence.LOOK:
        pause(work, mandate, debit.reason or "unknown")


@dataclass(frozen=True, slots=True)
class TakeStatuses:
    """What a bank's report says; `sha256` says which file it was."""

    statuses: tuple[ToldStatus, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class StatusesTaken:
    """What it changed."""

    rejected: int = 0
    unknown: int = 0
    """Names that are none of ours, or of what has come already."""


def take_statuses(work: UnitOfWork, command: TakeStatuses) -> StatusesTaken:
    """What is refused is open again, with the reason. The same report again changes nothing."""
    rejected = unknown = 0
    for told in command.statuses:
        if not told.is_rejected:
            continue
        batch = work.debit_batches.one_by(message_id=told.message_id)
        if batch is None:
            unknown += 1
            continue
        # Whoever says that some of them came holds the file too.
        batch = work.debit_batches.lock(batch.batch_id)
        coming = coming_groups(work, batch.batch_id)
        for one in _meant(work, batch, told):
            if one.state is CollectionState.ASKED and one.group not in coming:
                _undo(work, one, CollectionState.REJECTED, told.reason)
                rejected += 1
            elif one.state is not CollectionState.REJECTED and told.end_to_end is not None:
                unknown += 1
    record_action(work, "debit.report", "report", command.sha256, after={"rejected": rejected, "unknown": unknown})
    return StatusesTaken(rejected, unknown)


def _meant(work: UnitOfWork, batch: DebitBatch, told: ToldStatus) -> list[DebitCollection]:
    if told.end_to_end is not None:
        one = work.debit_collections.one_by(end_to_end=told.end_to_end)
        return [one] if one is not None and one.batch_id == batch.batch_id else []
    theirs = work.debit_collections.by(batch_id=batch.batch_id)
    if told.group is not None:
        return [one for one in theirs if payment_information(batch.message_id, one.group) == told.group]
    return theirs


def _undo(work: UnitOfWork, debit: DebitCollection, state: CollectionState, reason: str | None) -> None:
    """Nothing came, and nothing will."""
    debit = work.debit_collections.lock(debit.collection_id)
    if debit.pending_id:
        leg = Leg(BANK, on_account(debit.customer_id), debit.amount_minor, Phase.VOID, debit.pending_id)
        post(work, Draft("debit_ended", "debit", debit.collection_id, debit.currency, (leg,)))
    after = replace(debit, state=state, reason=reason, ended_at=work.machine_now)
    work.debit_collections.put(after)
    work.queries.close_parts(debit.collection_id)
    mandate = work.mandates.lock(debit.mandate_id)
    used = [
        work.debit_batches.get(one.batch_id).collect_on
        for one in work.debit_collections.by(mandate_id=debit.mandate_id)
        if one.state not in (CollectionState.REJECTED, CollectionState.CANCELLED)
    ]
    # Where the first use never came about, the next one is the first.
    never = None if debit.sequence is Sequence.FIRST else mandate.signed_on
    last = max(used, default=never)
    if last != mandate.used_on:
        work.mandates.put(replace(mandate, used_on=last))
    if state is CollectionState.REJECTED:
        _follow(work, after)
    tell_ended(work, after, state, reason)


@dataclass(frozen=True, slots=True)
class CancelBatch:
    """Whose file is never given to the bank, or was called back there whole."""

    batch_id: str


def cancel_batch(work: UnitOfWork, command: CancelBatch) -> DebitBatch:
    """What it asks for is open again, and may be asked for by another one."""
    if work.debit_batches.find(command.batch_id) is None:
        msg = "there is no such batch"
        raise NotFound(msg, code="debits.not_found", remedy="see: tallywatt debit list")
    batch = work.debit_batches.lock(command.batch_id)
    if batch.cancelled_at is not None:
        return batch
    refuse_while_carried(work, batch.batch_id)
    theirs = work.debit_collections.by(batch_id=batch.batch_id)
    if any(one.state in (CollectionState.COLLECTED, CollectionState.RETURNED) for one in theirs):
        msg = "something of it has come already"
        raise Conflict(msg, code="debits.has_come", remedy="what went back is told by the lines of the bank")
    for one in theirs:
        if one.state is CollectionState.ASKED:
            _undo(work, one, CollectionState.CANCELLED, None)
    record_action(work, "debit.cancel", "debit_batch", batch.batch_id, after={"message_id": batch.message_id})
    closed = batch.closed_at or work.machine_now
    return work.debit_batches.put(replace(batch, closed_at=closed, cancelled_at=work.machine_now))


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
