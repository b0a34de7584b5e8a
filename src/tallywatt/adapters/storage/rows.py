"""`Records` on a connection: every statement of a table compiled once and kept."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from tallywatt.adapters.storage.statements import Statement
from tallywatt.kernel.errors import NotFound, Stale

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.sql import ClauseElement

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.mapping import Mapping

T = TypeVar("T")


class TableStatements:
    """The compiled statements of one table for one dialect; made on first use, shared by all connections."""

    def __init__(self, mapping: Mapping[Any], dialect: str) -> None:
        self.mapping = mapping
        self.dialect = dialect
        self._by: dict[tuple[bool, tuple[tuple[str, bool], ...]], Statement] = {}
        table = mapping.table
        self._columns = [table.c[name] for name in mapping.names]
        key = [table.c[name] == bindparam(f"key_{place}") for place, name in enumerate(mapping.key)]
        mine = table.c.operator_id == bindparam("operator")
        wanted = select(*self._columns).where(mine, *key)
        self.find = self._compile(wanted)
        # SQLite's one writer holds the whole file; PostgreSQL holds the row.
        self.lock = self._compile(wanted.with_for_update())
        maker = sqlite.insert if dialect == "sqlite" else postgresql.insert
        self.add = self._compile(maker(table).on_conflict_do_nothing())
        changed = [name for name in mapping.names if name not in mapping.key]
        self.put = self._compile(
            update(table)
            .where(mine, *key, *([table.c.version == bindparam("seen")] if mapping.versioned else []))
            .values({name: bindparam(f"new_{name}") for name in changed})
        )
        self.changed = changed

    def by(self, columns: dict[str, Any], *, held: bool = False) -> Statement:
        """The statement that finds rows by equality of these columns, or by their being NULL; and holds them if asked."""
        shape = tuple((name, value is None) for name, value in columns.items())
        found = self._by.get((held, shape))
        if found is None:
            table = self.mapping.table
            tests = [
                table.c[name].is_(None) if null else table.c[name] == bindparam(f"by_{name}") for name, null in shape
            ]
            order = [table.c[name] for name in self.mapping.key]
            mine = table.c.operator_id == bindparam("operator")
            wanted = select(*self._columns).where(mine, *tests).order_by(*order)
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
    """For whom a connection works at the moment."""

    __slots__ = ("connection", "operator")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.operator = ""


class Rows(Generic[T]):
    """The rows of one table, of the operator in the scope."""

    __slots__ = ("_mapping", "_scope", "_statements")

    def __init__(self, scope: Scope, mapping: Mapping[T]) -> None:
        self._scope = scope
        self._mapping = mapping
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
        return self._found(self._first(self._sql.lock, key), key)

    def add(self, row: T) -> bool:
        """Write a new row; False when its key or a natural key is there already."""
        return self._scope.connection.change(self._sql.add.sql, (self._scope.operator, *self._mapping.encode(row))) == 1

    def add_all(self, rows: Iterable[T]) -> int:
        """Write new rows, leaving out those that are there already."""
        values = [(self._scope.operator, *self._mapping.encode(row)) for row in rows]
        return self._scope.connection.change_many(self._sql.add.sql, values) if values else 0

    def put(self, row: T) -> T:
        """Write a changed row over the version that was seen; Stale when somebody was first."""
        mapping, sql = self._mapping, self._sql
        values = dict(zip(mapping.names, mapping.encode(row), strict=True))
        bound: dict[str, Any] = {f"key_{place}": values[name] for place, name in enumerate(mapping.key)}
        bound["operator"] = self._scope.operator
        if mapping.versioned:
            bound["seen"] = values["version"]
            values["version"] += 1
        bound.update((f"new_{name}", values[name]) for name in sql.changed)
        if self._scope.connection.change(sql.put.sql, sql.put.bind(bound)) != 1:
            msg = f"{mapping.table.name} {[values[name] for name in mapping.key]} was changed by somebody else"
            raise Stale(msg)
        return mapping.decode(tuple(values[name] for name in mapping.names))

    def by(self, **columns: str | int | None) -> list[T]:
        """The rows whose columns have these values, in order of key."""
        return self._equal(self._sql.by(columns), columns)

    def lock_by(self, **columns: str | int | None) -> T | None:
        """The only row whose columns have these values, held until the transaction ends, or None."""
        found = self._equal(self._sql.by(columns, held=True), columns)
        assert len(found) <= 1, f"{self._mapping.table.name} by {columns} is not unique"
        return found[0] if found else None

    def _equal(self, statement: Statement, columns: dict[str, str | int | None]) -> list[T]:
        bound = {f"by_{name}": _plain(value) for name, value in columns.items()}
        bound["operator"] = self._scope.operator
        decode = self._mapping.decode
        return [decode(row) for row in self._scope.connection.execute(statement.sql, statement.bind(bound))]

    def one_by(self, **columns: str | int | None) -> T | None:
        """The only row whose columns have these values, or None."""
        found = self.by(**columns)
        assert len(found) <= 1, f"{self._mapping.table.name} by {columns} is not unique"
        return found[0] if found else None

    def _first(self, statement: Statement, key: tuple[str | int, ...]) -> T | None:
        bound: dict[str, Any] = {f"key_{place}": value for place, value in enumerate(key)}
        bound["operator"] = self._scope.operator
        rows = self._scope.connection.execute(statement.sql, statement.bind(bound))
        return self._mapping.decode(rows[0]) if rows else None

    def _found(self, row: T | None, key: tuple[str | int, ...]) -> T:
        if row is None:
            msg = f"there is no row {'/'.join(map(str, key))} in {self._mapping.table.name}"
            raise NotFound(msg, code=f"{self._mapping.table.name}.not_found")
        return row


def _plain(value: Any) -> Any:
    # Drivers have opinions of their own about enums and booleans; the columns hold text and whole numbers.
    if isinstance(value, Enum):
        return value.value
    return int(value) if isinstance(value, bool) else value
