"""How a view asks: a select is a constant, its answer are plain dicts that can be shown as JSON.

The name of a column says how it is shown: `…_wh` are milliwatt-hours shown as Wh in a decimal string; `…_at`, `…_from`,
`…_until` are instants shown as RFC 3339; lists, mappings and flags are what their columns say they are.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam

from tallywatt.adapters.storage.mapping import from_json
from tallywatt.adapters.storage.statements import compiled
from tallywatt.kernel.clock import Instant, rfc3339
from tallywatt.kernel.energy import wh

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import ColumnElement, Select, Table

    from tallywatt.adapters.storage.connections import Connection

Row = dict[str, Any]

INSTANTS = ("_at", "_from", "_until")
MOST_ROWS = 1000
"""The longest list that a view returns when nobody asked for fewer."""


class Question:
    """A select with its answer's names. It must live as long as the program: statements are compiled once."""

    __slots__ = ("_clause", "_shown")

    def __init__(self, clause: Select[Any]) -> None:
        self._clause = clause
        self._shown = [(str(column.key), _how(column)) for column in clause.selected_columns]

    def rows(self, connection: Connection, **values: Any) -> list[Row]:
        """All rows of the answer."""
        statement = compiled(self._clause, connection.dialect)
        return [
            {name: _show(value, how) for (name, how), value in zip(self._shown, row, strict=True)}
            for row in connection.execute(statement.sql, statement.bind(values))
        ]

    def first(self, connection: Connection, **values: Any) -> Row | None:
        """The first row, or None."""
        found = self.rows(connection, **values)
        return found[0] if found else None


def _show(value: Any, how: Callable[[Any], Any] | None) -> Any:
    if value is None:
        return None
    if isinstance(value, Decimal):
        value = int(value)  # PostgreSQL adds whole numbers up to a numeric
    return value if how is None else how(value)


def _how(column: ColumnElement[Any]) -> Callable[[Any], Any] | None:
    name: str = column.key or ""
    if name.endswith("_wh"):
        return wh
    if name.endswith(INSTANTS):
        return _instant
    codec: str = getattr(getattr(column, "element", column), "info", {}).get("codec", "")
    return _CODECS.get(codec)


_CODECS: dict[str, Callable[[Any], Any]] = {"json": from_json, "texts": from_json, "flag": bool}


def _instant(value: int) -> str:
    return rfc3339(Instant(value))


def mine(table: Table) -> ColumnElement[bool]:
    """Only rows of the operator who asks: every view of an operator starts with this."""
    return table.c.operator_id == bindparam("operator")


def columns(table: Table, *names: str, **labels: str) -> list[ColumnElement[Any]]:
    """Columns of a table by name, and others under another name: `columns(t, "state", id="session_id")`."""
    return [*(table.c[own].label(shown) for shown, own in labels.items()), *(table.c[name] for name in names)]


def joined(left: Table, right: Table, own: str, other: str | None = None) -> ColumnElement[bool]:
    """The condition under which a row refers to another one of the same operator."""
    return (left.c.operator_id == right.c.operator_id) & (left.c[own] == right.c[other or own])
