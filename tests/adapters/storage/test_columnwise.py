"""Rows that go to PostgreSQL as columns: each value arrives as it was, and no row is changed that another has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, LargeBinary, MetaData, Table, Text

from tallywatt.adapters.storage.columnwise import columnwise, insert_columnwise, update_columnwise
from tallywatt.adapters.storage.connections import PostgresConnection
from tallywatt.adapters.storage.tables.schema import whole

if TYPE_CHECKING:
    from collections.abc import Iterator

NASTY = [
    "",
    "plain",
    '"',
    "\\",
    '\\"',
    "{}",
    "NULL",
    "null",
    "a,b",
    "'",
    " a ",
    "\n\t",
    "\u00e9\u4e2d\U0001f50c",
    "%s",
    '{"a":"b"}',
]
THINGS = Table(
    "things",
    MetaData(),
    Column("operator_id", Text),
    Column("name", Text),
    whole("figure"),
    Column("raw", LargeBinary),
    whole("version"),
)
NAMES = ("operator_id", "name", "figure", "raw", "version")
ADD = "INSERT INTO things VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
CHANGE = "UPDATE things SET figure=%s, raw=%s, version=%s WHERE operator_id = %s AND name = %s AND version = %s"
GIVEN = ("new/figure", "new/raw", "new/version", "by/operator_id", "by/name", "by/version")


@pytest.fixture
def things(postgresql_house_url: str) -> Iterator[PostgresConnection]:
    """A table of every kind of column that tables of ours have."""
    insert_columnwise(ADD, THINGS, NAMES)
    update_columnwise(CHANGE, THINGS, ("figure", "raw", "version"), ("operator_id", "name", "version"), GIVEN)
    connection = PostgresConnection(postgresql_house_url)
    connection.execute(
        "CREATE TEMPORARY TABLE things (operator_id text, name text, figure bigint, raw bytea, version bigint,"
        " UNIQUE (operator_id, name))"
    )
    yield connection
    connection.close()


def test_whatever_a_value_is_it_arrives_as_it_was(things: PostgresConnection) -> None:
    """Quotes, braces, the word NULL, nothing at all: an array is a text, and every text means something in it."""
    rows: list[tuple[Any, ...]] = [("op", text, -(2**63) + at, bytes(range(at)), 1) for at, text in enumerate(NASTY)]
    rows += [("op", "without", None, None, 1), (None, None, 2**63 - 1, b"\\x00", 1)]

    assert things.change_batches([(ADD, rows)]) == [len(rows)]

    key = lambda row: (row[1] is None, row[1])  # noqa: E731  # for two lists
    assert sorted(things.execute("SELECT * FROM things"), key=key) == sorted(rows, key=key)


def test_rows_that_are_there_are_left_out_and_counted_as_such(things: PostgresConnection) -> None:
    """Whether they were there before, or come twice in one statement."""
    things.change_batches([(ADD, [("op", "a", 1, b"", 1), ("op", "b", 1, b"", 1)])])

    assert things.change_batches([(ADD, [("op", "b", 2, b"", 1), ("op", "c", 2, b"", 1), ("op", "c", 3, b"", 1)])]) == [
        1
    ]
    assert things.execute("SELECT name, figure FROM things ORDER BY name") == [("a", 1), ("b", 1), ("c", 2)]


def test_only_rows_of_the_version_that_was_seen_are_changed_and_counted(things: PostgresConnection) -> None:
    """The writer knows by the count that somebody was first."""
    things.change_batches([(ADD, [("op", name, 1, b"", version) for name, version in (("a", 1), ("b", 2), ("c", 1))])])

    changed = things.change_batches([(CHANGE, [(5, b"new", 2, "op", name, 1) for name in ("a", "b", "c", "d")])])

    assert changed == [2]
    found = things.execute("SELECT name, figure, raw, version FROM things ORDER BY name")
    assert found == [("a", 5, b"new", 2), ("b", 1, b"", 2), ("c", 5, b"new", 2)]


@given(st.lists(st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=2))
def test_no_text_ends_an_array(texts: list[str | None]) -> None:
    """Whatever a station or a driver writes: what is inside quotes stays inside."""
    insert_columnwise(ADD, THINGS, NAMES)
    together = columnwise(ADD)
    assert together is not None
    array = together.columns([("op", text, 1, b"", 1) for text in texts])[1]

    assert elements(array) == texts


def test_a_text_that_no_database_holds_is_refused(things: PostgresConnection) -> None:
    """Taken for the sign between two texts, it would move a text of one row into another."""
    with pytest.raises(ValueError, match="number 0"):
        things.change_batches([(ADD, [("op", "a\0b", 1, b"", 1), ("op", "c", 1, b"", 1)])])


def elements(array: str) -> list[str | None]:
    """An array as PostgreSQL reads it."""
    found: list[str | None] = []
    at = 1
    while at < len(array) - 1:
        if array.startswith("NULL", at):
            found.append(None)
            at += 5
            continue
        assert array[at] == '"'
        text, at = "", at + 1
        while array[at] != '"':
            at += array[at] == "\\"
            text += array[at]
            at += 1
        found.append(text)
        at += 2
    return found
