"""Roll-ups: figures that are kept beside the rows that they sum, each event counted once."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from tallywatt.adapters.storage.sequencer import consume_within
from tallywatt.adapters.storage.statements import Statement, inserting
from tallywatt.adapters.storage.tables.machinery import REVENUE_BY_DAY

if TYPE_CHECKING:
    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.unit import SqlUnitOfWork
    from tallywatt.kernel.events import RecordedEvent

REVENUE = "revenue_by_day"
_SUMS = ("sessions", "milliwatt_hours", "net_minor", "tax_minor", "gross_minor")


def roll_up_revenue(work: SqlUnitOfWork, command: None = None) -> int:  # noqa: ARG001  # the shape of a workflow
    """Count sessions that were billed since the last time, by the day of their invoice; how many events were read."""
    return consume_within(work.connection, REVENUE, _count)


def _count(connection: Connection, events: list[RecordedEvent]) -> None:
    statement = _add(connection.dialect)
    for event in events:
        if event.event.type == "SessionBilled":
            data = event.event.data
            row = {name: 1 if name == "sessions" else data[name] for name in _SUMS}
            values: dict[str, Any] = {
                "operator_id": event.operator_id,
                "day": data["issue_date"],
                "currency": data["currency"],
                **row,
            }
            connection.change(statement.sql, statement.bind(values))


@cache
def _add(dialect: str) -> Statement:
    adding = inserting(REVENUE_BY_DAY, dialect)
    table = REVENUE_BY_DAY.c
    return Statement(
        adding.on_conflict_do_update(
            index_elements=["operator_id", "day", "currency"],
            set_={name: table[name] + adding.excluded[name] for name in _SUMS},
        ),
        dialect,
    )
