"""Deletes what has had its time, of all operators and some at a time: the one way by which logs do not grow for ever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.tables.customers import OPERATORS

if TYPE_CHECKING:
    from sqlalchemy import Delete, Select, Update

    from tallywatt.adapters.storage.unit import SqlUnitOfWork

DAY_MS: Final = 86_400_000
_OPERATORS: Final = select(OPERATORS.table.c.operator_id)


@dataclass(frozen=True, slots=True)
class OldRows:
    """Which rows are old, and what is to be done about each.

    `found` is of one `operator`, takes what `delete_old` is given, and ends with a limit: no command of the writer takes long.
    Its columns are the parameters of `changes`, beside the operator; those are carried out in their order.
    """

    found: Select[Any]
    changes: tuple[Delete | Update, ...]

    def names(self) -> list[str]:
        """What the columns of a row are called."""
        return [column.key for column in self.found.selected_columns if column.key is not None]


def delete_old(work: SqlUnitOfWork, rows: OldRows, **limits: object) -> int:
    """Delete such rows of all operators, as many of each as the question allows; how many."""
    connection = work.connection
    operators, found = compiled(_OPERATORS, connection.dialect), compiled(rows.found, connection.dialect)
    names = rows.names()
    old = [
        {"operator": operator, **dict(zip(names, row, strict=True))}
        for (operator,) in connection.execute(operators.sql)
        for row in connection.execute(found.sql, found.bind({"operator": operator, **limits}))
    ]
    if old:
        for clause in rows.changes:
            statement = compiled(clause, connection.dialect)
            connection.change_many(statement.sql, [statement.bind(one) for one in old])
        work.scope.memory.forget()
    return len(old)
