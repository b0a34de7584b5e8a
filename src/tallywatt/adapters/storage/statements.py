"""Statements written in SQLAlchemy Core, compiled once per dialect, and run on the driver's cursor with plain tuples.

Core at run time costs 9–10 ms a session, the compiled text 0.7 ms; see `docs/decisions/`.
"""

from __future__ import annotations

from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Table
    from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
    from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
    from sqlalchemy.engine import Dialect
    from sqlalchemy.sql import ClauseElement


@cache
def _dialect(name: str) -> Dialect:
    # Each is loaded by who speaks it: PostgreSQL's brings all its drivers along.
    if name == "sqlite":
        from sqlalchemy.dialects.sqlite.base import SQLiteDialect  # noqa: PLC0415  # as said above

        return SQLiteDialect(paramstyle="qmark")
    from sqlalchemy.dialects.postgresql.base import PGDialect  # noqa: PLC0415  # as said above

    return PGDialect(paramstyle="format")  # type: ignore[no-untyped-call]  # SQLAlchemy left it without types


def inserting(table: Table, dialect: str) -> SqliteInsert | PostgresInsert:
    """An INSERT that knows the dialect's ON CONFLICT."""
    if dialect == "sqlite":
        from sqlalchemy.dialects import sqlite  # noqa: PLC0415  # as above

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415  # as above

    return postgresql.insert(table)


class Statement:
    """A compiled statement: its text, and the order of its parameters."""

    __slots__ = ("_fixed", "_pick", "names", "sql")

    def __init__(self, clause: ClauseElement, dialect: str) -> None:
        compiled = clause.compile(dialect=_dialect(dialect))
        self.sql = str(compiled)
        self.names: tuple[str, ...] = tuple(compiled.positiontup or ())  # type: ignore[attr-defined]  # every SQL compiler has it
        self._fixed: dict[str, Any] = dict(compiled.params)
        self._write_out_lists("?" if dialect == "sqlite" else "%s")
        self._pick: Callable[[dict[str, Any]], tuple[Any, ...]] = (
            itemgetter(*self.names) if len(self.names) > 1 else lambda all_: tuple(all_[name] for name in self.names)
        )

    def _write_out_lists(self, mark: str) -> None:
        """Core leaves lists of IN open until it runs a statement; ours are known when it is compiled."""
        names: list[str] = []
        for name in self.names:
            place = f"__[POSTCOMPILE_{name}]"
            if place not in self.sql:
                names.append(name)
                continue
            items = self._fixed.pop(name)
            own = [f"{name}_{number}" for number in range(len(items))]
            self._fixed.update(zip(own, items, strict=True))
            names += own
            self.sql = self.sql.replace(place, ", ".join([mark] * len(items)), 1)
        self.names = tuple(names)

    def bind(self, values: dict[str, Any]) -> tuple[Any, ...]:
        """The parameters in order; literals of the statement keep their own value."""
        return self._pick({**self._fixed, **values})


_COMPILED: dict[tuple[int, str], tuple[ClauseElement, Statement]] = {}


def compiled(clause: ClauseElement, dialect: str) -> Statement:
    """The compiled form of a clause that lives as long as the program (a module's constant)."""
    found = _COMPILED.get((id(clause), dialect))
    if found is None:
        # The clause is kept beside its statement, so that its id cannot be given to another one.
        found = _COMPILED[id(clause), dialect] = (clause, Statement(clause, dialect))
    return found[1]
