"""`Records` on a connection: every statement of a table compiled once and kept."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy import bindparam, select, update

from tallywatt.adapters.storage.memory import NOT_KEPT, Memory, plain
from tallywatt.adapters.storage.statements import Statement, inserting
from tallywatt.kernel.errors import NotFound, Stale

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy.sql import ClauseElement

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.mapping import Mapping

T = TypeVar("T")
Change = tuple[str, "Callable[[tuple[Any, ...]], tuple[Any, ...]]"]
"""An UPDATE, and how its parameters are taken from (operator, next version, *values)."""


class TableStatements:
    """The compiled statements of one table for one dialect; made on first use, shared by all connections."""

    def __init__(self, mapping: Mapping[Any], dialect: str) -> None:
        self.mapping = mapping
        self.dialect = dialect
        self._by: dict[tuple[bool, tuple[tuple[str, bool], ...]], Statement] = {}
        self._changes: dict[tuple[int, ...], Change] = {}
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
            found = self._changes[places] = (statement.sql, itemgetter(*(where[name] for name in statement.names)))
        return found

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

    def _compile(self, clause: ClauseElement) -> Statement:
        return Statement(clause, self.dialect)


_STATEMENTS: dict[tuple[str, str], TableStatements] = {}


def statements_of(mapping: Mapping[Any], dialect: str) -> TableStatements:
    """The compiled statements of a table, made once a dialect."""
    found = _STATEMENTS.get((mapping.table.name, dialect))
    if found is None:
        found = _STATEMENTS[mapping.table.name, dialect] = TableStatements(mapping, dialect)
    return found


class Scope:
    """For whom a connection works at the moment, and what it knows."""

    __slots__ = ("connection", "memory", "operator")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.memory = Memory()
        self.operator = ""


class Rows(Generic[T]):
    """The rows of one table, of the operator in the scope."""

    __slots__ = ("_kept", "_mapping", "_name", "_scope", "_statements")

    def __init__(self, scope: Scope, mapping: Mapping[T]) -> None:
        self._scope = scope
        self._mapping = mapping
        self._name = mapping.table.name
        self._kept = self._name not in NOT_KEPT
        self._statements: TableStatements | None = None

    @property
    def _sql(self) -> TableStatements:
        # Compiled on first use: a start of the program need not pay for tables that it does not touch.
        found = self._statements
        if found is None:
            found = self._statements = statements_of(self._mapping, self._scope.connection.dialect)
        return found

    def find(self, *key: str | int) -> T | None:
        """The row of that key, or None."""
        return self._first(self._sql.find, key)

    def get(self, *key: str | int) -> T:
        """The row of that key, or NotFound."""
        return self._found(self._first(self._sql.find, key), key)

    def lock(self, *key: str | int) -> T:
        """The row of that key, held until the transaction ends, or NotFound."""
        return self._found(self._first(self._sql.lock, key, held=True), key)

    def add(self, row: T) -> bool:
        """Write a new row; False when its key or a natural key is there already."""
        scope, memory, values = self._scope, self._scope.memory, self._mapping.encode(row)
        key = self._key_in(values)
        if memory.answers and memory.known(key) is not None:
            return False
        added = scope.connection.change(self._sql.add.sql, (scope.operator, *values)) == 1
        if added and self._kept:
            memory.keep(key, values, self._mapping.decode(values))
        return added

    def add_all(self, rows: Iterable[T]) -> int:
        """Write new rows, leaving out those that are there already."""
        scope, encode = self._scope, self._mapping.encode
        values = [(scope.operator, *encode(row)) for row in rows]
        if len(values) == 1:
            return scope.connection.change(self._sql.add.sql, values[0])
        return scope.connection.change_many(self._sql.add.sql, values) if values else 0

    def put(self, row: T) -> T:
        """Write a changed row over the version that was seen; Stale when somebody was first."""
        mapping, scope = self._mapping, self._scope
        values = mapping.encode(row)
        key = self._key_in(values)
        sql, pick = self._sql.change(self._changed(key, values))
        following = values[-1] + 1 if mapping.versioned else None
        if scope.connection.change(sql, pick((scope.operator, following, *values))) != 1:
            msg = f"{self._name} {list(key[2:])} was changed by somebody else"
            raise Stale(msg)
        if mapping.versioned:
            values = (*values[:-1], following)
        stored = mapping.decode(values)
        if self._kept:
            scope.memory.keep(key, values, stored)
        return stored

    def by(self, **columns: str | int | None) -> list[T]:
        """The rows whose columns have these values, in order of key."""
        decode = self._mapping.decode
        return [decode(values) for values in self._equal(self._sql.by(columns), columns)]

    def lock_by(self, **columns: str | int | None) -> T | None:
        """The only row whose columns have these values, held until the transaction ends, or None."""
        return self._only(columns, held=True)

    def one_by(self, **columns: str | int | None) -> T | None:
        """The only row whose columns have these values, or None."""
        return self._only(columns, held=False)

    def _changed(self, key: tuple[Any, ...], values: tuple[Any, ...]) -> tuple[int, ...]:
        """The places where a row differs from what is known of the version that it was made from; all, if nothing is."""
        changeable = self._sql.changeable
        known = self._scope.memory.known(key) if self._mapping.versioned else None
        if known is None:
            return changeable
        before, _ = known
        if before[-1] != values[-1]:
            return changeable
        return tuple([place for place in changeable if values[place] != before[place]])

    def _only(self, columns: dict[str, str | int | None], *, held: bool) -> T | None:
        """The one row of a natural key. One that is known is not asked for again, as long as it has kept these values."""
        mapping, memory = self._mapping, self._scope.memory
        natural = memory.answers and (memory.alone or not held) and self._kept and mapping.natural(columns)
        place: tuple[Any, ...] = ()
        if natural:
            place = (self._name, self._scope.operator, *columns.items())
            key = memory.key_at(place)
            known = memory.known(key) if key is not None else None
            if known is not None and all(known[0][mapping.place[name]] == value for name, value in columns.items()):
                same: T = known[1]
                return same
        found = self._equal(self._sql.by(columns, held=held), columns)
        assert len(found) <= 1, f"{self._name} by {columns} is not unique"
        if not found:
            return None
        row = mapping.decode(found[0])
        if self._kept:
            key = self._key_in(found[0])
            memory.keep(key, found[0], row)
            if natural:
                memory.keep_place(place, key)
        return row

    def _equal(self, statement: Statement, columns: dict[str, str | int | None]) -> list[tuple[Any, ...]]:
        bound = {f"by_{name}": plain(value) for name, value in columns.items()}
        bound["operator"] = self._scope.operator
        rows = self._scope.connection.execute(statement.sql, statement.bind(bound))
        if len(rows) > 1:
            # Sorted here: asked for this order, SQLite would walk the whole table by its primary key instead of an index.
            places = self._mapping.key_places
            rows.sort(key=lambda row: [row[place] for place in places])
        return rows

    def _first(self, statement: Statement, key: tuple[str | int, ...], *, held: bool = False) -> T | None:
        scope, memory = self._scope, self._scope.memory
        own = (self._name, scope.operator, *map(plain, key))
        known = memory.known(own) if memory.answers and (memory.alone or not held) else None
        if known is not None:
            same: T = known[1]
            return same
        # The operator is the first condition of the statement, and the key follows in its order.
        found = scope.connection.execute(statement.sql, own[1:])
        if not found:
            return None
        row = self._mapping.decode(found[0])
        if self._kept:
            memory.keep(own, found[0], row)
        return row

    def _key_in(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self._name, self._scope.operator, *[plain(values[place]) for place in self._mapping.key_places])

    def _found(self, row: T | None, key: tuple[str | int, ...]) -> T:
        if row is None:
            msg = f"there is no row {'/'.join(map(str, key))} in {self._name}"
            raise NotFound(msg, code=f"{self._name}.not_found")
        return row
