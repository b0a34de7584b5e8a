"""Migrated PostgreSQL databases that go from test to test: emptied between two, and dropped if their schema was changed."""

from __future__ import annotations

from itertools import count
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from tests.postgresql import create_database

_numbers = count(1)
# A copy has the catalogue of its template row by row, and whatever changes a table writes such a row anew: that is seen
# in a third of the time that the server takes to spell every constraint.
_SCHEMA = """
    SELECT (SELECT sum(hashtext(oid || '.' || xmin)) FROM pg_class),
           (SELECT sum(hashtext(attrelid || '.' || attnum || '.' || xmin)) FROM pg_attribute),
           (SELECT sum(hashtext(oid || '.' || xmin)) FROM pg_constraint),
           (SELECT sum(hashtext(oid || '.' || xmin)) FROM pg_trigger)
"""
_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class Spares:
    """The databases of one test process."""

    def __init__(self, server: str, template: str) -> None:
        self._server = server
        self._template = template
        self._spare: list[str] = []
        self._lines: dict[str, psycopg.Connection] = {}
        with psycopg.connect(f"{server}{template}", autocommit=True) as connection:
            self._schema = connection.execute(_SCHEMA).fetchone()
            self._tables = [
                row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            ]
            self._rows: dict[str, list[dict[str, Any]]] = {}
            for table in self._tables:
                rows = connection.execute(
                    sql.SQL("SELECT to_jsonb(t) FROM {} t").format(sql.Identifier(table))
                ).fetchall()
                if rows:
                    self._rows[table] = [row[0] for row in rows]
            self._emptying = self._emptied().as_string(connection)

    def url(self, name: str) -> str:
        """The address of a database."""
        return f"{self._server}{name}"

    def take(self) -> str:
        """The name of a database with all tables and nothing in them."""
        if self._spare:
            return self._spare.pop()
        name = f"house_{next(_numbers)}"
        with psycopg.connect(f"{self._server}postgres", autocommit=True) as connection:
            create_database(connection, name, self._template)
        return name

    def give_back(self, name: str) -> None:
        """Empty a database for the next test; drop it if a test has changed its schema."""
        line = self._line(name)
        line.execute(_OTHERS)
        if line.execute(_SCHEMA).fetchone() == self._schema:
            line.execute(self._emptying)
            self._spare.append(name)
            return
        self._lines.pop(name).close()
        with psycopg.connect(f"{self._server}postgres", autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def close(self) -> None:
        """Hang up."""
        for line in self._lines.values():
            line.close()

    def _line(self, name: str) -> psycopg.Connection:
        """A line that is kept: on a new one the server reads anew what it knows of the tables, ten times the work of emptying.

        A test may have cut it, with all others.
        """
        line = self._lines.get(name)
        if line is not None:
            try:
                line.execute("SELECT 1")
            except psycopg.OperationalError:
                line.close()
            else:
                return line
        line = self._lines[name] = psycopg.connect(self.url(name), autocommit=True)
        return line

    def _emptied(self) -> sql.Composed:
        """All that makes a database as it was, told at once; each table on its own would be a way to the server and back."""
        parts = [
            sql.SQL("BEGIN"),
            # No foreign key is looked at meanwhile, so the order of the tables does not matter.
            sql.SQL("SET LOCAL session_replication_role = replica"),
            *(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for table in self._tables),
        ]
        for table, rows in self._rows.items():
            again = sql.SQL("INSERT INTO {0} SELECT * FROM jsonb_populate_recordset(NULL::{0}, {1})")
            parts.append(again.format(sql.Identifier(table), sql.Literal(Jsonb(rows))))
        return sql.SQL("; ").join([*parts, sql.SQL("COMMIT")])
