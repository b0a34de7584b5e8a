"""What a transaction has still to write: rows that nobody has asked about yet, gathered so that many go out as one.

A group of commands writes the same few tables again and again. What is written behind is written before anybody could miss it:
before a statement that might see it, and always before the commit. Several changes of one row become one.
"""

from __future__ import annotations

from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.sql.visitors import iterate

from tallywatt.adapters.storage.tables.schema import metadata
from tallywatt.kernel.errors import Stale

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sqlalchemy import Table

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.statements import TableStatements

Values = tuple[Any, ...]
Key = tuple[Any, ...]
Batch = tuple[str, list[Values], bool]
"""A statement, its rows, and whether each of them must change exactly one."""

MOST_ROWS = 2_000
"""More than that are written at once: a command that writes a hundred thousand rows needs no memory for them."""


class Change:
    """A row that is there and was changed: the version that was seen, what it is now, and where it differs."""

    __slots__ = ("places", "seen", "values")

    def __init__(self, seen: Values, values: Values, places: set[int]) -> None:
        self.seen = seen
        self.values = values
        self.places = places


class TableChanges:
    """What is still to be written to one table."""

    __slots__ = ("changes", "news", "notes", "statements")

    def __init__(self, statements: TableStatements) -> None:
        self.statements = statements
        self.notes: list[Values] = []
        """Rows that may be there already, with their operator."""
        self.news: dict[Key, Values] = {}
        """Rows that cannot be there, by key, without their operator."""
        self.changes: dict[Key, Change] = {}

    def may_hold(self, operator: str, columns: Mapping[str, Any]) -> bool:
        """Whether a statement that asks for these values would miss something: what was and what will be both count."""
        if not columns:
            return True
        places = self.statements.mapping.place
        where = [places[name] for name in columns]
        own, noted = itemgetter(*where), itemgetter(0, *(place + 1 for place in where))
        given = tuple(columns.values())
        wanted = given if len(given) > 1 else given[0]
        if self.notes and (operator, *given) in map(noted, self.notes):
            return True
        # Another operator's row that is alike costs a statement and does no harm.
        if self.news and wanted in map(own, self.news.values()):
            return True
        return any(own(one.values) == wanted or own(one.seen) == wanted for one in self.changes.values())


