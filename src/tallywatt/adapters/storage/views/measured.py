"""Views for who watches the installation: queues and lags, over all operators, without a word about anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select

from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.tables import customers, machinery, metering, payments
from tallywatt.payments.operation import UNRESOLVED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.kernel.clock import Instant

_jobs = machinery.JOBS.table
_operators = customers.OPERATORS.table
_inbox = metering.INBOX.table
_sessions = metering.SESSIONS.table
_operations = payments.OPERATIONS.table
_restorations = payments.RESTORATIONS.table
_events = machinery.EVENTS

_EACH = select(_operators.c.operator_id)
# One operator at a time: the index of states begins with it, and a table of a million jobs that are done is not walked.
_JOBS = (
    select(_jobs.c.kind, _jobs.c.state, func.count(), func.min(_jobs.c.run_at))
    .where(_jobs.c.operator_id == bindparam("operator"), _jobs.c.state.in_(("ready", "leased", "failed")))
    .group_by(_jobs.c.kind, _jobs.c.state)
)
_DUE = (
    select(_jobs.c.kind, func.count(), func.min(_jobs.c.run_at))
    .where(_jobs.c.operator_id == bindparam("operator"), _jobs.c.state == "ready", _jobs.c.run_at <= bindparam("now"))
    .group_by(_jobs.c.kind)
)
_OPEN = select(func.count()).where(_inbox.c.operator_id == bindparam("operator"), _inbox.c.state == "open")
_RUNNING = select(func.count()).where(_sessions.c.operator_id == bindparam("operator"), _sessions.c.state == "active")
_ON_THEIR_WAY = (
    select(_operations.c.state, func.count())
    .where(
        _operations.c.operator_id == bindparam("operator"), _operations.c.state.in_([one.value for one in UNRESOLVED])
    )
    .group_by(_operations.c.state)
)
_WAITING = select(func.count()).where(
    _restorations.c.operator_id == bindparam("operator"), _restorations.c.compared_at.is_(None)
)
_UNSEQUENCED = select(func.count(), func.min(_events.c.recorded_at)).where(_events.c.position.is_(None))
_LAST = select(machinery.SEQUENCER.c.last_position).where(machinery.SEQUENCER.c.name == "events")
_CURSORS = select(machinery.CURSORS.c.consumer, machinery.CURSORS.c.position)

Figure = tuple[str, str, dict[str, str], float]


def measured(connection: Connection, now: Instant) -> list[Figure]:
    """Name, sentence, labels and figure of everything that waits."""
    operators = [row[0] for row in _ask(connection, _EACH)]
    return [*_of_jobs(connection, operators, now), *_of_people(connection, operators), *_of_events(connection, now)]


def _of_jobs(connection: Connection, operators: list[str], now: Instant) -> Iterator[Figure]:
    counts: dict[tuple[str, str], int] = {}
    due: dict[str, list[int]] = {}
    for operator in operators:
        for kind, state, jobs, _ in _ask(connection, _JOBS, operator=operator):
            counts[kind, state] = counts.get((kind, state), 0) + jobs
        for kind, jobs, first in _ask(connection, _DUE, operator=operator, now=now):
            known = due.setdefault(kind, [0, now])
            due[kind] = [known[0] + jobs, min(known[1], first)]
    for (kind, state), jobs in sorted(counts.items()):
        yield "jobs", "Jobs that are not done.", {"kind": kind, "state": state}, jobs
    for kind, (jobs, first) in sorted(due.items()):
        yield "jobs_due", "Jobs whose time has come.", {"kind": kind}, jobs
        yield (
            "jobs_oldest_due_seconds",
            "How long the oldest of them waits.",
            {"kind": kind},
            max(now - first, 0) / 1000,
        )


def _of_people(connection: Connection, operators: list[str]) -> Iterator[Figure]:
    totals = dict.fromkeys(("inbox", "running", "restored"), 0)
    states = {one.value: 0 for one in UNRESOLVED}
    for operator in operators:
        totals["inbox"] += _ask(connection, _OPEN, operator=operator)[0][0]
        totals["running"] += _ask(connection, _RUNNING, operator=operator)[0][0]
        totals["restored"] += _ask(connection, _WAITING, operator=operator)[0][0]
        for state, operations in _ask(connection, _ON_THEIR_WAY, operator=operator):
            states[state] += operations
    yield "inbox_open", "What waits for a person.", {}, totals["inbox"]
    yield "sessions_running", "Sessions that go on.", {}, totals["running"]
    yield "restorations_waiting", "Returns from a backup that were not compared yet.", {}, totals["restored"]
    for state, operations in states.items():
        yield "operations_unresolved", "What is on its way with providers.", {"state": state}, operations


def _of_events(connection: Connection, now: Instant) -> Iterator[Figure]:
    waiting, first = _ask(connection, _UNSEQUENCED)[0]
    yield "events_without_position", "Committed events that the sequencer has not taken yet.", {}, waiting
    yield "sequencer_lag_seconds", "Age of the oldest of them.", {}, max(now - first, 0) / 1000 if first else 0
    last = _ask(connection, _LAST)
    for consumer, position in _ask(connection, _CURSORS):
        behind = max((last[0][0] if last else 0) - position, 0)
        yield "consumer_lag_events", "Events that a consumer has not read yet.", {"consumer": consumer}, behind


def _ask(connection: Connection, clause: Any, **values: Any) -> list[tuple[Any, ...]]:
    statement = compiled(clause, connection.dialect)
    return connection.execute(statement.sql, statement.bind(values))
