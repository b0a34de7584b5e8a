"""Deletes messages of stations from the log when their days are over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, delete, select

from tallywatt.adapters.storage.old_rows import DAY_MS, OldRows, delete_old
from tallywatt.adapters.storage.tables.reports import MESSAGE_CHUNKS
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import RANDOM_BYTES, uuid7

if TYPE_CHECKING:
    from tallywatt.adapters.storage.unit import SqlUnitOfWork

MOST: Final = 2000

_chunks = MESSAGE_CHUNKS.table
# A chunk's id begins with the time at which it was written down, so the old ones are the first of the primary key.
OLD_CHUNKS: Final = OldRows(
    select(_chunks.c.chunk_id)
    .where(_chunks.c.operator_id == bindparam("operator"), _chunks.c.chunk_id < bindparam("floor"))
    .order_by(_chunks.c.chunk_id)
    .limit(MOST),
    (
        delete(_chunks).where(
            _chunks.c.operator_id == bindparam("operator"), _chunks.c.chunk_id == bindparam("chunk_id")
        ),
    ),
)


def forget_traffic(work: SqlUnitOfWork, days: int) -> int:
    """Delete chunks of all operators that are older than these days, some at a time; how many."""
    floor = uuid7(Instant(work.machine_now - days * DAY_MS), bytes(RANDOM_BYTES))
    return delete_old(work, OLD_CHUNKS, floor=floor)
