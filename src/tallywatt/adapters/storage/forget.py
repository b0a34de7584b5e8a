"""Drops what is of no use to anybody any more: challenges that expired long ago, and secrets in old answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, update

from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.tables.customers import ANSWERED_REQUESTS, CHALLENGES

if TYPE_CHECKING:
    from tallywatt.adapters.storage.unit import SqlUnitOfWork

KEPT = 3_600_000
"""Milliseconds after its end that a challenge is kept, so that a late answer is told from a made-up one."""

_EXPIRED = delete(CHALLENGES.table).where(CHALLENGES.table.c.expires_at < bindparam("before"))

_answers = ANSWERED_REQUESTS.table
# `forget_at` stays, so that a caller who asks too late is told so. The index is of those that still have a body.
_TOLD = (
    update(_answers)
    .where(_answers.c.forget_at < bindparam("before"), _answers.c.key_id.is_not(None))
    .values(body="", key_id=None)
)


def forget_challenges(work: SqlUnitOfWork, _: None) -> int:
    """Drop old challenges of all operators; how many. They are handed out to whoever asks, so they must not pile up."""
    statement = compiled(_EXPIRED, work.connection.dialect)
    return work.connection.change(statement.sql, statement.bind({"before": work.machine_now - KEPT}))


def forget_answers(work: SqlUnitOfWork, _: None) -> int:
    """Drop the secrets in old answers of all operators; how many. That the requests were answered stays known."""
    statement = compiled(_TOLD, work.connection.dialect)
    return work.connection.change(statement.sql, statement.bind({"before": work.machine_now}))
