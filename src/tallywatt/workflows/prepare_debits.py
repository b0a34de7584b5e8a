"""Put together what is collected on one day: each payer once, each item once; a file that was begun is gone on with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.clock import local_date
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.kernel.events import Event
from tallywatt.ledger.books import Phase
from tallywatt.ledger.chart import BANK, on_account
from tallywatt.ledger.post import Draft, Leg, transfer_id
from tallywatt.payments.bank_days import bank_day_from, bank_days_after, is_bank_day
from tallywatt.payments.debit import (
    EUR,
    LEAST_BANK_DAYS,
    LONGEST_TEXT,
    CollectionState,
    DebitBatch,
    DebitCollection,
    DebitPart,
    Sequence,
    in_bank_letters,
    void_from,
)
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.keep_mandate import creditor_of, end
from tallywatt.workflows.post_entry import post
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.tell_customer import TELL_DEBIT

if TYPE_CHECKING:
    from tallywatt.kernel.events import Scalar
    from tallywatt.payments.debit import DueItem, Mandate
    from tallywatt.workflows.ports import UnitOfWork

AT_ONCE: Final = 50
"""Mandates in one transaction: stations wait for the writer meanwhile."""
MOST_ITEMS: Final = 500
"""Open items in one transaction, for the same reason. Whose are more is asked for them over several."""
_DRAWN: Final = 10


@dataclass(frozen=True, slots=True)
class PrepareDebits:
    """Until when it is due, on which day it is collected, and the asker's own name for it.

    Left out, the day is the first one before which payers are told in time; the name is today and that day.
    """

    collect_on: str | None = None
    key: str | None = None


def prepare_debits(work: UnitOfWork, command: PrepareDebits) -> DebitBatch:
    """Some more mandates of the batch; whoever asks goes on asking until it is closed. The same again is the same batch."""
    creditor = creditor_of(work)
    today, day = _days(work, command)
    key = (command.key or "").strip() or _free_key(work, f"{today.isoformat()}/{day.isoformat()}")
    batch = work.debit_batches.one_by(batch_key=key)
    if batch is None:
        if work.queries.is_ending_debits():
            msg = "payers of a file that was refused or let go are about to be free again"
            raise Conflict(msg, code="debits.under_way", remedy="ask again in a minute")
        batch = DebitBatch(
            batch_id=work.draw.id(f"debits/{key}"),
            batch_key=key,
            message_id=f"DD{day:%Y%m%d}-{work.draw.token('debits', _DRAWN)}",
            collect_on=day.isoformat(),
            currency=EUR,
            creditor_id=creditor.creditor_id,
            creditor_name=creditor.name,
            creditor_iban=creditor.iban,
            creditor_bic=creditor.bic,
            count=0,
            total_minor=0,
            looked_to="",
            made_at=work.now,
            closed_at=None,
            given_at=None,
            cancelled_at=None,
        )
        if not work.debit_batches.add(batch):
            msg = "this batch is being put together at this moment; ask again"
            raise Conflict(msg, code="debits.under_way")
    batch = work.debit_batches.lock(batch.batch_id)
    if command.collect_on is not None and batch.collect_on != command.collect_on:
        msg = "this name stands for a batch of another day"
        raise Conflict(msg, code="debits.other_day")
    return batch if batch.closed_at is not None else _go_on(work, batch, today)


@dataclass(frozen=True, slots=True)
class CollectionDay:
    """The day of a batch, and the one on which it is put together."""

    collect_on: str
    today: str


def collection_day(work: UnitOfWork, command: PrepareDebits) -> CollectionDay:
    """When it would be collected; BadInput for a day that is none. It changes nothing."""
    today, day = _days(work, command)
    return CollectionDay(day.isoformat(), today.isoformat())


def _days(work: UnitOfWork, command: PrepareDebits) -> tuple[date, date]:
    today = local_date(work.now, work.operators.get().zone)
    return today, _day_of(command, today, creditor_of(work).notice_days)


def _free_key(work: UnitOfWork, today: str) -> str:
    """The name of today's batch for that day; where nothing of that goes on any more, of the one in its place."""
    key, count = today, 1
    while (before := work.debit_batches.one_by(batch_key=key)) is not None and _is_over(work, before):
        count += 1
        key = f"{today}/{count}"
    return key


