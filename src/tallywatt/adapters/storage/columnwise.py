"""Many rows in one statement on PostgreSQL: each column goes over as one array.

Row by row a statement is bound and run for each of them, on both ends of the line. Arrays are written here as their text, for
the driver looks at every element of a list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, LargeBinary, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import Column, Table

Values = tuple[Any, ...]
_BETWEEN = "\0"
"""No text in PostgreSQL can hold it."""


class Columnwise:
    """A statement that takes the columns of many rows: its text, and how each column is written."""

    __slots__ = ("_written", "sql")

    def __init__(self, sql: str, written: Sequence[Callable[[Sequence[Any]], str]]) -> None:
        self.sql = sql
        self._written = written

    def columns(self, rows: Sequence[Values]) -> tuple[str, ...]:
        """The columns of rows as arrays; ValueError for a text that PostgreSQL cannot hold."""
        return tuple([write(column) for write, column in zip(self._written, zip(*rows, strict=True), strict=True)])


_KNOWN: dict[str, Columnwise] = {}


def columnwise(sql: str) -> Columnwise | None:
    """What does the same as this statement for many rows at once, if there is such a statement."""
    return _KNOWN.get(sql)


def insert_columnwise(sql: str, table: Table, names: Sequence[str]) -> None:
    """Remember how many rows are added by what `sql` adds one by, those left out that are there."""
    columns = [table.c[name] for name in names]
    told = f"INSERT INTO {table.name} ({', '.join(names)}) SELECT * FROM {_unnested(columns)} ON CONFLICT DO NOTHING"
    _remember(sql, told, columns)


def update_columnwise(sql: str, table: Table, new: Sequence[str], by: Sequence[str], given: Sequence[str]) -> None:
    """Remember how many rows are changed by what `sql` changes one by.

    `new` is written where `by` is what it was; a column may be in both. `given` is the order of the parameters, as `new/…` or
    `by/…`. Each row is found by its key and changed at the place where it was found: whatever the planner believes of the
    table, it reads no more than that. A row that somebody else changes meanwhile is at another place then, and is not counted.
    """
    alias = {told: f"c{at}" for at, told in enumerate(given)}
    tests = " AND ".join(f"{table.name}.{name} = given.{alias[f'by/{name}']}" for name in by)
    changes = ", ".join(f"{name} = found.{alias[f'new/{name}']}" for name in new)
    columns = [table.c[told.partition("/")[2]] for told in given]
    told = (
        f"UPDATE {table.name} SET {changes}"
        f" FROM (SELECT given.*, own.place FROM {_unnested(columns)} AS given({', '.join(alias.values())})"
        f" CROSS JOIN LATERAL (SELECT {table.name}.ctid AS place FROM {table.name} WHERE {tests} OFFSET 0) AS own) AS found"
        f" WHERE {table.name}.ctid = found.place"
    )
    _remember(sql, told, columns)


def _remember(sql: str, told: str, columns: Iterable[Column[Any]]) -> None:
    _KNOWN[sql] = Columnwise(told, [_KINDS[_kind(column)] for column in columns])


def _unnested(columns: Iterable[Column[Any]]) -> str:
    return f"unnest({', '.join(f'%s::{_kind(column)}[]' for column in columns)})"


def _kind(column: Column[Any]) -> str:
    if isinstance(column.type, Text):
        return "text"
    if isinstance(column.type, LargeBinary):
        return "bytea"
    assert isinstance(column.type, Integer), f"{column} is of a type that tables of ours do not have"
    return "bigint"


def _texts(column: Sequence[str | None]) -> str:
    if None in column:
        return "{" + ",".join(["NULL" if one is None else _texts((one,))[1:-1] for one in column]) + "}"
    whole = _BETWEEN.join(column)  # type: ignore[arg-type]  # looked at above
    if whole.count(_BETWEEN) != len(column) - 1:
        msg = "a text must not hold the character of number 0"
        raise ValueError(msg)
    return '{"' + whole.replace("\\", "\\\\").replace('"', '\\"').replace(_BETWEEN, '","') + '"}'


def _numbers(column: Sequence[int | None]) -> str:
    return "{" + ",".join(["NULL" if one is None else str(int(one)) for one in column]) + "}"


def _bytes(column: Sequence[bytes | None]) -> str:
    return "{" + ",".join(["NULL" if one is None else f'"\\\\x{one.hex()}"' for one in column]) + "}"


_KINDS: dict[str, Callable[[Sequence[Any]], str]] = {"text": _texts, "bigint": _numbers, "bytea": _bytes}
