"""Pure: direct debits agree with the books, with the lines of the bank, with their batches and with the items they are for.

It works everything out from the transfers of the books and from the lines, and shares no code with what writes them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from tallywatt.evidence.findings import Finding
from tallywatt.ledger.books import RESOLVING, Phase
from tallywatt.payments.bank import Carrying

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.evidence.held import Held
    from tallywatt.ledger.books import Transfer
    from tallywatt.payments.bank import BankLine
    from tallywatt.payments.debit import DebitCollection

CAME = ("collected", "returned")


def compare_debits(held: Held, codes: dict[str, str], transfers: dict[str, list[Transfer]]) -> Iterator[Finding]:
    """What does not agree."""
    booked: dict[str, list[Transfer]] = defaultdict(list)
    for entry in held.entries:
        if entry.cause_kind == "debit":
            booked[entry.cause_id.partition("/")[0]] += transfers[entry.entry_id]
    unclosed = {one.batch_id for one in held.debit_batches if one.closed_at is None or one.cancelled_at is not None}
    ended = {row.pending_id: row for row in held.transfers if row.phase in RESOLVING}
    parts: Counter[str] = Counter()
    open_parts: Counter[str] = Counter()
    items: dict[str, set[str]] = defaultdict(set)
    for part in held.debit_parts:
        parts[part.collection_id] += part.amount_minor
        open_parts[part.collection_id] += part.is_open
        items[part.collection_id].add(part.payment_id)
    asked_for = {part.payment_id for part in held.debit_parts if part.is_open}
    for one in held.debits:
        # While a batch is put together, the last one in it may not have its sum yet.
        if one.pending_id or one.collection_id in booked or one.batch_id not in unclosed:
            yield from _books(one, codes, booked.pop(one.collection_id, []), ended)
        if parts[one.collection_id] != one.amount_minor:
            says = "it asks for another sum than its items"
            yield Finding("debit.parts", one.collection_id, says, str(parts[one.collection_id]), str(one.amount_minor))
        # Of two that wait for the same item, because the first one did not come after all, one asks for it.
        is_asked = one.state.value == "asked"
        if items[one.collection_id] - asked_for if is_asked else open_parts[one.collection_id]:
            says = "its items are asked for, or free, otherwise than it says"
            yield Finding("debit.parts", one.collection_id, says, str(open_parts[one.collection_id]), one.state.value)
    for name in sorted(booked):
        yield Finding("debit.missing", name, "entries asked for a direct debit that is not there")
    yield from _batches(held)
    yield from _lines(held)


def _books(
    one: DebitCollection, codes: dict[str, str], rows: list[Transfer], ended: dict[str | None, Transfer]
) -> Iterator[Finding]:
    own = f"on_account/customer/{one.customer_id}"
    pending = [row for row in rows if row.phase is Phase.PENDING]
    asked = [(codes.get(row.debit_account_id), codes.get(row.credit_account_id), row.amount_minor) for row in pending]
    # Each time it was taken back that it had come, it waits once more; what waited before has come and gone.
    times = [("bank", own, one.amount_minor)] * (one.revision + 1)
    before = [ended.get(row.transfer_id) for row in pending if row.transfer_id != one.pending_id]
    if (
        asked != times
        or len(before) != one.revision
        or any(row is None or row.phase is not Phase.POST for row in before)
    ):
        yield Finding("debit.books", one.collection_id, "what it asks for does not wait in the books")
    after = ended.get(one.pending_id)
    phase = None if after is None else after.phase
    wanted = {"asked": None, "rejected": Phase.VOID, "cancelled": Phase.VOID}.get(one.state.value, Phase.POST)
    if phase is not wanted or (after is not None and after.amount_minor != one.amount_minor):
        says = "the books know another end of it"
        yield Finding("debit.books", one.collection_id, says, str(wanted), str(phase))
    fees = sum(row.amount_minor for row in rows if codes.get(row.debit_account_id) == "fees/bank")
    fees -= sum(row.amount_minor for row in rows if codes.get(row.credit_account_id) == "fees/bank")
    if fees != one.fee_minor:
        yield Finding("debit.fee", one.collection_id, "another fee is booked", str(fees), str(one.fee_minor))


def _batches(held: Held) -> Iterator[Finding]:
    """A file asks for what its rows say, and none of them is lost."""
    sums: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for one in held.debits:
        sums[one.batch_id] += one.amount_minor
        counts[one.batch_id] += 1
    for batch in held.debit_batches:
        has = (counts[batch.batch_id], sums[batch.batch_id])
        if has != (batch.count, batch.total_minor):
            says = "its file has another count or sum than its rows"
            yield Finding("debit.batch", batch.batch_id, says, str(has), str((batch.count, batch.total_minor)))


def _lines(held: Held) -> Iterator[Finding]:
    """What came and went is what the bank says, to the cent; what is said to have come has its transfer."""
    brought: Counter[str] = Counter()
    transfers = {row.transfer_id: row for row in held.received}
    for one in held.debits:
        if one.line_id is not None:
            brought[one.line_id] += one.amount_minor
        if one.return_line_id is not None:
            brought[one.return_line_id] -= one.amount_minor + one.fee_minor
        transfer = transfers.get(one.transfer_id or "")
        came, back = one.state.value in CAME, one.state.value == "returned"
        if came != (one.line_id is not None) or back != (one.return_line_id is not None):
            yield Finding("debit.line", one.collection_id, "the lines of the bank that belong to it are not there")
        if came and (
            transfer is None
            or (transfer.amount_minor, transfer.customer_id) != (one.amount_minor, one.customer_id)
            or (transfer.returned_at is not None) != back
        ):
            yield Finding("debit.transfer", one.collection_id, "the transfer that it was is not there, or is another")
    for line in held.banked:
        if (line.state.value == "debit") != (line.batch_id is not None):
            yield Finding("debit.line", line.line_id, "it says that it is direct debits, and not which")
        there = brought.pop(line.line_id, 0) + _to_be_carried(held, line)
        # What did not come after all is asked again in pieces: so much of it may still be there.
        least = 0 if line.batch_id is None or line.under_way is Carrying.UNDOING else line.amount_minor
        if not least <= there <= (line.amount_minor if line.batch_id is not None else 0):
            yield Finding("debit.line", line.line_id, "the direct debits that it brings come to another sum")
    for name in sorted(brought):
        yield Finding("debit.line", name, "direct debits came with a line that is not there")


def _to_be_carried(held: Held, line: BankLine) -> int:
    """What has come with a line of payers who are still to be carried."""
    if line.under_way is not Carrying.COLLECTING:
        return 0
    waiting = [one for one in held.debits if one.batch_id == line.batch_id and one.state.value == "asked"]
    groups = (line.debit_groups or "").split()
    return sum(one.amount_minor for one in waiting if f"{one.scheme.value.upper()}-{one.sequence.value}" in groups)