def _is_over(work: UnitOfWork, batch: DebitBatch) -> bool:
    never = (CollectionState.REJECTED, CollectionState.CANCELLED)
    if batch.cancelled_at is not None:
        return True
    theirs = work.debit_collections.by(batch_id=batch.batch_id)
    return batch.closed_at is not None and all(one.state in never for one in theirs)


def _day_of(command: PrepareDebits, today: date, notice_days: int) -> date:
    first = max(bank_day_from(today + timedelta(days=notice_days)), bank_days_after(today, LEAST_BANK_DAYS))
    if command.collect_on is None:
        return first
    try:
        day = date.fromisoformat(command.collect_on)
    except ValueError as error:
        msg = f"{command.collect_on[:40]!r} is no date"
        raise BadInput(msg, code="debits.bad_date", remedy="write it as 2026-11-22") from error
    if not is_bank_day(day):
        msg = "banks do not collect on that day"
        remedy = f"the next one after it is {bank_day_from(day).isoformat()}"
        raise BadInput(msg, code="debits.no_bank_day", remedy=remedy)
    if day < first:
        msg = f"payers are told {notice_days} days before, and the bank wants the file in time"
        raise BadInput(msg, code="debits.too_early", remedy=f"the first day is {first.isoformat()}")
    if (day - today).days > 366:
        msg = "that day is more than a year away"
        raise BadInput(msg, code="debits.bad_date")
    return day


def _go_on(work: UnitOfWork, batch: DebitBatch, today: date) -> DebitBatch:
    begun = work.debit_collections.one_by(batch_id=batch.batch_id, mandate_id=batch.looked_to)
    if begun is not None and not begun.pending_id:
        return _go_on_with(work, batch, begun)
    mandates = work.queries.mandates_after(batch.looked_to, AT_ONCE)
    due = _due(work, batch, mandates[0].mandate_id, mandates[-1].mandate_id) if mandates else []
    items = {key: list(theirs) for key, theirs in groupby(due, attrgetter("mandate_id"))}
    unfinished = due[-1].mandate_id if len(due) == MOST_ITEMS else None
    name = work.operators.get().name
    count, total, looked_to = batch.count, batch.total_minor, batch.looked_to
    for mandate in mandates:
        looked_to = mandate.mandate_id
        if void_from(mandate.signed_on, mandate.used_on) <= today.isoformat():
            end(work, mandate, "unused")
        elif looked_to in items:
            count += 1
            asked = _ask(work, batch, mandate, items[looked_to], f"{batch.message_id}-{count:05d}", name)
            total += asked.amount_minor
            if looked_to != unfinished:
                _complete(work, batch, asked)
        if looked_to == unfinished:
            break
    is_last = unfinished is None and len(mandates) < AT_ONCE
    after = replace(batch, count=count, total_minor=total, looked_to="" if is_last else looked_to)
    if is_last and count:
        # One without anything in it stays open: whoever asks again today finds what has become due meanwhile.
        after = replace(after, closed_at=work.machine_now)
        sums = {"message_id": batch.message_id, "collect_on": batch.collect_on, "count": count, "minor": total}
        record_action(work, "debit.prepare", "debit_batch", batch.batch_id, after=sums)
    return work.debit_batches.put(after) if after != batch else batch


def _go_on_with(work: UnitOfWork, batch: DebitBatch, begun: DebitCollection) -> DebitBatch:
    """Some more items of a payer who has very many: asked for is still once, and one sum."""
    items = _due(work, batch, begun.mandate_id, begun.mandate_id)
    more = _add_parts(work, begun, items)
    asked = work.debit_collections.put(replace(begun, amount_minor=begun.amount_minor + more)) if more else begun
    if len(items) < MOST_ITEMS:
        _complete(work, batch, asked)
    return work.debit_batches.put(replace(batch, total_minor=batch.total_minor + more))


