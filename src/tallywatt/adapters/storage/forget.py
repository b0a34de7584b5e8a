"""Drops what is of no use to anybody any more: challenges that expired long ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete

from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.tables.customers import CHALLENGES

if TYPE_CHECKING:
    from tallywatt.adapters.storage.unit import SqlUnitOfWork

KEPT = 3_600_000
"""Milliseconds after its end that a challenge is kept, so that a late answer is told from a made-up one."""

_EXPIRED = delete(CHALLENGES.table).where(CHALLENGES.table.c.expires_at < bindparam("before"))


def forget_challenges(work: SqlUnitOfWork, _: None) -> int:
    """Drop old challenges of all operators; how many. They are handed out to whoever asks, so they must not pile up."""
    statement = compiled(_EXPIRED, work.connection.dialect)
    return work.connection.change(statement.sql, statement.bind({"before": work.machine_now - KEPT}))
