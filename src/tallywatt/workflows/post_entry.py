"""Post an entry to the books, inside the transaction of what caused it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.ledger.post import counters_after, rows_of

if TYPE_CHECKING:
    from tallywatt.kernel.identity import EntryId
    from tallywatt.ledger.post import Draft
    from tallywatt.workflows.ports import UnitOfWork


def post(work: UnitOfWork, draft: Draft) -> EntryId:
    """Write the entry of a draft. The same draft again changes nothing; another content under the same cause is a bug."""
    entry, accounts, transfers = rows_of(draft, work.now)
    if not work.entries.add(entry):
        stored = work.entries.get(entry.entry_id)
        assert stored.payload_hash == entry.payload_hash, (
            f"{draft.kind} of {draft.cause_id} was booked with another content"
        )
        return stored.entry_id
    work.accounts.note(accounts)
    for account in accounts:
        if account.constrained:
            held = work.accounts.lock(account.account_id)
            work.accounts.put(counters_after(held, transfers))
    for transfer in transfers:
        work.transfers.add_new(transfer)
    return entry.entry_id
