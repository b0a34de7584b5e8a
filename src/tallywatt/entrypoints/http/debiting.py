"""What doors do with direct debits and lines of the bank: put a batch together, make its file, read reports and statements."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any, Final

from tallywatt.entrypoints.http.doors import actor_of
from tallywatt.entrypoints.http.telling import found
from tallywatt.payments.debit import EUR
from tallywatt.wiring import debit_file_of, statement_of, statuses_of
from tallywatt.workflows.end_debits import TakeStatuses, take_statuses
from tallywatt.workflows.prepare_debits import GiveBatch, PrepareDebits, collection_day, give_batch, prepare_debits
from tallywatt.workflows.take_statement import TakeStatement, take_statement

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.payments.debit import DebitBatch
    from tallywatt.wiring import House

MOST_BYTES: Final = 16 * 1024 * 1024
LINES_AT_ONCE: Final = 20
STATUSES_AT_ONCE: Final = 50
MOST_ROWS: Final = 1_000


async def prepared(house: House, caller: Caller, wanted: PrepareDebits) -> DebitBatch:
    """The batch, put together to its end: some mandates in each transaction."""
    while True:
        batch: DebitBatch = await house.write(caller.operator_id, prepare_debits, wanted, actor=actor_of(caller))
        if not batch.looked_to:
            return batch


async def previewed(house: House, caller: Caller, wanted: PrepareDebits) -> dict[str, Any]:
    """What a batch would ask for at this moment, and of whom. Nothing is written down."""
    day = await house.write(caller.operator_id, collection_day, wanted, actor=actor_of(caller))
    due = await house.ask(house.views.debits_due, caller.operator_id, day.collect_on, day.today)
    return {"collect_on": day.collect_on, "currency": EUR, **due}


async def batch_of(house: House, caller: Caller, batch_id: str, most: int = MOST_ROWS) -> dict[str, Any]:
    """A batch with its debits, at most so many; NotFound when there is none."""
    row = await house.ask(house.views.debit_batch, caller.operator_id, batch_id, most)
    return found(row, "batch", "debits.not_found")


async def file_of(house: House, caller: Caller, batch_id: str) -> tuple[str, bytes]:
    """What the file of a batch is called, and the file; that it was fetched is written down."""
    await house.write(caller.operator_id, give_batch, GiveBatch(batch_id), actor=actor_of(caller))
    rows = await house.ask(house.views.debit_file_rows, caller.operator_id, batch_id, house.store.vault)
    assert rows is not None, "it was there when it was given"
    batch, asked = rows
    return f"{batch.message_id}.xml", await asyncio.to_thread(debit_file_of, batch, asked)


async def report_read(house: House, caller: Caller, content: bytes) -> dict[str, int]:
    """Take a bank's report of direct debits."""
    told = await asyncio.to_thread(statuses_of, content)
    digest, rejected, unknown = hashlib.sha256(content).hexdigest(), 0, 0
    for first in range(0, len(told), STATUSES_AT_ONCE):
        command = TakeStatuses(told[first : first + STATUSES_AT_ONCE], digest)
        taken = await house.write(caller.operator_id, take_statuses, command, actor=actor_of(caller))
        rejected, unknown = rejected + taken.rejected, unknown + taken.unknown
    return {"rejected": rejected, "unknown": unknown}


async def statement_read(house: House, caller: Caller, content: bytes) -> dict[str, int]:
    """Take a bank's statement."""
    lines = await asyncio.to_thread(statement_of, content)
    digest, new, known, matched = hashlib.sha256(content).hexdigest(), 0, 0, 0
    for first in range(0, len(lines), LINES_AT_ONCE):
        command = TakeStatement(lines[first : first + LINES_AT_ONCE], digest)
        taken = await house.write(caller.operator_id, take_statement, command, actor=actor_of(caller))
        new, known, matched = new + taken.new, known + taken.known, matched + taken.matched
    return {"new": new, "known": known, "matched": matched}
