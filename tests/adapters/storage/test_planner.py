"""Every index is used for what it was made: SQLite must not walk a table because all its rows share the operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.adapters.storage import claims
from tallywatt.adapters.storage.connections import connect
from tallywatt.adapters.storage.debiting import DUE_BY_MANDATE
from tallywatt.adapters.storage.old_commands import OLD_COMMANDS
from tallywatt.adapters.storage.statements import compiled, statements_of
from tallywatt.adapters.storage.unit import (
    LAST_AT,
    LAST_AT_READER,
    MAPPINGS,
    MONITOR_COMMANDS,
    OPEN_AT,
    OWED,
    STATES_BETWEEN,
    UNUSED,
    USED_ON_INVOICE,
)
from tallywatt.adapters.storage.views import attention, charging, money, pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ClauseElement

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.statements import Statement

BY_ONE_COLUMN = sorted(
    (name, [*index.columns][1].name)
    for name, mapping in MAPPINGS.items()
    for index in mapping.table.indexes
    if len(index.columns) > 1
    and next(iter(index.columns)).name == "operator_id"
    and index.dialect_options["sqlite"]["where"] is None
)
"""Tables, and the column that follows the operator in one of their indexes."""


@pytest.fixture
def reader(sqlite_house_url: str) -> Iterator[Connection]:
    """A connection to a migrated database with nothing in it."""
    connection = connect(sqlite_house_url)
    yield connection
    connection.close()


def plan(connection: Connection, statement: Statement) -> str:
    """How SQLite would answer."""
    rows = connection.execute(f"EXPLAIN QUERY PLAN {statement.sql}", tuple("x" for _ in statement.names))
    return "; ".join(str(row[3]) for row in rows)


@pytest.mark.parametrize(("table", "column"), BY_ONE_COLUMN)
def test_rows_are_found_by_the_index_of_their_column(reader: Connection, table: str, column: str) -> None:
    """`work.payments.by(session_id=…)` reads the payments of that session, and no others."""
    statement = statements_of(MAPPINGS[table], "sqlite").by({column: "x"})

    assert f"operator_id=? AND {column}=?" in plan(reader, statement)


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("tokens", ("uid_folded",)),
        ("sessions", ("station_id", "transaction_id")),
        ("sessions", ("source", "upstream_id")),
        ("evses", ("station_id", "number")),
        ("station_commands", ("station_id", "remote_start_id")),
        ("tariff_assignments", ("scope", "scope_id")),
        ("inbox", ("natural_key",)),
        ("stations", ("identity",)),
        ("meter_readings", ("session_id",)),
        ("rated_lines", ("rated_id",)),
    ],
)
def test_natural_keys_are_found_by_their_own_index(reader: Connection, table: str, columns: tuple[str, ...]) -> None:
    """The questions that every start and stop asks."""
    statement = statements_of(MAPPINGS[table], "sqlite").by(dict.fromkeys(columns, "x"))

    assert " AND ".join(f"{column}=?" for column in ("operator_id", *columns)) in plan(reader, statement)


def test_open_sessions_and_states_of_an_evse_are_found_by_the_evse(reader: Connection) -> None:
    """A station with a long history starts as fast as a new one."""
    for clause in (OPEN_AT, LAST_AT, STATES_BETWEEN):
        assert "operator_id=? AND evse_id=?" in plan(reader, compiled(clause, "sqlite"))
    assert "TEMP B-TREE" not in plan(reader, compiled(LAST_AT, "sqlite"))
    assert "evse_id=? AND occurred_at<?" in plan(reader, compiled(STATES_BETWEEN, "sqlite"))


LISTS = {
    "sessions": (charging._listed, [(), ("state",), ("station",), ("evse",), ("customer",), ("token",), ("before",)]),
    "payments": (money._listed_payments, [(), ("state",), ("customer",), ("before",)]),
    "inbox": (attention._listed, [(), ("state",), ("before",)]),
}


@pytest.mark.parametrize(("listed", "names"), [(name, one) for name, (_, all_) in LISTS.items() for one in all_])
def test_a_page_of_a_list_reads_no_more_than_the_page(reader: Connection, listed: str, names: tuple[str, ...]) -> None:
    """In the order of the index, from the cursor on: however many rows there are behind it."""
    steps = plan(reader, compiled(LISTS[listed][0](names)._clause, "sqlite"))

    assert "SCAN" not in steps
    if names != ("evse",):  # an EVSE's own sessions are few enough to be sorted
        assert "TEMP B-TREE" not in steps
    if names not in {(), ("before",)}:
        assert steps.count("operator_id=? AND") > 0
        assert not steps.startswith(f"SEARCH {listed} USING INDEX sqlite_autoindex_{listed}_1 (operator_id=?)")


def test_due_jobs_are_found_among_those_that_wait(reader: Connection) -> None:
    """Millions that are done are never looked at."""
    assert "ix_jobs_due" in plan(reader, claims._due("sqlite", ("send", "print")))


def test_live_sessions_are_found_among_those_that_run(reader: Connection) -> None:
    """The console asks every second."""
    assert "operator_id=? AND state=?" in plan(reader, compiled(pages._LIVE._clause, "sqlite"))


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        (OWED, "ix_customer_holds_live"),
        (USED_ON_INVOICE, "ix_customer_holds_live"),
        (UNUSED, "ix_received_transfers_left"),
    ],
)
def test_what_is_open_is_found_among_what_is_paid(reader: Connection, asked: ClauseElement, index: str) -> None:
    """Whoever has paid a hundred thousand items and owes three is asked about three."""
    assert f"INDEX {index} (operator_id=? AND customer_id=? AND currency=?)" in plan(reader, compiled(asked, "sqlite"))


def test_commands_of_routine_are_found_among_all_others(reader: Connection) -> None:
    """Every session and every night leaves some; what persons asked of stations is never walked through."""
    assert "INDEX ix_station_commands_routine (operator_id=? AND command_id<?)" in plan(
        reader, compiled(OLD_COMMANDS.found, "sqlite")
    )


def test_commands_about_monitors_are_found_from_the_newest_on(reader: Connection) -> None:
    """An alarm is heard in the writer: of a station with thousands of commands a few are read, and none is sorted."""
    steps = plan(reader, compiled(MONITOR_COMMANDS, "sqlite"))

    assert "INDEX ix_station_commands_monitors (operator_id=? AND station_id=? AND requested_at>?)" in steps
    assert "TEMP B-TREE" not in steps


def test_what_is_due_by_mandate_is_found_from_its_payer_on(reader: Connection) -> None:
    """A batch of direct debits reads the open items of its payers, and of what was asked before only what is about them."""
    steps = plan(reader, compiled(DUE_BY_MANDATE, "sqlite"))

    assert "INDEX ix_customer_holds_live (operator_id=? AND customer_id=? AND currency=?)" in steps
    assert steps.count("(operator_id=? AND payment_id=?)") == 3
    assert "SEARCH debit_collections USING INDEX sqlite_autoindex_debit_collections_1" in steps
    assert "SEARCH mandates" in steps
    assert "SCAN" not in steps
    assert "(operator_id=?);" not in steps


def test_what_was_begun_at_a_reader_lately_is_found_without_all_payments(reader: Connection) -> None:
    """It is asked before each payment at a reader, with the reader held."""
    assert "operator_id=? AND created_at>?" in plan(reader, compiled(LAST_AT_READER, reader.dialect))
