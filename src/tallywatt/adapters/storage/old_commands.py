"""Deletes what stations are told and asked as a matter of routine: prices for displays, and the questions of every night."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, delete, exists, or_, select, text, update

from tallywatt.adapters.storage.old_rows import DAY_MS, OldRows, delete_old
from tallywatt.adapters.storage.tables.display import TOLD_PRICES
from tallywatt.adapters.storage.tables.reports import STATION_REPORTS
from tallywatt.adapters.storage.tables.stations import IS_ROUTINE, STATION_COMMANDS
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import RANDOM_BYTES, uuid7
from tallywatt.stations.command import OPEN_STATES

if TYPE_CHECKING:
    from sqlalchemy import BindParameter

    from tallywatt.adapters.storage.unit import SqlUnitOfWork

MOST: Final = 1000
LEAST_DAYS: Final = 2
"""A command is followed for a day at least, whatever the days of the message log."""
BY_ITSELF: Final = ("worker", "janitor", "follower", "gateway")
"""Who asks for commands when no person does, beside a station that has told something. All others' commands stay."""

_commands, _told, _reports = STATION_COMMANDS.table, TOLD_PRICES.table, STATION_REPORTS.table
# Not the column's own name, which an UPDATE of it would take for the new value.
_command: BindParameter[str] = bindparam("ended_id")
# A command's id begins with the time at which it was asked for.
OLD_COMMANDS: Final = OldRows(
    select(_commands.c.command_id.label("ended_id"))
    .where(
        _commands.c.operator_id == bindparam("operator"),
        # Written out, as in the index: a planner does not see that a parameter is what the index is about.
        text(IS_ROUTINE),
        _commands.c.command_id < bindparam("floor"),
        _commands.c.state.not_in([one.value for one in OPEN_STATES]),
        or_(_commands.c.requested_by.in_(BY_ITSELF), _commands.c.requested_by.like("station:%")),
        ~exists().where(
            _reports.c.operator_id == _commands.c.operator_id, _reports.c.command_id == _commands.c.command_id
        ),
    )
    .order_by(_commands.c.command_id)
    .limit(MOST),
    (
        update(_told)
        .where(_told.c.operator_id == bindparam("operator"), _told.c.command_id == _command)
        .values(command_id=None),
        delete(_commands).where(_commands.c.operator_id == bindparam("operator"), _commands.c.command_id == _command),
    ),
)


def forget_commands(work: SqlUnitOfWork, days: int) -> int:
    """Delete commands of all operators that the house gave by itself and that have long ended, some at a time; how many."""
    floor = uuid7(Instant(work.machine_now - max(days, LEAST_DAYS) * DAY_MS), bytes(RANDOM_BYTES))
    return delete_old(work, OLD_COMMANDS, floor=floor)
