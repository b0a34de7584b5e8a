"""Direct debits came with a line of the bank: their items are paid, some payers in each transaction.

A file of ten thousand payers is one line. Which groups of it have come is decided at once and held to; who pays is carried
by jobs, in the order of mandates, so that nobody waits for the writer and a crash in the middle goes on behind the last one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.clock import local_date
from tallywatt.kernel.errors import Conflict
from tallywatt.ledger.books import Phase
from tallywatt.ledger.chart import BANK, on_account
from tallywatt.ledger.post import Draft, Leg
from tallywatt.payments.bank import BankLine, Carrying, ToldBankLine
from tallywatt.payments.debit import CollectionState, DebitBatch, DebitCollection, payment_information
from tallywatt.payments.own_books import ReceivedTransfer, TransferFor
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.post_entry import post
from tallywatt.workflows.receive_transfer import settle_item
from tallywatt.workflows.settle_debit import (
    coming_groups,
    decided,
    is_asked,
    is_being_undone,
    refuse_while_carried,
    return_debit,
    tell_ended,
)

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork

CARRY_LINE: Final = "carry_line"
AT_ONCE: Final = 10
"""Payers in one transaction: stations wait for the writer meanwhile."""
MOST_ITEMS: Final = 64
"""Open items after which a transaction ends, for the same reason."""
_MESSAGE: Final = re.compile(r"DD\d{8}-[0-9A-Z]{10}")


@dataclass(frozen=True, slots=True)
class Coming:
    """Which debits have come with a line: groups of a file, or one debit alone."""

    batch_id: str
    groups: tuple[str, ...] = ()
    one: DebitCollection | None = None


def debits_of(work: UnitOfWork, line: ToldBankLine | BankLine) -> Coming | None:
    """What has come with a line, when it is clear: one debit by its name, or all of a group or a file by their sum."""
    if line.amount_minor <= 0 or line.return_code is not None:
        return None
    alone = _by_name(work, line.end_to_end, line) if line.end_to_end else None
    if alone is not None:
        return alone
    words = " ".join(filter(None, (line.batch_ref, line.reference, line.end_to_end, line.remittance)))
    for name in dict.fromkeys(_MESSAGE.findall(words)):
        named = work.debit_batches.one_by(message_id=name)
        found = None if named is None else _by_sum(work, named, line, words)
        if found is not None:
            return found
    return None


def _by_name(work: UnitOfWork, name: str, line: ToldBankLine | BankLine) -> Coming | None:
    """The one debit of that name, when it waits for this sum."""
    one = work.debit_collections.one_by(end_to_end=name)
    if one is None or (one.amount_minor, one.currency) != (line.amount_minor, line.currency):
        return None
    is_cancelled = work.debit_batches.lock(one.batch_id).cancelled_at is not None
    one = work.debit_collections.lock(one.collection_id)
    is_free = is_asked(one) and one.group not in coming_groups(work, one.batch_id)
    return Coming(one.batch_id, one=one) if is_free and not is_cancelled else None


def _by_sum(work: UnitOfWork, batch: DebitBatch, line: ToldBankLine | BankLine, words: str = "") -> Coming | None:
    """All that is asked for with a file, or a group of it that is named or fits. Held: nothing of it is refused meanwhile."""
    batch = work.debit_batches.lock(batch.batch_id)
    if line.currency != batch.currency or batch.cancelled_at is not None or is_being_undone(work, batch.batch_id):
        return None
    taken = coming_groups(work, batch.batch_id)
    sums = {group: minor for group, minor in work.queries.asked_sums(batch.batch_id).items() if group not in taken}
    named = [group for group in sums if payment_information(batch.message_id, group) in words]
    singly: list[tuple[str, ...]] = [(group,) for group in named or sums]
    for groups in singly if named else [tuple(sums), *singly]:
        if sum(sums[one] for one in groups) == line.amount_minor:
            return Coming(batch.batch_id, groups)
    return None


def decide_debit(work: UnitOfWork, line: BankLine, name: str) -> BankLine:
    """A person says which debits a line is: a file or one collection that came, or the one that went back with it."""
    found = work.debit_collections.one_by(end_to_end=name)
    batch = work.debit_batches.one_by(message_id=name)
    if line.amount_minor > 0:
        coming = _by_name(work, name, line) if batch is None else _by_sum(work, batch, line)
        if coming is not None:
            return collect_line(work, line, coming)
    elif found is not None and return_debit(work, replace(line, end_to_end=name)):
        return work.bank_lines.get(line.line_id)
    for of in (found, batch):
        if of is not None:
            refuse_while_carried(work, of.batch_id)
    if line.amount_minor > 0:
        msg = "no debits of that name wait for this sum"
        raise Conflict(msg, code="bank.other_sum", remedy="see: tallywatt debit list")
    msg = "no debit of that name has come with this sum"
    raise Conflict(msg, code="bank.other_sum", remedy="see: tallywatt debit show")


def collect_line(work: UnitOfWork, line: BankLine, coming: Coming) -> BankLine:
    """They came: their items are paid, at once where they are few. A job goes on with those who are many."""
    stored = decided(work, line, coming.batch_id)
    if coming.one is not None:
        _collect(work, stored, coming.one)
    groups = " ".join(coming.groups)
    begun = replace(stored, under_way=Carrying.COLLECTING, debit_groups=groups, carried_to="")
    after = collect_some(work, begun)
    if after.under_way is not None:
        work.jobs.add(Job(CARRY_LINE, line.line_id, {"actor": work.actor}))
    return after


def collect_some(work: UnitOfWork, line: BankLine) -> BankLine:
    """Some more payers of a line; behind the last one, what went back before it came goes back now."""
    groups, after, left = line.groups, line.carried_to or "", AT_ONCE
    while groups and left:
        debits = work.queries.asked_behind(line.batch_id or "", groups[0], after, left)
        carried = _collect_few(work, line, debits)
        if carried == len(debits) < left:
            groups, after = groups[1:], ""
        else:
            after = debits[carried - 1].mandate_id
        left = left - carried if carried == len(debits) else 0
    is_done = False
    if left:
        back = work.queries.back_before(line.line_id, after, left)
        for one in back:
            return_debit(work, work.bank_lines.lock(one))
        is_done, after = len(back) < left, back[-1] if back else ""
    if is_done:
        line = replace(line, under_way=None, debit_groups=None, carried_to=None)
    else:
        line = replace(line, debit_groups=" ".join(groups), carried_to=after)
    return work.bank_lines.put(line)


def _collect_few(work: UnitOfWork, line: BankLine, debits: list[DebitCollection]) -> int:
    """How many of them it was, because some have very many items."""
    items = 0
    for count, one in enumerate(debits, 1):
        items += _collect(work, line, one)
        if items >= MOST_ITEMS:
            return count
    return len(debits)


def _collect(work: UnitOfWork, line: BankLine, debit: DebitCollection) -> int:
    """One payer's; how many items it was asked for with."""
    name = f"debit/{debit.collection_id}/{debit.revision}" if debit.revision else f"debit/{debit.collection_id}"
    transfer = ReceivedTransfer(
        transfer_id=work.draw.id(name),
        transfer_key=name,
        customer_id=debit.customer_id,
        target=TransferFor.ITEMS,
        currency=debit.currency,
        amount_minor=debit.amount_minor,
        left_minor=debit.amount_minor,
        reference=debit.remittance,
        received_on=local_date(line.booked_at, "UTC").isoformat(),
        received_at=work.machine_now,
    )
    work.received_transfers.add_new(transfer)
    leg = Leg(BANK, on_account(debit.customer_id), debit.amount_minor, Phase.POST, debit.pending_id)
    post(work, Draft("transfer_received", "bank_transfer", transfer.transfer_id, debit.currency, (leg,)))
    items = work.queries.asked_with(debit.collection_id)
    for item in items:
        transfer = settle_item(work, transfer, item)
    work.debit_collections.put(
        replace(debit, state=CollectionState.COLLECTED, transfer_id=transfer.transfer_id, line_id=line.line_id)
    )
    work.queries.close_parts(debit.collection_id)
    tell_ended(work, debit, CollectionState.COLLECTED, None)
    return len(items)
