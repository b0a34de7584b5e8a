"""What SQLite's planner should believe about a database of ours before anything is in it.

Without statistics it takes the first column of an index for one that tells rows apart. Ours is the operator, whom all rows of a
table share: it would walk a whole table in the order of its key rather than use the index that finds three rows. `ANALYZE` on a
filled database replaces these guesses with the truth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.adapters.storage.connections import connect

if TYPE_CHECKING:
    from tallywatt.adapters.storage.connections import Connection

ROWS = 1_000_000
A_FEW = 10
"""Rows that share an id: readings of a session, allocations of a payment."""
KINDS = 5
"""Values of a closed list: states, kinds, reasons."""
CLOSED_LISTS = frozenset("class currency is_default kind phase provider scope series source state target type".split())


def tell_planner(url: str) -> None:
    """Write statistics for every index, as if the tables were filled."""
    connection = connect(url)
    # What it finds is thrown away, so it need not look at all of a database of a million sessions.
    connection.execute("PRAGMA analysis_limit=1")
    connection.begin()
    try:
        connection.execute("ANALYZE")
        connection.execute("DELETE FROM sqlite_stat1")
        for table, index, unique in _indexes(connection):
            columns = [row[0] for row in connection.execute("SELECT name FROM pragma_index_info(?)", (index,))]
            guess = " ".join(map(str, _guess(columns, unique=bool(unique))))
            connection.change("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)", (table, index, guess))
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    finally:
        connection.close()


def _indexes(connection: Connection) -> list[tuple[str, str, int]]:
    return [
        (table, index, unique)
        for (table,) in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
        for index, unique in connection.execute('SELECT name, "unique" FROM pragma_index_list(?)', (table,))
    ]


def _guess(columns: list[str], *, unique: bool) -> list[int]:
    """How many rows there are, and how many share the first one, two, three … columns of an index."""
    found, left = [ROWS], ROWS
    for place, column in enumerate(columns):
        last = place == len(columns) - 1
        if unique and last:
            left = 1
        elif column in CLOSED_LISTS:
            left = max(left // KINDS, 1)
        elif column != "operator_id":
            left = min(left, A_FEW)
        found.append(left)
    return found
