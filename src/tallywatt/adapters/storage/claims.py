"""Claiming jobs: a lease on machine time, so that a worker that dies leaves nothing undone; and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, literal_column, null, or_, select, update

from tallywatt.adapters.storage.statements import Statement, compiled
from tallywatt.adapters.storage.tables.machinery import JOBS
from tallywatt.kernel.clock import Instant
from tallywatt.workflows.jobs import JobState, StoredJob, after_cut, next_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.unit import SqlUnitOfWork
    from tallywatt.kernel.identity import OperatorId

_jobs = JOBS.table
_COLUMNS = [_jobs.c.operator_id, *(_jobs.c[name] for name in JOBS.names)]
_DUE: dict[tuple[str, tuple[str, ...]], Statement] = {}
_LEASE = (
    update(_jobs)
    .where(_jobs.c.operator_id == bindparam("operator"), _jobs.c.job_id == bindparam("id"))
    .values(
        state=JobState.LEASED.value,
        lease_until=bindparam("until"),
        leased_by=bindparam("who"),
        attempts=bindparam("counted"),
        cut_short=bindparam("cut"),
        # What was asked for until now is what this run is for.
        wanted_at=case((_jobs.c.wanted_at > bindparam("now"), _jobs.c.wanted_at), else_=null()),
    )
)
# Whoever lost the lease has nothing to end any more: another worker does the job now, or it was asked for anew.
_OURS = (
    _jobs.c.operator_id == bindparam("operator"),
    _jobs.c.job_id == bindparam("id"),
    _jobs.c.state == JobState.LEASED.value,
    _jobs.c.leased_by == bindparam("who"),
    _jobs.c.lease_until == bindparam("lease"),
)
_END = (
    update(_jobs)
    .where(*_OURS)
    .values(
        state=bindparam("to_state"),
        run_at=bindparam("at"),
        lease_until=None,
        leased_by=None,
        attempts=bindparam("counted"),
        last_error=bindparam("error"),
        cut_short=bindparam("cut"),
    )
)
# It was asked for again while it ran: what ends this run begins the next. A run that is to be tried again is that next one.
_ONCE_MORE = (
    update(_jobs)
    .where(*_OURS, _jobs.c.wanted_at.is_not(None))
    .values(
        state=JobState.READY.value,
        run_at=_jobs.c.wanted_at,
        lease_until=None,
        leased_by=None,
        attempts=0,
        last_error=bindparam("error"),
        wanted_at=None,
        cut_short=0,
    )
)
_HOLDERS = select(_jobs.c.leased_by).where(_jobs.c.state == JobState.LEASED.value).distinct()
_HELD = select(*_COLUMNS).where(_jobs.c.state == JobState.LEASED.value, _jobs.c.leased_by == bindparam("who"))


@dataclass(frozen=True, slots=True)
class Claim:
    """Which kinds of jobs, how many, for how long, by whom."""

    kinds: tuple[str, ...]
    most: int
    lease_seconds: int
    owner: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that is ours until its lease ends."""

    operator_id: OperatorId
    job: StoredJob
    """With this attempt counted, and its lease."""


def claim(work: SqlUnitOfWork, command: Claim) -> list[Claimed]:
    """Take due jobs of any operator, oldest first, also those whose worker let the lease run out."""
    connection = work.connection
    statement = _due(connection.dialect, command.kinds)
    rows = connection.execute(statement.sql, statement.bind({"now": work.machine_now, "most": command.most}))
    until = Instant(work.machine_now + command.lease_seconds * 1000)
    found: list[Claimed] = []
    lease = compiled(_LEASE, connection.dialect)
    for operator, *columns in rows:
        job = JOBS.decode(tuple(columns))
        if job.state is JobState.LEASED:
            held, job = job, after_cut(job, work.machine_now)
            if job.state is JobState.FAILED or job.run_at > work.machine_now:
                _put_back(connection, operator, held, job)
                continue
        if job.is_suspect and found:
            break
        leased = replace(
            job, state=JobState.LEASED, lease_until=until, leased_by=command.owner, attempts=job.attempts + 1
        )
        values = {
            "operator": operator,
            "id": job.job_id,
            "until": until,
            "who": command.owner,
            "counted": leased.attempts,
            "cut": job.cut_short,
            "now": work.machine_now,
        }
        connection.change(lease.sql, lease.bind(values))
        found.append(Claimed(operator, leased))
        if job.is_suspect:
            break
    return found