class Pending:
    """Everything that one transaction has still to write."""

    __slots__ = ("_connection", "_count", "_later", "_tables", "gathers")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._tables: dict[str, TableChanges] = {}
        self._later: dict[str, list[Values]] = {}
        self._count = 0
        self.gathers = False
        """Whether anything may wait at all: who flushes before the commit says so."""

    def note(self, name: str, statements: TableStatements, rows: list[Values]) -> None:
        """Rows (with their operator) that may be there already; whether they were, nobody asks."""
        self._of(name, statements).notes += rows
        self._counted(len(rows))

    def new(self, name: str, statements: TableStatements, key: Key, values: Values) -> None:
        """A row whose key was made for it."""
        self._of(name, statements).news[key] = values
        self._counted(1)

    def change(
        self, name: str, statements: TableStatements, key: Key, seen: Values, values: Values, places: Iterable[int]
    ) -> None:
        """A row that is known to have been as seen, and is now otherwise at these places."""
        own = self._of(name, statements)
        if key in own.news:
            own.news[key] = values
            return
        before = own.changes.get(key)
        if before is None:
            own.changes[key] = Change(seen, values, set(places))
            self._counted(1)
        else:
            before.values = values
            before.places.update(places)

    def later(self, sql: str, parameters: Values) -> None:
        """A statement of the machinery whose turn comes after all rows, in order of arrival."""
        self._later.setdefault(sql, []).append(parameters)
        self._counted(1)

    def before_asking(self, name: str, operator: str, columns: Mapping[str, Any]) -> None:
        """Write what a question about these columns of a table might miss."""
        own = self._tables.get(name)
        if own is not None and own.may_hold(operator, columns):
            self.flush()

    def before_finding(self, name: str, key: Key) -> None:
        """Write what a question for one key of a table might miss."""
        own = self._tables.get(name)
        if own is None:
            return
        missed = key in own.changes or key in own.news
        if missed or (own.notes and own.may_hold(key[1], dict(zip(own.statements.mapping.key, key[2:], strict=True)))):
            self.flush()

    def before_adding(self, name: str) -> None:
        """Write what decides whether a row may be added: the rows that it refers to, and those that share a natural key."""
        for one in _parents(name):
            found = self._tables.get(one)
            if found is not None and (found.notes or found.news):
                self.flush()
                return
        own = self._tables.get(name)
        if own is None:
            return
        if own.notes or own.news or any(_unique_places(own.statements) & one.places for one in own.changes.values()):
            self.flush()

    def before_changing(self, name: str, key: Key) -> None:
        """Write what was changed of a row before it is written over by itself."""
        own = self._tables.get(name)
        if own is not None and (own.notes or key in own.changes or key in own.news):
            self.flush()

    def flush(self) -> None:
        """Write everything: rows in the order in which they refer to each other, then changes, then what comes last."""
        if not self._count:
            return
        batches = list(self._batches())
        self.forget()
        changed = self._connection.change_batches([(sql, rows) for sql, rows, _ in batches])
        for (sql, rows, exact), count in zip(batches, changed, strict=True):
            if exact and count != len(rows):
                msg = f"somebody else was first: {sql.partition('(')[0].partition(' SET')[0].strip()}"
                raise Stale(msg)

    def forget(self) -> None:
        """The transaction is over, one way or the other."""
        self._tables = {}
        self._later = {}
        self._count = 0

    def _of(self, name: str, statements: TableStatements) -> TableChanges:
        found = self._tables.get(name)
        if found is None:
            found = self._tables[name] = TableChanges(statements)
        return found

    def _counted(self, more: int) -> None:
        self._count += more
        if self._count > MOST_ROWS:
            self.flush()

    def _batches(self) -> Iterable[Batch]:
        tables = sorted(self._tables.items(), key=lambda one: _rank(one[0])) if len(self._tables) > 1 else None
        for _, own in tables or self._tables.items():
            if own.notes:
                yield own.statements.add.sql, own.notes, False
            if own.news:
                yield own.statements.add.sql, [(key[1], *values) for key, values in own.news.items()], True
        for _, own in tables or self._tables.items():
            yield from _updates(own)
        for sql, rows in self._later.items():
            yield sql, rows, False


def _updates(own: TableChanges) -> Iterable[Batch]:
    alike: dict[str, tuple[Callable[[Values], Values], list[Values]]] = {}
    versioned = own.statements.mapping.versioned
    # In the order of their keys: two writers that change the same rows must not wait for each other in a circle.
    for key, one in sorted(own.changes.items(), key=itemgetter(0)) if len(own.changes) > 1 else own.changes.items():
        sql, pick = own.statements.change(tuple(sorted(one.places)))
        values = (one.values[-1], *one.values[:-1], one.seen[-1]) if versioned else (None, *one.values)
        row = pick((key[1], *values))
        alike.setdefault(sql, (pick, []))[1].append(row)
    for sql, (_, rows) in alike.items():
        yield sql, rows, True


@cache
def _ranks() -> dict[str, int]:
    return {one.name: rank for rank, one in enumerate(metadata.sorted_tables)}


def _rank(name: str) -> int:
    return _ranks()[name]


@cache
def _parents(name: str) -> frozenset[str]:
    return frozenset(one.referred_table.name for one in metadata.tables[name].foreign_key_constraints)


_UNIQUE: dict[str, frozenset[int]] = {}


def _unique_places(statements: TableStatements) -> frozenset[int]:
    """The columns on which it depends whether another row may be there."""
    table = statements.mapping.table
    found = _UNIQUE.get(table.name)
    if found is None:
        names = {name for name in _unique_names(table) if name in statements.mapping.place}
        found = _UNIQUE[table.name] = frozenset(statements.mapping.place[name] for name in names)
    return found


def _unique_names(table: Table) -> Iterable[str]:
    for one in (*table.constraints, *table.indexes):
        if isinstance(one, UniqueConstraint) or (isinstance(one, Index) and one.unique):
            yield from (column.name for column in one.columns)
        if isinstance(one, Index) and one.unique and one.info.get("where") is not None:
            yield from (part.name for part in iterate(one.info["where"]) if hasattr(part, "name"))
