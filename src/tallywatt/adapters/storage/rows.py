"""`Records` on a connection: every statement of a table compiled once and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tallywatt.adapters.storage.memory import LISTED, NOT_KEPT, Memory, plain
from tallywatt.adapters.storage.pending import Pending
from tallywatt.adapters.storage.statements import statements_of
from tallywatt.adapters.storage.sums import ACCOUNTS, COUNTED, Tally
from tallywatt.kernel.errors import NotFound, Stale

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.mapping import Mapping
    from tallywatt.adapters.storage.memory import Known
    from tallywatt.adapters.storage.statements import Statement, TableStatements

T = TypeVar("T")


class Scope:
    """For whom a connection works at the moment, what it knows, and what it has still to write."""

    __slots__ = ("connection", "memory", "operator", "pending", "tally")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.memory = Memory()
        self.pending = Pending(connection)
        self.tally = Tally(connection.dialect)
        self.operator = ""


class Rows(Generic[T]):
    """The rows of one table, of the operator in the scope."""

    __slots__ = ("_counted", "_kept", "_listed", "_mapping", "_name", "_scope", "_statements")

    def __init__(self, scope: Scope, mapping: Mapping[T]) -> None:
        self._scope = scope
        self._mapping = mapping
        self._name = mapping.table.name
        self._kept = self._name not in NOT_KEPT
        self._listed = self._name in LISTED
        self._counted = self._name in COUNTED
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
        if scope.pending.gathers and self._kept and key in memory.absent:
            # It was looked for: if somebody else has added it meanwhile, the group runs again.
            self._add_behind(key, values, self._mapping.decode(values))
            return True
        scope.pending.before_adding(self._name)
        memory.written(self._name)
        added = scope.connection.change(self._sql.add.sql, (scope.operator, *values)) == 1
        memory.absent.discard(key)
        if added and self._counted:
            scope.tally.take(self._name, scope.operator, None, values)
        if added and self._kept:
            memory.keep(key, values, self._mapping.decode(values))
            memory.hold(key)
        return added

    def add_all(self, rows: Iterable[T]) -> int:
        """Write new rows, leaving out those that are there already."""
        assert not self._counted, f"{self._name} is counted, so it must be known which of its rows were added"
        scope, encode = self._scope, self._mapping.encode
        values = [(scope.operator, *encode(row)) for row in rows]
        if not values:
            return 0
        scope.pending.before_adding(self._name)
        scope.memory.written(self._name)
        self._there(values)
        if len(values) == 1:
            return scope.connection.change(self._sql.add.sql, values[0])
        return scope.connection.change_many(self._sql.add.sql, values)

    def add_new(self, row: T) -> None:
        """Write a new row whose key was made for it, at the latest before anybody could miss it; Stale if it was there."""
        scope, memory, values = self._scope, self._scope.memory, self._mapping.encode(row)
        key = self._key_in(values)
        if scope.pending.gathers and self._kept and memory.known(key) is None:
            self._add_behind(key, values, row)
        elif not self.add(row):
            msg = f"{self._name} {list(key[2:])} is there already"
            raise Stale(msg)

    def _add_behind(self, key: tuple[Any, ...], values: tuple[Any, ...], row: T) -> None:
        scope, memory = self._scope, self._scope.memory
        memory.written(self._name)
        scope.pending.new(self._name, self._sql, key, values)
        if self._counted:
            scope.tally.take(self._name, scope.operator, None, values)
        memory.absent.discard(key)
        memory.keep(key, values, row)
        memory.hold(key)

    def note(self, rows: Iterable[T]) -> None:
        """Write rows, leaving out those that are there already, at the latest before anybody could miss them."""
        assert not self._counted, f"{self._name} is counted, so it must be known which of its rows were added"
        scope, encode = self._scope, self._mapping.encode
        if self._name == ACCOUNTS:
            rows = list(rows)
            scope.tally.learn([encode(row) for row in rows])
        if not scope.pending.gathers:
            self.add_all(rows)
            return
        memory = scope.memory
        memory.written(self._name)
        operator = scope.operator
        values = [(operator, *encode(row)) for row in rows]
        if self._mapping.versioned:
            # Those that are changed are few and come again and again: who has noted one once need not do it again.
            values = [one for one in values if memory.first_note(self._key_in(one[1:]))]
        if values:
            self._there(values)
            scope.pending.note(self._name, self._sql, values)

    def put(self, row: T) -> T:
        """Write a changed row over the version that was seen; Stale when somebody was first."""
        mapping, scope = self._mapping, self._scope
        memory, pending = scope.memory, scope.pending
        values = mapping.encode(row)
        key = self._key_in(values)
        memory.written(self._name)
        following = values[-1] + 1 if mapping.versioned else None
        known = memory.known(key) if self._kept else None
        if known is not None and not mapping.versioned and pending.gathers:
            # Nobody looks at what it was, so all of it is written: two half rows would be none.
            pending.change(self._name, self._sql, key, known[0], values, self._sql.changeable)
            if self._counted:
                scope.tally.take(self._name, scope.operator, known[0], values)
            stored = mapping.decode(values)
            memory.keep(key, values, stored)
            return stored
        if known is not None and (not mapping.versioned or known[0][-1] != values[-1]):
            known = None
        if known is not None and pending.gathers:
            values = (*values[:-1], following)
            pending.change(self._name, self._sql, key, known[0], values, self._changed(known, values))
            if self._counted:
                scope.tally.take(self._name, scope.operator, known[0], values)
        else:
            pending.before_changing(self._name, key)
            before = (known[0] if known is not None else self._as_it_is(key)) if self._counted else None
            sql, pick = self._sql.change(self._changed(known, values))
            if scope.connection.change(sql, pick((scope.operator, following, *values))) != 1:
                msg = f"{self._name} {list(key[2:])} was changed by somebody else"
                raise Stale(msg)
            memory.hold(key)
            if mapping.versioned:
                values = (*values[:-1], following)
            if self._counted:
                scope.tally.take(self._name, scope.operator, before, values)
        stored = mapping.decode(values)
        if self._kept:
            memory.keep(key, values, stored)
        return stored

    def change(self, row: T, **columns: Any) -> T:
        """The same as `put` of the row with these columns changed, without looking at all the others."""
        mapping, memory = self._mapping, self._scope.memory
        assert mapping.versioned, "told by columns is what a version was seen of"
        version = row.version  # type: ignore[attr-defined]  # versioned rows have one
        key = (self._name, self._scope.operator, *[plain(getattr(row, name)) for name in mapping.key])
        known = memory.known(key) if self._kept and self._scope.pending.gathers else None
        if known is None or known[0][-1] != version:
            return self.put(mapping.altered(row, columns))
        memory.written(self._name)
        columns["version"] = version + 1
        values, places = list(known[0]), []
        for name, value in columns.items():
            place = mapping.place[name]
            values[place] = mapping.encoded(place, value)
            if type(value) is str:
                columns[name] = values[place]  # without a card number, if there was one
            if place != mapping.place["version"] and values[place] != known[0][place]:
                places.append(place)
        stored, after = mapping.altered(row, columns), tuple(values)
        self._scope.pending.change(self._name, self._sql, key, known[0], after, places)
        if self._counted:
            self._scope.tally.take(self._name, self._scope.operator, known[0], after)
        memory.keep(key, after, stored)
        return stored

    def by(self, **columns: str | int | None) -> list[T]:
        """The rows whose columns have these values, in order of key."""
        decode, scope = self._mapping.decode, self._scope
        place = (scope.operator, *columns.items())
        listed = self._listed and scope.memory.answers
        known = scope.memory.listed(self._name, place) if listed else None
        if known is None:
            known = [decode(values) for values in self._equal(self._sql.by(columns), columns)]
            if listed:
                scope.memory.keep_list(self._name, place, known)
        return list(known)

    def lock_by(self, **columns: str | int | None) -> T | None:
        """The only row whose columns have these values, held until the transaction ends, or None."""
        return self._only(columns, held=True)

    def one_by(self, **columns: str | int | None) -> T | None:
        """The only row whose columns have these values, or None."""
        return self._only(columns, held=False)

    def foresight(
        self, names: tuple[str, ...], wanted: Collection[tuple[str | int, ...]], *, held: bool
    ) -> tuple[str, tuple[Any, ...]]:
        """The statement that asks for many rows which are going to be asked for one by one."""
        if not names:
            return self._sql.find.sql, (self._scope.operator,)
        # Whoever holds many holds them in the same order.
        return self._sql.foreseen(names, held=held), (
            *map(list, zip(*sorted(wanted), strict=True)),
            self._scope.operator,
        )

    def foresee(
        self,
        names: tuple[str, ...],
        wanted: Collection[tuple[str | int, ...]],
        values: Iterable[tuple[Any, ...]],
        *,
        held: bool,
    ) -> None:
        """Learn of the rows that `foresight` has found."""
        scope, memory, mapping = self._scope, self._scope.memory, self._mapping
        places = [mapping.place[name] for name in names]
        found: dict[tuple[Any, ...], list[T]] = {one: [] for one in wanted}
        by_key = names == mapping.key
        natural = by_key or mapping.natural(dict.fromkeys(names, ""))
        for one in values:
            row, key = mapping.decode(one), self._key_in(one)
            memory.keep(key, one, row)
            if held:
                memory.hold(key)
            asked = tuple(one[place] for place in places)
            found[asked].append(row)
            if natural and not by_key:
                memory.keep_place((self._name, scope.operator, *zip(names, asked, strict=True)), key)
        for asked, rows in found.items():
            if self._listed:
                memory.keep_list(self._name, (scope.operator, *zip(names, asked, strict=True)), rows)
            elif by_key and not rows:
                memory.absent.add((self._name, scope.operator, *asked))
            elif natural and not rows:
                memory.keep_nowhere(self._name, (self._name, scope.operator, *zip(names, asked, strict=True)))

    def learn(self, found: Iterable[tuple[Any, ...]]) -> list[T]:
        """Rows that a statement of another kind has read and holds: nobody asks for them again one by one."""
        memory, rows = self._scope.memory, []
        for values in found:
            row, key = self._mapping.decode(values), self._key_in(values)
            memory.keep(key, values, row)
            memory.hold_late(key)
            rows.append(row)
        return rows

    def _as_it_is(self, key: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """The values of a row that nothing is known of; its version is looked at by the statement that changes it."""
        found = self._scope.connection.execute(self._sql.find.sql, key[1:])
        return found[0] if found else None

    def _changed(self, known: Known | None, values: tuple[Any, ...]) -> tuple[int, ...]:
        """The places where a row differs from what is known of the version that it was made from; all, if nothing is."""
        changeable = self._sql.changeable
        if known is None:
            return changeable
        return tuple([place for place in changeable if values[place] != known[0][place]])

    def _only(self, columns: dict[str, str | int | None], *, held: bool) -> T | None:
        """The one row of a natural key. One that is known is not asked for again, as long as it has kept these values."""
        mapping, memory = self._mapping, self._scope.memory
        natural = memory.answers and self._kept and mapping.natural(columns)
        place: tuple[Any, ...] = ()
        if natural:
            place = (self._name, self._scope.operator, *columns.items())
            key = memory.key_at(place)
            known = memory.known(key) if key is not None and (not held or memory.holds(key)) else None
            if known is not None and all(known[0][mapping.place[name]] == value for name, value in columns.items()):
                same: T = known[1]
                return same
            if not held and memory.nowhere(self._name, place):
                return None
        found = self._equal(self._sql.by(columns, held=held), columns)
        assert len(found) <= 1, f"{self._name} by {columns} is not unique"
        if not found:
            return None
        row = mapping.decode(found[0])
        if self._kept:
            key = self._key_in(found[0])
            memory.keep(key, found[0], row)
            if held:
                memory.hold_late(key)
            if natural:
                memory.keep_place(place, key)
        return row

    def _equal(self, statement: Statement, columns: dict[str, str | int | None]) -> list[tuple[Any, ...]]:
        columns = {name: plain(value) for name, value in columns.items()}
        bound = {f"by_{name}": value for name, value in columns.items()}
        bound["operator"] = self._scope.operator
        self._scope.pending.before_asking(self._name, self._scope.operator, columns)
        rows = self._scope.connection.execute(statement.sql, statement.bind(bound))
        if len(rows) > 1:
            # Sorted here: asked for this order, SQLite would walk the whole table by its primary key instead of an index.
            places = self._mapping.key_places
            rows.sort(key=lambda row: [row[place] for place in places])
        return rows

    def _first(self, statement: Statement, key: tuple[str | int, ...], *, held: bool = False) -> T | None:
        scope, memory = self._scope, self._scope.memory
        own = (self._name, scope.operator, *map(plain, key))
        known = memory.known(own) if memory.answers and (not held or memory.holds(own)) else None
        if known is not None:
            same: T = known[1]
            return same
        scope.pending.before_finding(self._name, own)
        if memory.absent and not held and own in memory.absent:
            return None
        # The operator is the first condition of the statement, and the key follows in its order.
        found = scope.connection.execute(statement.sql, own[1:])
        if not found:
            return None
        row = self._mapping.decode(found[0])
        if self._kept:
            memory.keep(own, found[0], row)
            if held:
                memory.hold_late(own)
        return row

    def _there(self, rows: list[tuple[Any, ...]]) -> None:
        """Rows (with their operator) that were not there are there now."""
        absent = self._scope.memory.absent
        if absent:
            absent.difference_update([self._key_in(one[1:]) for one in rows])

    def _key_in(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self._name, self._scope.operator, *[plain(values[place]) for place in self._mapping.key_places])

    def _found(self, row: T | None, key: tuple[str | int, ...]) -> T:
        if row is None:
            msg = f"none of the {self._name.replace('_', ' ')} has the id {'/'.join(map(str, key))}"
            raise NotFound(msg, code=f"{self._name}.not_found")
        return row
