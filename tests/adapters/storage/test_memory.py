"""What the writer remembers of rows never says more than the database would."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.adapters.storage.connections import SqliteConnection
from tallywatt.adapters.storage.memory import MOST_ROWS, Memory
from tallywatt.kernel.errors import BadInput, Busy

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork
    from tests.workflows.house_of import HouseOf


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that reach SQLite."""
    seen: list[str] = []
    execute, change = SqliteConnection.execute, SqliteConnection.change

    def telling_execute(self: SqliteConnection, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        seen.append(sql)
        return execute(self, sql, parameters)

    def telling_change(self: SqliteConnection, sql: str, parameters: tuple[Any, ...] = ()) -> int:
        seen.append(sql)
        return change(self, sql, parameters)

    monkeypatch.setattr(SqliteConnection, "execute", telling_execute)
    monkeypatch.setattr(SqliteConnection, "change", telling_change)
    return seen


def renamed(work: UnitOfWork, name: str) -> str:
    """Change one column of the operator."""
    return work.operators.put(replace(work.operators.get(), name=name)).name


def name_of(work: UnitOfWork, _: object = None) -> str:
    """What the operator is called, as a workflow sees it."""
    return work.operators.get().name


def test_only_what_changed_is_written(quick_house: HouseOf, asked: list[str]) -> None:
    """A row of forty columns and five indexes, of which one column changed."""
    quick_house.do(renamed, "Other")

    [update] = [sql for sql in asked if sql.startswith("UPDATE operators")]
    assert update.partition(" WHERE ")[0] == "UPDATE operators SET name=?, version=?"
    assert quick_house.rows.operators.get().name == "Other"


def test_a_row_is_not_read_twice(quick_house: HouseOf, asked: list[str]) -> None:
    """The one writer of SQLite knows what it has read and written."""
    quick_house.do(renamed, "Other")
    asked.clear()

    assert quick_house.do(name_of, None) == "Other"
    assert not [sql for sql in asked if "FROM operators" in sql]


def test_what_a_failed_command_wrote_is_forgotten(quick_house: HouseOf) -> None:
    """Its savepoint was rolled back: the row is again what it was before."""

    def fails(work: UnitOfWork, name: str) -> None:
        renamed(work, name)
        raise BadInput(name)

    before = quick_house.do(name_of, None)
    with pytest.raises(BadInput):
        quick_house.do(fails, "Never")

    assert quick_house.do(name_of, None) == before
    assert quick_house.do(renamed, "After") == "After"
    assert quick_house.rows.operators.get().name == "After"


def test_what_was_not_committed_is_forgotten(quick_house: HouseOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk was full at COMMIT: nothing of the group is there."""
    before = quick_house.do(name_of, None)

    def full(_: SqliteConnection) -> None:
        msg = "database or disk is full"
        raise sqlite3.OperationalError(msg)

    with monkeypatch.context() as patched:
        patched.setattr(SqliteConnection, "commit", full)
        with pytest.raises(Busy) as caught:
            quick_house.do(renamed, "Never")

    assert caught.value.code == "storage.unavailable"
    assert quick_house.do(name_of, None) == before


def test_what_somebody_else_wrote_is_seen(quick_house: HouseOf) -> None:
    """A hand in the database beside the running writer: SQLite counts the commits of others."""
    quick_house.do(name_of, None)

    with sqlite3.connect(quick_house.url.removeprefix("sqlite:///")) as other:
        other.execute("UPDATE operators SET name = 'By hand', version = version + 1")

    assert quick_house.do(name_of, None) == "By hand"


def test_a_row_whose_natural_key_moved_is_asked_for_again(quick_house: HouseOf) -> None:
    """It is remembered under a reference that is no longer its own."""

    def found(work: UnitOfWork, reference: str) -> str | None:
        row = work.customers.one_by(reference=reference)
        return None if row is None else row.customer_id

    def moved(work: UnitOfWork, reference: str) -> None:
        row = work.customers.one_by(reference="C1")
        assert row is not None
        work.customers.put(replace(row, reference=reference))

    known = quick_house.do(found, "C1")
    quick_house.do(moved, "C9")

    assert quick_house.do(found, "C1") is None
    assert quick_house.do(found, "C9") == known


def test_the_memory_is_bounded() -> None:
    """A writer runs for months."""
    memory = Memory()
    for number in range(MOST_ROWS + 1):
        memory.keep(("customers", "op", number), (number,), object())

    assert memory.known(("customers", "op", 0)) is None
    assert memory.known(("customers", "op", MOST_ROWS)) is not None


def test_who_is_at_work_is_not_forgotten_for_those_who_pass() -> None:
    """Ten thousand rows come and go; those that are asked for in between are there still, under their reference as well."""
    memory = Memory()
    working = [("customers", "op", f"works {number}") for number in range(100)]
    for key in working:
        memory.keep(key, (key[2],), object())
        memory.keep_place(("customers", "op", ("reference", key[2])), key)
    for number in range(3 * MOST_ROWS):
        memory.keep(("customers", "op", number), (number,), object())
        if number % 1_000 == 0:
            assert all(memory.known(key) is not None for key in working)

    assert [memory.key_at(("customers", "op", ("reference", key[2]))) for key in working] == working


def test_what_was_written_last_is_what_is_known() -> None:
    """A row of the older half that is written again, and was not asked for in between."""
    memory = Memory()
    memory.keep(("customers", "op", "C1"), ("before",), "before")
    for number in range(MOST_ROWS // 2):
        memory.keep(("customers", "op", number), (number,), object())
    memory.keep(("customers", "op", "C1"), ("now",), "now")

    assert memory.known(("customers", "op", "C1")) == (("now",), "now")
