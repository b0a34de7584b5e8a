"""Views of what waits for a person: the inbox, and jobs that failed."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select

from tallywatt.adapters.storage.tables import machinery, metering, stations
from tallywatt.adapters.storage.views.asking import Question, Row, columns, joined, mine

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select

    from tallywatt.adapters.storage.connections import Connection

_inbox = metering.INBOX.table
_sessions = metering.SESSIONS.table
_stations = stations.STATIONS.table
_jobs = machinery.JOBS.table

ITEM: Select[Any] = (
    select(
        *columns(
            _inbox, "kind", "summary", "state", "station_id", "session_id", "payment_id", "frame_id", "created_at",
            "resolved_at", "resolved_by", "resolution", "detail", id="item_id",
        ),
        *columns(_stations, station="identity"),
        *columns(_sessions, "transaction_id", energy_wh="milliwatt_hours"),
    )
    .select_from(
        _inbox.outerjoin(_stations, joined(_inbox, _stations, "station_id")).outerjoin(
            _sessions, joined(_inbox, _sessions, "session_id")
        )
    )
    .where(mine(_inbox))
)  # fmt: skip

ITEM_FILTERS: dict[str, ColumnElement[bool]] = {
    "state": _inbox.c.state == bindparam("state"),
    "kind": _inbox.c.kind == bindparam("kind"),
    "before": _inbox.c.item_id < bindparam("before"),
}


@lru_cache(maxsize=16)
def _listed(names: tuple[str, ...]) -> Question:
    page = ITEM.where(*(ITEM_FILTERS[name] for name in names)).order_by(_inbox.c.item_id.desc())
    return Question(page.limit(bindparam("most")))


_ITEM = Question(ITEM.where(_inbox.c.item_id == bindparam("of_item")))


def inbox(connection: Connection, operator_id: str, most: int = 50, **filters: str | None) -> Row:
    """A page of the inbox, newest first: `items`, and `next`, the cursor. Filters: `state`, `kind`, `before`."""
    given = {name: value for name, value in filters.items() if value is not None}
    found = _listed(tuple(sorted(given))).rows(connection, operator=operator_id, most=most + 1, **given)
    return {"items": found[:most], "next": found[most - 1]["id"] if len(found) > most else None}


def inbox_item(connection: Connection, operator_id: str, item_id: str) -> Row | None:
    """One item of the inbox, or None."""
    return _ITEM.first(connection, operator=operator_id, of_item=item_id)


JOB: Select[Any] = select(
    *columns(
        _jobs, "kind", "subject_id", "state", "run_at", "lease_until", "leased_by", "attempts", "last_error", "created_at",
        id="job_id",
    )
).where(mine(_jobs))  # fmt: skip
_JOB = Question(JOB.where(_jobs.c.job_id == bindparam("of_job")))
_JOBS = Question(
    JOB.where(_jobs.c.state == bindparam("of_state")).order_by(_jobs.c.run_at, _jobs.c.job_id).limit(bindparam("most"))
)
_OPEN = ("ready", "leased", "failed")
"""Jobs that are done are as many as all that ever happened: counting them would take longer than the rest of the page."""
_COUNTS = Question(
    select(_jobs.c.state, func.count().label("jobs"))
    .where(mine(_jobs), _jobs.c.state.in_(_OPEN))
    .group_by(_jobs.c.state)
)


def jobs(connection: Connection, operator_id: str, state: str = "failed", most: int = 100) -> list[Row]:
    """Jobs in a state; the failed ones wait for somebody who tries them again."""
    return _JOBS.rows(connection, operator=operator_id, of_state=state, most=most)


def job(connection: Connection, operator_id: str, job_id: str) -> Row | None:
    """One job, or None."""
    return _JOB.first(connection, operator=operator_id, of_job=job_id)


def job_counts(connection: Connection, operator_id: str) -> dict[str, int]:
    """How many jobs are ready, leased, and failed."""
    return {row["state"]: row["jobs"] for row in _COUNTS.rows(connection, operator=operator_id)}
