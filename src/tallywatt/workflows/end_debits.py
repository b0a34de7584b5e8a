"""Nothing came, and nothing will: a bank has refused what was asked, or a file is let go. Items are open again.

A file may have ten thousand payers. What is said of all of them is decided at once; they are ended some in each transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.errors import Conflict, NotFound
from tallywatt.ledger.books import Phase
from tallywatt.ledger.chart import BANK, on_account
from tallywatt.ledger.post import Draft, Leg
from tallywatt.payments.debit import (
    CollectionState,
    DebitBatch,
    DebitCollection,
    Scheme,
    Sequence,
    ToldStatus,
    group_of,
    payment_information,
)
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.post_entry import post
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.settle_debit import coming_groups, follow_refusal, refuse_while_carried, tell_ended

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork

END_DEBITS: Final = "end_debits"
AT_ONCE: Final = 10
"""Payers in one transaction: stations wait for the writer meanwhile."""
GROUPS: Final = tuple(group_of(scheme, sequence) for scheme, sequence in product(Scheme, Sequence))


@dataclass(frozen=True, slots=True)
class EndDebits:
    """What becomes of all that a file still asks for, or one group of it."""

    batch_id: str
    state: CollectionState
    reason: str | None = None
    group: str | None = None


def end_debits(work: UnitOfWork, command: EndDebits) -> bool:
    """Some more payers; whether others wait. What comes with a line of the bank at this moment is left as it is."""
    batch = work.debit_batches.lock(command.batch_id)
    coming, left = coming_groups(work, batch.batch_id), AT_ONCE
    for group in GROUPS if command.group is None else (command.group,):
        if group in coming:
            continue
        theirs = work.queries.still_asked(batch.batch_id, group, left)
        for one in theirs:
            _end(work, one, command.state, command.reason)
        left -= len(theirs)
        if not left:
            return True
    return False


def _begin(work: UnitOfWork, command: EndDebits) -> None:
    """The first payers at once; a job goes on with the others."""
    if end_debits(work, command):
        told = {"state": command.state.value, "reason": command.reason, "group": command.group, "actor": work.actor}
        subject = f"{command.batch_id}/{command.state.value}/{command.group or 'all'}"
        work.jobs.add(Job(END_DEBITS, subject, told))


@dataclass(frozen=True, slots=True)
class TakeStatuses:
    """What a bank's report says; `sha256` says which file it was."""

    statuses: tuple[ToldStatus, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class StatusesTaken:
    """What it changed."""

    rejected: int = 0
    """Debits that were refused; where a whole file was, the last of them are ended some seconds later."""
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
        if told.end_to_end is None:
            rejected += _reject_many(work, batch, told)
            continue
        one = work.debit_collections.one_by(end_to_end=told.end_to_end)
        if one is None or one.batch_id != batch.batch_id:
            continue
        if one.state is CollectionState.ASKED and one.group not in coming_groups(work, batch.batch_id):
            _end(work, one, CollectionState.REJECTED, told.reason)
            rejected += 1
        elif one.state is not CollectionState.REJECTED:
            unknown += 1
    record_action(work, "debit.report", "report", command.sha256, after={"rejected": rejected, "unknown": unknown})
    return StatusesTaken(rejected, unknown)


def _reject_many(work: UnitOfWork, batch: DebitBatch, told: ToldStatus) -> int:
    """A whole file, or a group of it; how many of it were asked for."""
    meant = [one for one in GROUPS if told.group in {None, payment_information(batch.message_id, one)}]
    coming, asked = coming_groups(work, batch.batch_id), work.queries.asked_counts(batch.batch_id)
    found = sum(asked.get(one, 0) for one in meant if one not in coming)
    if found:
        group = None if told.group is None else meant[0]
        _begin(work, EndDebits(batch.batch_id, CollectionState.REJECTED, told.reason, group))
    return found


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
    if work.queries.has_come(batch.batch_id):
        msg = "something of it has come already"
        raise Conflict(msg, code="debits.has_come", remedy="what went back is told by the lines of the bank")
    closed = batch.closed_at or work.machine_now
    stored = work.debit_batches.put(replace(batch, closed_at=closed, cancelled_at=work.machine_now))
    record_action(work, "debit.cancel", "debit_batch", batch.batch_id, after={"message_id": batch.message_id})
    _begin(work, EndDebits(batch.batch_id, CollectionState.CANCELLED))
    return stored


def _end(work: UnitOfWork, debit: DebitCollection, state: CollectionState, reason: str | None) -> None:
    """One payer's."""
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
        follow_refusal(work, after)
    tell_ended(work, after, state, reason)
