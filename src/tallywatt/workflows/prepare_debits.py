"""Put together what is collected on one day: each payer once, each item once; a file that was begun is gone on with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
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
    MOST_TRIES,
    CollectionState,
    Consequence,
    DebitBatch,
    DebitCollection,
    DebitPart,
    Mandate,
    MandateState,
    Sequence,
    consequence_of,
    in_bank_letters,
    void_from,
)
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.keep_mandate import creditor_of, end
from tallywatt.workflows.post_entry import post
from tallywatt.workflows.receive_transfer import open_items
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.tell_customer import TELL_DEBIT

if TYPE_CHECKING:
    from tallywatt.kernel.events import Scalar
    from tallywatt.payments.own_books import CustomerHold
    from tallywatt.workflows.ports import UnitOfWork

AT_ONCE: Final = 50
"""Mandates in one transaction: stations wait for the writer meanwhile."""
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
    today = local_date(work.now, work.operators.get().zone)
    day = _day_of(command, today, creditor.notice_days)
    key = (command.key or "").strip() or _free_key(work, f"{today.isoformat()}/{day.isoformat()}")
    batch = work.debit_batches.one_by(batch_key=key)
    if batch is None:
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


def _free_key(work: UnitOfWork, today: str) -> str:
    """The name of today's batch for that day; where nothing of that goes on any more, of the one in its place."""
    key, count = today, 1
    while (before := work.debit_batches.one_by(batch_key=key)) is not None and _is_over(work, before):
        count += 1
        key = f"{today}/{count}"
    return key


def _is_over(work: UnitOfWork, batch: DebitBatch) -> bool:
    never = (CollectionState.REJECTED, CollectionState.CANCELLED)
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
    ids = work.queries.mandates_after(batch.looked_to, AT_ONCE)
    count, total = batch.count, batch.total_minor
    for mandate_id in ids:
        mandate = work.mandates.lock(mandate_id)
        if mandate.state is not MandateState.ACTIVE:
            continue
        if void_from(mandate.signed_on, mandate.used_on) <= today.isoformat():
            end(work, mandate, "unused")
            continue
        asked = _ask(work, batch, mandate, count + 1)
        if asked is not None:
            count, total = count + 1, total + asked.amount_minor
    is_last = len(ids) < AT_ONCE
    after = replace(batch, count=count, total_minor=total, looked_to="" if is_last else ids[-1])
    if is_last and count:
        # One without anything in it stays open: whoever asks again today finds what has become due meanwhile.
        after = replace(after, closed_at=work.machine_now)
        sums = {"message_id": batch.message_id, "collect_on": batch.collect_on, "count": count, "minor": total}
        record_action(work, "debit.prepare", "debit_batch", batch.batch_id, after=sums)
    return work.debit_batches.put(after) if after != batch else batch


def _ask(work: UnitOfWork, batch: DebitBatch, mandate: Mandate, place: int) -> DebitCollection | None:
    items = [
        one
        for one in open_items(work, mandate.customer_id, EUR)
        if (one.due_on or "") <= batch.collect_on and _may_ask(work, mandate, one)
    ]
    if not items:
        return None
    collection_id = work.draw.id(f"collection/{mandate.mandate_id}")
    total = sum(one.open_minor for one in items)
    legs = (Leg(BANK, on_account(mandate.customer_id), total, Phase.PENDING),)
    entry = post(work, Draft("debit_asked", "debit", collection_id, EUR, legs))
    asked = DebitCollection(
        collection_id=collection_id,
        batch_id=batch.batch_id,
        mandate_id=mandate.mandate_id,
        customer_id=mandate.customer_id,
        end_to_end=f"{batch.message_id}-{place:05d}",
        scheme=mandate.scheme,
        sequence=Sequence.FIRST if mandate.used_on is None else Sequence.RECURRENT,
        amount_minor=total,
        currency=EUR,
        remittance=_words(work, items),
        state=CollectionState.ASKED,
        reason=None,
        pending_id=transfer_id(entry, 0),
        transfer_id=None,
        line_id=None,
        return_line_id=None,
        fee_minor=0,
        told_at=None,
        created_at=work.now,
        ended_at=None,
    )
    work.debit_collections.add_new(asked)
    for one in items:
        work.debit_parts.add_new(DebitPart(collection_id, one.payment_id, one.open_minor, is_open=True))
    work.mandates.put(replace(mandate, used_on=batch.collect_on))
    work.jobs.add(Job(TELL_DEBIT, collection_id))
    data: dict[str, Scalar] = {"collection_id": collection_id, "minor": total, "currency": EUR, "on": batch.collect_on}
    work.events.append(Event("customer", mandate.customer_id, "DebitAsked", data))
    return asked


def _may_ask(work: UnitOfWork, mandate: Mandate, item: CustomerHold) -> bool:
    """Not while it is asked for; and after a bank's no with this mandate only where another try may work, once."""
    failed = 0
    for part in work.debit_parts.by(payment_id=item.payment_id):
        if part.is_open:
            return False
        before = work.debit_collections.get(part.collection_id)
        if before.mandate_id != mandate.mandate_id:
            continue
        if before.state in (CollectionState.REJECTED, CollectionState.RETURNED):
            failed += 1
            if consequence_of(before.reason) is Consequence.END:
                return False
    return failed < MOST_TRIES


def _words(work: UnitOfWork, items: list[CustomerHold]) -> str:
    """What the payer reads on the statement: the invoices."""
    numbers = [work.invoices.get(one.invoice_id).number for one in items if one.invoice_id is not None]
    name = work.operators.get().name
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
