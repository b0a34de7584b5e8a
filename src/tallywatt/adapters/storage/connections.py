"""The two engines behind one small connection: execute a statement, begin, commit, roll back, mark a place."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit

from tallywatt.adapters.storage.columnwise import columnwise
from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence


# The leaves of its indexes stay in memory, and pages that are written often are carried over to the file less often: at most
# 16 MB wait in the write-ahead log.
WRITER_PRAGMAS = ("cache_size=-32768", "wal_autocheckpoint=4000")


class CommitUnanswered(Exception):
    """The line was lost while a commit was on its way: it may have happened, and it may not."""

    def __init__(self, transaction: str) -> None:
        super().__init__(f"no answer to the commit of transaction {transaction}")
        self.transaction = transaction


class Connection(Protocol):
    """One connection of one thread. Statements are compiled text; parameters are tuples."""

    dialect: str

    def execute(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows (none for one that returns none)."""
        ...

    def ask_all(self, questions: Sequence[tuple[str, tuple[Any, ...]]]) -> list[list[tuple[Any, ...]]]:
        """Run questions of which none waits for the answer of another; the rows of each."""
        ...

    def change(self, sql: str, parameters: tuple[Any, ...] = ()) -> int:
        """Run a statement and return how many rows it changed."""
        ...

    def change_many(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> int:
        """Run a statement for each row; how many rows were changed in all."""
        ...

    def change_batches(self, batches: Sequence[tuple[str, Sequence[tuple[Any, ...]]]]) -> list[int]:
        """Run statements, each for its rows, one after the other; how many rows each of them changed in all."""
        ...

    def begin(self) -> None:
        """Open a transaction for writing."""
        ...

    def snapshot(self) -> None:
        """Let all that is read from now on be of one moment, until `rollback`."""
        ...

    def commit(self) -> None:
        """Make it durable. CommitUnanswered when the line was lost before it was known whether it is."""
        ...

    def was_committed(self, transaction: str) -> bool | None:
        """What became of a transaction whose commit had no answer; None while nobody knows."""
        ...

    def rollback(self) -> None:
        """Undo it, if one is open."""
        ...

    def in_transaction(self) -> bool:
        """Whether a transaction is open: the engine may have ended it by itself."""
        ...

    def changed_by_others(self) -> bool:
        """Whether anybody else may have written since this was last asked."""
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...


class SqliteConnection:
    """SQLite as RULES §2 wants it: WAL, synchronous FULL, explicit transactions, foreign keys on."""

    dialect = "sqlite"

    def __init__(self, path: str, *, read_only: bool = False) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
        self._cursor = self._connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=5000",
            "temp_store=MEMORY",
        ):
            self._cursor.execute(f"PRAGMA {pragma}")
        for pragma in ("query_only=ON",) if read_only else WRITER_PRAGMAS:
            self._cursor.execute(f"PRAGMA {pragma}")
        self._version = 0

    def execute(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        return self._cursor.execute(sql, parameters).fetchall()

    def ask_all(self, questions: Sequence[tuple[str, tuple[Any, ...]]]) -> list[list[tuple[Any, ...]]]:
        """Run questions one after the other: there is no line to wait for."""
        return [self.execute(sql, parameters) for sql, parameters in questions]

    def change(self, sql: str, parameters: tuple[Any, ...] = ()) -> int:
        """Run a statement and return how many rows it changed."""
        return self._cursor.execute(sql, parameters).rowcount

    def change_many(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> int:
        """Run a statement for each row."""
        return self._cursor.executemany(sql, rows).rowcount

    def change_batches(self, batches: Sequence[tuple[str, Sequence[tuple[Any, ...]]]]) -> list[int]:
        """Run statements, each for its rows."""
        return [self.change(sql, rows[0]) if len(rows) == 1 else self.change_many(sql, rows) for sql, rows in batches]

    def begin(self) -> None:
        """Take the write lock at once: a lock that is upgraded later can fail."""
        self._cursor.execute("BEGIN IMMEDIATE")

    def snapshot(self) -> None:
        """The moment is that of the first question."""
        if not self._connection.in_transaction:
            self._cursor.execute("BEGIN")

    def commit(self) -> None:
        """Make it durable."""
        self._cursor.execute("COMMIT")

    def was_committed(self, transaction: str) -> bool | None:  # noqa: ARG002  # there is no line that could be lost
        """Never asked: the file is in the same machine, and its answer cannot get lost on the way."""
        return None

    def rollback(self) -> None:
        """Undo it, if one is open."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def in_transaction(self) -> bool:
        """False also after SQLite rolled everything back by itself (a full disk inside a savepoint)."""
        return self._connection.in_transaction

    def changed_by_others(self) -> bool:
        """SQLite counts the commits of other connections."""
        seen = self._version
        self._version = self._cursor.execute("PRAGMA data_version").fetchone()[0]
        return seen != self._version

    def backup(self, path: str) -> None:
        """Copy the whole database, online, to another file."""
        with sqlite3.connect(path) as copy:
            self._connection.backup(copy)

    def close(self) -> None:
        """Give the connection back, and the write lock with it.

        SQLite keeps a closed connection, and its transaction, as long as anybody holds one of its statements: a traceback is
        enough, and nobody could write any more.
        """
        with suppress(sqlite3.Error):
            self._cursor.close()
            self.rollback()
        self._connection.close()


# A statement that was planned while a table was empty must not walk it when it has grown; and who writes gains nothing from
# code that is compiled for a question.
WRITER_SETTINGS = ("enable_seqscan = off", "jit = off")
NUMBER_OF_THIS = "SELECT pg_current_xact_id_if_assigned()::text"
WHAT_BECAME = "SELECT pg_xact_status(%s::xid8)"
END_IF_IT_RUNS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_xid = (%s::xid8)::xid"


class PostgresConnection:
    """PostgreSQL at READ COMMITTED; statements are prepared by the driver after a few uses."""

    dialect = "postgresql"

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        import psycopg  # noqa: PLC0415  # a tenth of the start, which SQLite does not need

        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        self._connection.read_only = read_only or None
        self._connection.prepare_threshold = 2
        # More than one session's statements; at its default of 100 the driver would prepare some of them again and again.
        self._connection.prepared_max = 1000
        self._open = psycopg.pq.TransactionStatus.INTRANS
        self._lost = psycopg.OperationalError
        self._changes = False
        self._number: str | None = None
        self._cursor = self._connection.cursor()
        # The driver says the first only where it opens the transaction, and here it opens none.
        for setting in ("default_transaction_read_only = on",) if read_only else WRITER_SETTINGS:
            self._cursor.execute(f"SET {setting}")
        self._connection.autocommit = read_only

    def execute(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        self._changes = self._changes or not sql.startswith("SELECT")
        return _rows(self._cursor.execute(sql, parameters or None))

    def ask_all(self, questions: Sequence[tuple[str, tuple[Any, ...]]]) -> list[list[tuple[Any, ...]]]:
        """Run questions in one pipeline; the transaction is opened on the same way."""
        if len(questions) == 1 and self.in_transaction():
            return [self.execute(*questions[0])]
        with self._connection.pipeline():
            cursors = [self._connection.cursor().execute(sql, parameters or None) for sql, parameters in questions]
        return [_rows(cursor) for cursor in cursors]

    def change(self, sql: str, parameters: tuple[Any, ...] = ()) -> int:
        """Run a statement and return how many rows it changed."""
        self._changes = True
        return self._cursor.execute(sql, parameters or None).rowcount

    def change_many(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> int:
        """Run a statement for each row, in one pipeline."""
        self._changes = True
        self._cursor.executemany(sql, rows)
        return self._cursor.rowcount

    def change_batches(self, batches: Sequence[tuple[str, Sequence[tuple[Any, ...]]]]) -> list[int]:
        """Run statements, each for its rows, without waiting for any before the last."""
        self._changes = True
        cursors = []
        with self._connection.pipeline():
            for sql, rows in batches:
                cursor = self._connection.cursor()
                together = columnwise(sql) if len(rows) > 1 else None
                if together is not None:
                    cursor.execute(together.sql, together.columns(rows))
                elif len(rows) == 1:
                    cursor.execute(sql, rows[0])
                else:
                    cursor.executemany(sql, rows)
                cursors.append(cursor)
            number = self._connection.cursor().execute(NUMBER_OF_THIS)
        self._number = number.fetchone()[0]  # type: ignore[index]  # it always has one row
        return [cursor.rowcount for cursor in cursors]

    def begin(self) -> None:
        """The driver opens the transaction with the first statement."""
        self._changes = False
        self._number = None

    def snapshot(self) -> None:
        """For a connection that only reads: it has no transaction by itself."""
        if not self.in_transaction():
            self._cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def commit(self) -> None:
        """Make it durable. Its number is asked for before: with it, any other connection can find out what became of it.

        What was written last has usually brought it along.
        """
        number = self._number
        if number is None and self._changes and self.in_transaction():
            number = self.execute(NUMBER_OF_THIS)[0][0]
        try:
            self._connection.commit()
        except self._lost as error:
            if number is None or not self._connection.closed:
                raise
            raise CommitUnanswered(number) from error

    def was_committed(self, transaction: str) -> bool | None:
        """What became of it, by the server's own record. One whose line is lost and that still runs is ended first."""
        self._cursor.execute(END_IF_IT_RUNS, (transaction,))
        found = self._cursor.execute(WHAT_BECAME, (transaction,)).fetchone()
        self._connection.rollback()
        return None if found is None else {"committed": True, "aborted": False}.get(found[0])

    def rollback(self) -> None:
        """Undo it, if one is open."""
        if not self._connection.closed:
            self._connection.rollback()

    def in_transaction(self) -> bool:
        """Whether a transaction is open and usable."""
        return self._connection.info.transaction_status == self._open

    def changed_by_others(self) -> bool:
        """Always to be reckoned with."""
        return True

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


def _rows(cursor: Any) -> list[tuple[Any, ...]]:
    """What a statement brought, if it brings anything; the driver's own `description` costs as much as reading the rows."""
    result = cursor.pgresult
    return cursor.fetchall() if result is not None and result.nfields else []


def database_errors() -> tuple[type[Exception], ...]:
    """What the engines of this process raise: a driver that was never loaded has raised nothing."""
    psycopg = sys.modules.get("psycopg")
    return (sqlite3.Error,) if psycopg is None else (sqlite3.Error, psycopg.Error)


def world_errors() -> tuple[type[Exception], ...]:
    """Those among them that are the world's fault and may pass: a full disk, a lost connection, a deadlock, a lock."""
    psycopg = sys.modules.get("psycopg")
    return (sqlite3.OperationalError,) if psycopg is None else (sqlite3.OperationalError, psycopg.OperationalError)


_PASSING_OF_SQLITE = frozenset(
    {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN}
)
_LOWEST_BYTE = 0xFF


def may_pass(error: Exception) -> bool:
    """Whether the same question may be answered in a moment: the line was lost, the server restarts, the file is busy.

    Not one that no database would ever answer: that is a fault of ours, and must be seen as one.
    """
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) & _LOWEST_BYTE in _PASSING_OF_SQLITE
    psycopg = sys.modules.get("psycopg")
    return psycopg is not None and isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))


def is_sqlite(url: str) -> bool:
    """Whether a database URL names an SQLite file."""
    return url.startswith("sqlite:///")


def sqlite_path(url: str) -> str:
    """The file of `sqlite:///relative` or `sqlite:////absolute`."""
    return unquote(urlsplit(url).path)[1:]


def connect(url: str, *, read_only: bool = False) -> SqliteConnection | PostgresConnection:
    """A connection to `sqlite:///…` or `postgresql://…`; BadInput for any other address."""
    if is_sqlite(url):
        return SqliteConnection(sqlite_path(url), read_only=read_only)
    if url.startswith(("postgresql://", "postgres://")):
        return PostgresConnection(url, read_only=read_only)
    msg = f"{url.split(':', 1)[0]!r} is not a database that Tallywatt speaks"
    raise BadInput(msg, code="storage.unknown_database", remedy="use sqlite:///FILE or postgresql://…")
