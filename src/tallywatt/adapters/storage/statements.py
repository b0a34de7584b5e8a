"""Statements written in SQLAlchemy Core, compiled once per dialect, and run on the driver's cursor with plain tuples.

Core at run time costs 9–10 ms a session, the compiled text 0.7 ms; see `docs/decisions/`.
"""

from __future__ import annotations

from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, bindparam, select, update

from tallywatt.adapters.storage.columnwise import insert_columnwise, update_columnwise

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Table
    from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
    from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
    from sqlalchemy.engine import Dialect
    from sqlalchemy.sql import ClauseElement

    from tallywatt.adapters.storage.mapping import Mapping


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


Change = tuple[str, "Callable[[tuple[Any, ...]], tuple[Any, ...]]"]
"""An UPDATE, and how its parameters are taken from (operator, next version, *values)."""


class TableStatements:
    """The compiled statements of one table for one dialect; made on first use, shared by all connections."""

    def __init__(self, mapping: Mapping[Any], dialect: str) -> None:
        self.mapping = mapping
        self.dialect = dialect
        self._by: dict[tuple[bool, tuple[tuple[str, bool], ...]], Statement] = {}
        self._changes: dict[tuple[int, ...], Change] = {}
        self._foreseen: dict[tuple[tuple[str, ...], bool], str] = {}
        table = mapping.table
        self._columns = [table.c[name] for name in mapping.names]
        self._key = [table.c[name] == bindparam(f"key_{place}") for place, name in enumerate(mapping.key)]
        self._mine = table.c.operator_id == bindparam("operator")
        wanted = select(*self._columns).where(self._mine, *self._key)
        self.find = self._compile(wanted)
        assert self.find.names == ("operator", *(f"key_{place}" for place in range(len(self._key)))), self.find.sql
        # SQLite's one writer holds the whole file; PostgreSQL holds the row.
        self.lock = self._compile(wanted.with_for_update())
        self.add = self._compile(inserting(table, dialect).on_conflict_do_nothing())
        if dialect == "postgresql":
            insert_columnwise(self.add.sql, table, self.add.names)
        own = {*mapping.key, "version"} if mapping.versioned else {*mapping.key}
        self.changeable = tuple(place for place, name in enumerate(mapping.names) if name not in own)

    def change(self, places: tuple[int, ...]) -> Change:
        """The statement that writes the columns at these places of a row, and its next version."""
        found = self._changes.get(places)
        if found is None:
            table, names = self.mapping.table, self.mapping.names
            new: dict[str, Any] = {names[place]: bindparam(f"new_{place}") for place in places}
            mine = [self._mine, *self._key]
            if self.mapping.versioned:
                new["version"] = bindparam("next")
                mine.append(table.c.version == bindparam("seen"))
            statement = self._compile(update(table).where(*mine).values(new))
            where = {"operator": 0, "next": 1}
            where |= {f"new_{place}": place + 2 for place in places}
            where |= {f"key_{place}": names.index(name) + 2 for place, name in enumerate(self.mapping.key)}
            if self.mapping.versioned:
                where["seen"] = names.index("version") + 2
            if self.dialect == "postgresql":
                self._change_many(statement, places)
            found = self._changes[places] = (statement.sql, itemgetter(*(where[name] for name in statement.names)))
        return found

    def _change_many(self, statement: Statement, places: tuple[int, ...]) -> None:
        names, key = self.mapping.names, self.mapping.key
        given = {"operator": "by/operator_id", "next": "new/version", "seen": "by/version"}
        given |= {f"new_{place}": f"new/{names[place]}" for place in places}
        given |= {f"key_{place}": f"by/{name}" for place, name in enumerate(key)}
        told = [given[name] for name in statement.names]
        new = [one[4:] for one in told if one.startswith("new/")]
        by = [one[3:] for one in told if one.startswith("by/")]
        update_columnwise(statement.sql, self.mapping.table, new, by, told)

    def by(self, columns: dict[str, Any], *, held: bool = False) -> Statement:
        """The statement that finds rows by equality of these columns, or by their being NULL; and holds them if asked."""
        shape = tuple((name, value is None) for name, value in columns.items())
        found = self._by.get((held, shape))
        if found is None:
            table = self.mapping.table
            tests = [
                table.c[name].is_(None) if null else table.c[name] == bindparam(f"by_{name}") for name, null in shape
            ]
            wanted = select(*self._columns).where(self._mine, *tests)
            found = self._by[held, shape] = self._compile(wanted.with_for_update() if held else wanted)
        return found

    def foreseen(self, names: tuple[str, ...], *, held: bool) -> str:
        """PostgreSQL's question for many values of some columns at once: their lists, then the operator."""
        found = self._foreseen.get((names, held))
        if found is None:
            table = self.mapping.table
            kinds = [f"%s::{'text' if isinstance(table.c[name].type, Text) else 'bigint'}[]" for name in names]
            tests = [f"{table.name}.{name} = wanted.c{place}" for place, name in enumerate(names)]
            # Row by row, by the whole key: whatever the planner believes of the table, it reads no more than was asked for.
            found = self._foreseen[names, held] = (
                f"SELECT found.* FROM unnest({', '.join(kinds)}) AS wanted({', '.join(f'c{at}' for at in range(len(names)))})"
                f" CROSS JOIN LATERAL (SELECT {', '.join(f'{table.name}.{column.name}' for column in self._columns)}"
                f" FROM {table.name} WHERE {table.name}.operator_id = %s AND {' AND '.join(tests)}"
                f" {'FOR UPDATE' if held else 'OFFSET 0'}) AS found"
            )
        return found

    def _compile(self, clause: ClauseElement) -> Statement:
        return Statement(clause, self.dialect)


_STATEMENTS: dict[tuple[str, str], TableStatements] = {}


def statements_of(mapping: Mapping[Any], dialect: str) -> TableStatements:
    """The compiled statements of a table, made once a dialect."""
    found = _STATEMENTS.get((mapping.table.name, dialect))
    if found is None:
        found = _STATEMENTS[mapping.table.name, dialect] = TableStatements(mapping, dialect)
    return found
