"""Fills a database with copies of one stored session, by bulk insert: what a house holds after a year, in minutes.

Every copy has rows of its own in all tables that grow with sessions, but for raw frames: those are sealed, large, and read one
at a time by their key. Ids go up as they do in time, hashes are scattered, and the copies lie on all stations in turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from tallywatt.adapters.storage.connections import SqliteConnection, connect, is_sqlite
from tallywatt.adapters.storage.migrations.planner import tell_planner
from tallywatt.adapters.storage.sums import add_to_sums, counted
from tallywatt.adapters.storage.tables.schema import metadata

if TYPE_CHECKING:
    from sqlalchemy import Column

CHUNK = 20_000
MANY = 50_000
"""From here on indexes are made anew behind the rows."""
EVERY_MILLISECONDS = 30_000
"""Between one copy's times and the next one's: a million are a year."""
OF_THE_SESSION = {
    "sessions": "session_id = '{session_id}'",
    "station_facts": "session_id = '{session_id}'",
    "meter_readings": "session_id = '{session_id}'",
    "offers": "offer_id = '{offer_id}'",
    "rated_results": "rated_id = '{rated_id}'",
    "rated_lines": "rated_id = '{rated_id}'",
    "rated_taxes": "rated_id = '{rated_id}'",
    "invoices": "invoice_id = '{invoice_id}'",
    "entries": "cause_id = '{rated_id}'",
    "transfers": "entry_id IN (SELECT entry_id FROM entries WHERE cause_id = '{rated_id}')",
    "events": "aggregate_id = '{session_id}'",
    "jobs": "subject_id = '{invoice_id}'",
}
"""Which rows of a table are those of the session that is copied."""
IDS = {
    "aggregate_id", "cause_id", "event_id", "frame_id", "invoice_id", "job_id", "offer_id", "rated_id", "session_id",
    "start_frame_id", "stop_frame_id", "subject_id",
}  # fmt: skip
HASHES = {"driver_secret", "entry_id", "fact_key", "start_key", "transfer_id"}
SCATTER = 2_654_435_761
"""Odd, so that no two numbers below 2^48 are scattered to the same place."""


class Filler:
    """One database and the session in it that is copied."""

    def __init__(self, url: str) -> None:
        self.is_sqlite = is_sqlite(url)
        self._url = url
        self._connection = connect(url)
        if isinstance(self._connection, SqliteConnection):
            for pragma in ("synchronous=OFF", "foreign_keys=OFF", "cache_size=-262144"):
                self._run(f"PRAGMA {pragma}")
        else:
            self._run("SET session_replication_role = replica")  # rows are added with those that they refer to
        names = ("session_id", "offer_id", "rated_id", "invoice_id")
        [found] = self._run(
            f"SELECT {', '.join(names)} FROM sessions WHERE state = 'billed' ORDER BY session_id LIMIT 1"
        )
        self._template = dict(zip(names, found, strict=True))
        self._run(
            "CREATE TEMPORARY TABLE places AS SELECT row_number() OVER (ORDER BY evse_id) - 1 AS k, station_id AS its_station,"
            " evse_id AS its_evse FROM evses"
        )
        self._places = self._run("SELECT count(*) FROM places")[0][0]
        for name, where in OF_THE_SESSION.items():
            self._run(
                f"CREATE TEMPORARY TABLE one_{name} AS SELECT * FROM {name} WHERE {where.format(**self._template)}"
            )
        self._filled = 0
        self._commit()

    def fill(self, count: int) -> None:
        """Bring the number of copies up to this."""
        self._run("DROP TABLE IF EXISTS line")
        self._run(
            f"CREATE TEMPORARY TABLE line AS SELECT max(position) AS behind, {self._filled} AS done,"
            " (SELECT min(position) FROM one_events) AS low,"
            " (SELECT max(position) - min(position) + 1 FROM one_events) AS span FROM events"
        )
        indexes = self._without_indexes() if count - self._filled > MANY else []
        while self._filled < count:
            first, last = self._filled + 1, min(self._filled + CHUNK, count)
            for name in OF_THE_SESSION:
                columns = metadata.tables[name].columns
                names = ", ".join(column.name for column in columns)
                news = ", ".join(self._copied(column) for column in columns)
                numbers = (
                    f"(WITH RECURSIVE c(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM c WHERE n < {last}) SELECT n FROM c)"
                    if self.is_sqlite
                    else f"(SELECT n::bigint FROM generate_series({first}, {last}) n)"
                )
                self._run(
                    f"INSERT INTO {name} ({names}) SELECT {news} FROM {numbers} AS numbers"
                    f" JOIN places ON k = n % {self._places} CROSS JOIN one_{name} AS one"
                )
            self._filled = last
            self._commit()
        for sql in indexes:
            self._run(sql)
        self._commit()
        self._settle(count)

    def _without_indexes(self) -> list[str]:
        """Drop what an index is quicker made from all at once; the statements that make them again."""
        tables = ", ".join(f"'{name}'" for name in OF_THE_SESSION)
        rows = self._run(
            f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({tables})"
            if self.is_sqlite
            else "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
            f" AND tablename IN ({tables}) AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = indexname)"
        )
        for name, _ in rows:
            self._run(f"DROP INDEX {name}")
        return [sql for _, sql in rows]

    def close(self) -> None:
        """Done."""
        self._connection.close()

    def _copied(self, column: Column[Any]) -> str:
        """What a column of a copy holds."""
        name, own = column.name, f"one.{column.name}"
        pad = "printf('%012d', n)" if self.is_sqlite else "lpad(n::text, 12, '0')"
        far = f"(n * {SCATTER} % {2**48})"
        scattered = f"printf('%012x', {far})" if self.is_sqlite else f"lpad(to_hex({far}), 12, '0')"
        told = {
            "station_id": "its_station",
            "evse_id": "its_evse",
            "transaction_id": "CAST(n + 1000000 AS TEXT)",
            "number": f"'INV-2026-' || {pad}",
            "sequence": "n + 1000000",
            "position": f"(SELECT behind + (n - done) * span + {own} - low FROM line)",
        }
        table = column.table.name
        if name in IDS:
            return f"substr({own}, 1, 24) || {pad}"
        if name in HASHES:
            return f"{scattered} || substr({own}, 13)"
        if name in told and not (name == "number" and table != "invoices"):
            return told[name]
        if name.endswith("_at") and table != "offers":
            return f"{own} - ({10**6} - n) * {EVERY_MILLISECONDS}"
        if table == "jobs" and name == "state":
            return "'done'"
        return own

    def _settle(self, count: int) -> None:
        """Counters are behind what was filled in, readers have read it, and the planner knows that it is there."""
        self._run(f"UPDATE transaction_counters SET last_transaction_id = {count + 2_000_000}, version = version + 1")
        self._run(f"UPDATE number_series SET next_number = {count + 2_000_000}, version = version + 1")
        self._run("UPDATE sequencer SET last_position = (SELECT max(position) FROM events)")
        for one in ("revenue_by_day", "webhooks"):
            self._run(
                f"INSERT INTO cursors (consumer, position) SELECT '{one}', max(position) FROM events"
                " WHERE true ON CONFLICT (consumer) DO UPDATE SET position = excluded.position"
            )
        # Beside which no sum was kept: made anew as the command does it.
        [(operator,)] = self._run("SELECT operator_id FROM operators")
        self._run("DELETE FROM running_sums")
        self._connection.change_many(
            add_to_sums(self._connection.dialect),
            [(operator, *place, 0, amount) for place, amount in counted(self._connection, operator).items()],
        )
        self._commit()
        if self.is_sqlite:
            # With an index goes what its planner was told about it.
            tell_planner(self._url)
        else:
            self._run("ANALYZE")
            self._commit()

    def _run(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql)

    def _commit(self) -> None:
        if self._connection.in_transaction():
            self._connection.commit()


def bytes_of(url: str) -> int:
    """How large a database is."""
    if is_sqlite(url):
        with_pages = connect(url, read_only=True)
        [(pages,)], [(size,)] = with_pages.execute("PRAGMA page_count"), with_pages.execute("PRAGMA page_size")
        with_pages.close()
        return int(pages * size)
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        assert row is not None, "it is there"
        return int(row[0])
