"""All tables at once, for a SQLite database that is empty: what the migrations make of it, kept as `newest.sql`.

The first start of a newcomer need not load Alembic for that (four tenths of a second). The file is made from the migrations,
never by hand, and a test compares both; after a new revision:

    python -m tallywatt.adapters.storage.migrations.newest
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tallywatt.adapters.storage.connections import connect

if TYPE_CHECKING:
    from tallywatt.adapters.storage.connections import Connection

FILE = Path(__file__).with_name("newest.sql")
BETWEEN = ";\n\n"


def make_tables(url: str) -> bool:
    """Give an empty SQLite database all its tables, in one transaction; False when it is not empty."""
    connection = connect(url)
    try:
        connection.begin()
        if connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1"):
            connection.rollback()
            return False
        for statement in FILE.read_text(encoding="utf-8").split(BETWEEN):
            connection.execute(statement)
        connection.commit()
    finally:
        connection.close()
    return True


def dumped(connection: Connection) -> str:
    """The statements that make the tables of a database again, and the rows that its migrations have put there."""
    made = connection.execute(
        "SELECT name, type, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type DESC, rowid"
    )
    rows = [insert for name, kind, _ in made if kind == "table" for insert in _inserts(connection, name)]
    return BETWEEN.join([*(statement for _, _, statement in made), *rows]) + "\n"


def _inserts(connection: Connection, table: str) -> list[str]:
    columns = [f'"{name}"' for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))]
    values = ", ".join(f"quote({column})" for column in columns)
    return [
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(row)})"
        for row in connection.execute(f"SELECT {values} FROM {table}")  # our own names
    ]


def migrated() -> str:
    """What the migrations make of an empty database."""
    from tallywatt.adapters.storage.migrations import migrate  # noqa: PLC0415  # it asks this module first

    with tempfile.TemporaryDirectory(prefix="tallywatt-") as folder:
        url = f"sqlite:///{folder}/newest.db"
        migrate(url)
        connection = connect(url, read_only=True)
        try:
            return dumped(connection)
        finally:
            connection.close()


if __name__ == "__main__":
    FILE.write_text(migrated(), encoding="utf-8")
