"""Deletes what stations said on the side, and what their displays were told, when the days of it are over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, bindparam, delete, exists, or_, select, update

from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.tables.customers import OPERATORS
from tallywatt.adapters.storage.tables.display import TOLD_PRICES
from tallywatt.adapters.storage.tables.reports import STATION_NOTICES, STATION_REPORTS
from tallywatt.adapters.storage.tables.stations import STATION_COMMANDS
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import RANDOM_BYTES, uuid7
from tallywatt.stations.command import OPEN_STATES
from tallywatt.stations.display import VENDOR

if TYPE_CHECKING:
    from sqlalchemy import BindParameter

    from tallywatt.adapters.storage.unit import SqlUnitOfWork

MOST: Final = 1000
"""Of one operator in one round: no command of the writer takes long."""
DAY_MS: Final = 86_400_000
LEAST_DAYS: Final = 2
"""A command is followed for a day at least, whatever the days of the message log."""

_OPERATORS = select(OPERATORS.table.c.operator_id)
_notices = STATION_NOTICES.table
_OLD_NOTICES = (
    select(_notices.c.operator_id, _notices.c.station_id, _notices.c.notice_key)
    .where(_notices.c.operator_id == bindparam("operator"), _notices.c.received_at < bindparam("floor"))
    .order_by(_notices.c.received_at)
    .limit(MOST)
)
_NO_NOTICE = delete(_notices).where(
    _notices.c.operator_id == bindparam("operator"),
    _notices.c.station_id == bindparam("station"),
    _notices.c.notice_key == bindparam("notice"),
)
_commands, _told, _reports = STATION_COMMANDS.table, TOLD_PRICES.table, STATION_REPORTS.table
# A command's id begins with the time at which it was asked for. What a person sent to a display stays with all other commands.
_OLD_SHOWN = (
    select(_commands.c.operator_id, _commands.c.command_id)
    .where(
        _commands.c.operator_id == bindparam("operator"),
        _commands.c.name.in_(("CostUpdated", "DataTransfer")),
        or_(_commands.c.name == "CostUpdated", _commands.c.payload.like(f'%"{VENDOR}"%')),
        _commands.c.command_id < bindparam("floor"),
        _commands.c.state.not_in([one.value for one in OPEN_STATES]),
        _commands.c.requested_by.not_like("person:%"),
        _commands.c.requested_by.not_like("key:%"),
        ~exists().where(
            and_(_reports.c.operator_id == _commands.c.operator_id, _reports.c.command_id == _commands.c.command_id)
        ),
    )
    .order_by(_commands.c.command_id)
    .limit(MOST)
)
_of_command: BindParameter[str] = bindparam("command")
_NO_MORE_TOLD = (
    update(_told)
    .where(_told.c.operator_id == bindparam("operator"), _told.c.command_id == _of_command)
    .values(command_id=None)
)
_NO_COMMAND = delete(_commands).where(
    _commands.c.operator_id == bindparam("operator"), _commands.c.command_id == _of_command
)


def forget_notices(work: SqlUnitOfWork, days: int) -> int:
    """Delete notices of all operators that are older than these days, some at a time; how many."""
    connection = work.connection
    floor = work.machine_now - days * DAY_MS
    operators, old, gone = (compiled(one, connection.dialect) for one in (_OPERATORS, _OLD_NOTICES, _NO_NOTICE))
    rows = [
        gone.bind({"operator": operator, "station": station, "notice": notice})
        for (mine,) in connection.execute(operators.sql)
        for operator, station, notice in connection.execute(old.sql, old.bind({"operator": mine, "floor": floor}))
    ]
    if rows:
        connection.change_many(gone.sql, rows)
        work.scope.memory.forget()
    return len(rows)


def forget_shown(work: SqlUnitOfWork, days: int) -> int:
    """Delete commands of all operators that told a display a price, and have long ended, some at a time; how many."""
    connection = work.connection
    floor = uuid7(Instant(work.machine_now - max(days, LEAST_DAYS) * DAY_MS), bytes(RANDOM_BYTES))
    operators, old = compiled(_OPERATORS, connection.dialect), compiled(_OLD_SHOWN, connection.dialect)
    found = [
        {"operator": operator, "command": command}
        for (mine,) in connection.execute(operators.sql)
        for operator, command in connection.execute(old.sql, old.bind({"operator": mine, "floor": floor}))
    ]
    if found:
        for clause in (_NO_MORE_TOLD, _NO_COMMAND):
            statement = compiled(clause, connection.dialect)
            connection.change_many(statement.sql, [statement.bind(one) for one in found])
        work.scope.memory.forget()
    return len(found)