def _put_back(connection: Connection, operator: str, held: StoredJob, after: StoredJob) -> int:
    """End the lease of a worker that has ended. Two servers that start at once both find it: the second changes nothing."""
    end = compiled(_END, connection.dialect)
    values = {
        "operator": operator,
        "id": held.job_id,
        "who": held.leased_by,
        "lease": held.lease_until,
        "to_state": after.state.value,
        "at": after.run_at,
        "counted": after.attempts,
        "error": after.last_error,
        "cut": after.cut_short,
    }
    return connection.change(end.sql, end.bind(values))


@dataclass(frozen=True, slots=True)
class Ended:
    """A job is done, or has failed and says why. `chance` in [0, 1) spreads the retries."""

    job: StoredJob
    """As it was claimed."""
    error: str | None = None
    chance: float = 0.5
    for_good: bool = False
    after_seconds: int | None = None
    """Not a failure but a wait: run again after so long, however often it takes. It counts as no attempt."""


def end_job(work: SqlUnitOfWork, command: Ended) -> JobState:
    """Write down what became of a claimed job: done, to be run again later, or failed for good and visible."""
    job = command.job
    state, run_at, attempts = JobState.DONE, job.run_at, job.attempts
    if command.error is not None:
        again: int | None = None
        if command.after_seconds is not None:
            again = work.machine_now + command.after_seconds * 1000
            attempts -= 1
        elif not command.for_good:
            again = next_run(attempts, work.machine_now, command.chance)
        state = JobState.FAILED if again is None else JobState.READY
        run_at = run_at if again is None else Instant(again)
    values = {
        "operator": work.operator,
        "id": job.job_id,
        "who": job.leased_by,
        "lease": job.lease_until,
        "counted": attempts,
        "to_state": state.value,
        "at": run_at,
        "error": command.error,
        "cut": 0,
    }
    if state is not JobState.READY:
        once_more = compiled(_ONCE_MORE, work.connection.dialect)
        if work.connection.change(once_more.sql, once_more.bind(values)):
            return JobState.READY
    statement = compiled(_END, work.connection.dialect)
    work.connection.change(statement.sql, statement.bind(values))
    return state


@dataclass(frozen=True, slots=True)
class RunJob:
    """A job that needs nothing of the outside world: its workflow and its end are one transaction."""

    job: StoredJob
    workflow: Callable[[Any, Any], Any]
    command: object


def run_job(work: SqlUnitOfWork, command: RunJob) -> Any:
    """Run the workflow of a job and end the job, all or nothing."""
    result = command.workflow(work, command.command)
    end_job(work, Ended(command.job))
    return result


def free_leases(work: SqlUnitOfWork, is_gone: Callable[[str], bool]) -> int:
    """Give back the leases of workers that have ended, as if they had not begun; how many. The others' run out."""
    connection = work.connection
    holders, held = compiled(_HOLDERS, connection.dialect), compiled(_HELD, connection.dialect)
    gone = [who for (who,) in connection.execute(holders.sql, holders.bind({})) if is_gone(who or "")]
    count = 0
    for who in gone:
        for operator, *columns in connection.execute(held.sql, held.bind({"who": who})):
            job = JOBS.decode(tuple(columns))
            count += _put_back(connection, operator, job, after_cut(job, work.machine_now))
    return count


def _due(dialect: str, kinds: tuple[str, ...]) -> Statement:
    found = _DUE.get((dialect, kinds))
    if found is None:
        clause = (
            select(*_COLUMNS)
            .where(
                # Word for word the condition of the index of due jobs: a parameter could be anything to the planner.
                _jobs.c.state.in_([literal_column("'ready'"), literal_column("'leased'")]),
                _jobs.c.run_at <= bindparam("now"),
                or_(_jobs.c.state == JobState.READY.value, _jobs.c.lease_until <= bindparam("now")),
                _jobs.c.kind.in_(kinds),
            )
            .order_by(_jobs.c.run_at, _jobs.c.job_id)
            .limit(bindparam("most"))
            .with_for_update(skip_locked=True)
        )
        found = _DUE[dialect, kinds] = Statement(clause, dialect)
    return found
