"""Deletes messages of stations from the log when their days are over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, delete, select

from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.tables.customers import OPERATORS
from tallywatt.adapters.storage.tables.reports import MESSAGE_CHUNKS
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import RANDOM_BYTES, uuid7

if TYPE_CHECKING:
    from tallywatt.adapters.storage.unit import SqlUnitOfWork

MOST: Final = 2000
"""Of one operator in one round: no command of the writer takes long."""
DAY_MS: Final = 86_400_000

_chunks = MESSAGE_CHUNKS.table
_OPERATORS = select(OPERATORS.table.c.operator_id)
# A chunk's id begins with the time at which it was written down, so the old ones are the first of the primary key.
_OLD = (
    select(_chunks.c.operator_id, _chunks.c.chunk_id)
    .where(_chunks.c.operator_id == bindparam("operator"), _chunks.c.chunk_id < bindparam("floor"))
    .order_by(_chunks.c.chunk_id)
    .limit(MOST)
)
_GONE = delete(_chunks).where(_chunks.c.operator_id == bindparam("operator"), _chunks.c.chunk_id == bindparam("chunk"))


def forget_traffic(work: SqlUnitOfWork, days: int) -> int:
    """Delete chunks of all operators that are older than these days, some at a time; how many."""
    connection = work.connection
    floor = uuid7(Instant(work.machine_now - days * DAY_MS), bytes(RANDOM_BYTES))
    operators, old, gone = (compiled(one, connection.dialect) for one in (_OPERATORS, _OLD, _GONE))
    rows = [
        gone.bind({"operator": operator, "chunk": chunk})
        for (mine,) in connection.execute(operators.sql)
        for operator, chunk in connection.execute(old.sql, old.bind({"operator": mine, "floor": floor}))
    ]
    if rows:
        connection.change_many(gone.sql, rows)
    return len(rows)