def _due(work: UnitOfWork, batch: DebitBatch, first: str, last: str) -> list[DueItem]:
    return work.queries.due_by_mandate(first, last, batch.collect_on, MOST_ITEMS)


def _ask(
    work: UnitOfWork, batch: DebitBatch, mandate: Mandate, items: list[DueItem], end_to_end: str, name: str
) -> DebitCollection:
    """Begin to ask a payer; it is complete when it waits in the books."""
    asked = DebitCollection(
        collection_id=work.draw.id(f"collection/{mandate.mandate_id}"),
        batch_id=batch.batch_id,
        mandate_id=mandate.mandate_id,
        customer_id=mandate.customer_id,
        end_to_end=end_to_end,
        scheme=mandate.scheme,
        sequence=Sequence.FIRST if mandate.used_on is None else Sequence.RECURRENT,
        amount_minor=sum(one.open_minor for one in items),
        currency=EUR,
        remittance=_words(name, items),
        state=CollectionState.ASKED,
        reason=None,
        pending_id="",
        transfer_id=None,
        line_id=None,
        return_line_id=None,
        fee_minor=0,
        told_at=None,
        created_at=work.now,
        ended_at=None,
    )
    work.debit_collections.add_new(asked)
    _add_parts(work, asked, items)
    work.mandates.put(replace(mandate, used_on=batch.collect_on))
    return asked


def _add_parts(work: UnitOfWork, asked: DebitCollection, items: list[DueItem]) -> int:
    for one in items:
        work.debit_parts.add_new(DebitPart(asked.collection_id, one.payment_id, one.open_minor, is_open=True))
    return sum(one.open_minor for one in items)


def _complete(work: UnitOfWork, batch: DebitBatch, asked: DebitCollection) -> None:
    """Its sum is known: it waits in the books, and the payer is told."""
    legs = (Leg(BANK, on_account(asked.customer_id), asked.amount_minor, Phase.PENDING),)
    entry = post(work, Draft("debit_asked", "debit", asked.collection_id, EUR, legs))
    work.debit_collections.put(replace(asked, pending_id=transfer_id(entry, 0)))
    work.jobs.add(Job(TELL_DEBIT, asked.collection_id))
    data: dict[str, Scalar] = {
        "collection_id": asked.collection_id,
        "minor": asked.amount_minor,
        "currency": EUR,
        "on": batch.collect_on,
    }
    work.events.append(Event("customer", asked.customer_id, "DebitAsked", data))


def _words(name: str, items: list[DueItem]) -> str:
    """What the payer reads on the statement: the invoices."""
    numbers = [one.number for one in items[:LONGEST_TEXT] if one.number is not None]
    return in_bank_letters(f"{name}: {', '.join(numbers)}" if numbers else name, LONGEST_TEXT)


@dataclass(frozen=True, slots=True)
class GiveBatch:
    """Whose file is fetched for the bank."""

    batch_id: str


def give_batch(work: UnitOfWork, command: GiveBatch) -> DebitBatch:
    """Note that the file was fetched: first when, and each time by whom."""
    batch = work.debit_batches.find(command.batch_id)
    if batch is None:
        msg = "there is no such batch"
        raise NotFound(msg, code="debits.not_found", remedy="see: tallywatt debit list")
    batch = work.debit_batches.lock(command.batch_id)
    if batch.closed_at is None or batch.cancelled_at is not None:
        msg = "this batch was cancelled" if batch.cancelled_at is not None else "this batch is not complete"
        remedy = "ask for it again: tallywatt debit prepare"
        raise Conflict(msg, code="debits.no_file", remedy=remedy)
    record_action(work, "debit.fetch", "debit_batch", batch.batch_id, after={"message_id": batch.message_id})
    if batch.given_at is not None:
        return batch
    return work.debit_batches.put(replace(batch, given_at=work.machine_now))
