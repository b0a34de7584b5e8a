"""Drops what is of no use to anybody any more: challenges that expired long ago, secrets in old answers, and old answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, select, update

from tallywatt.adapters.storage.old_rows import OldRows, delete_old
from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.tables.customers import ANSWERED_REQUESTS, CHALLENGES
from tallywatt.workflows.answer_once import KEPT_SECONDS

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

MOST = 1000
OLD_ANSWERS = OldRows(
    select(_answers.c.caller_id, _answers.c.idempotency_key)
    .where(_answers.c.operator_id == bindparam("operator"), _answers.c.created_at < bindparam("before"))
    .order_by(_answers.c.created_at)
    .limit(MOST),
    (
        delete(_answers).where(
            _answers.c.operator_id == bindparam("operator"),
            _answers.c.caller_id == bindparam("caller_id"),
            _answers.c.idempotency_key == bindparam("idempotency_key"),
        ),
    ),
)


def forget_challenges(work: SqlUnitOfWork, _: None) -> int:
    """Drop old challenges of all operators; how many. They are handed out to whoever asks, so they must not pile up."""
    statement = compiled(_EXPIRED, work.connection.dialect)
    return work.connection.change(statement.sql, statement.bind({"before": work.machine_now - KEPT}))


def forget_answers(work: SqlUnitOfWork, _: None) -> int:
    """Drop the secrets in old answers of all operators; how many. That the requests were answered stays known."""
    statement = compiled(_TOLD, work.connection.dialect)
    return work.connection.change(statement.sql, statement.bind({"before": work.machine_now}))


def thin_answers(work: SqlUnitOfWork, _: None) -> int:
    """Delete answers that nobody asks for again, of all operators, some at a time; how many."""
    return delete_old(work, OLD_ANSWERS, before=work.machine_now - KEPT_SECONDS * 1000)
