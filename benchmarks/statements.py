"""One INSERT and one SELECT on SQLite: Core compiled once and run on the driver's cursor, beside Core at run time."""

from __future__ import annotations

import sqlite3
from itertools import count

from sqlalchemy import Column, Integer, MetaData, Table, Text, bindparam, create_engine, insert, select

from benchmarks.figure import Figure, cpu_microseconds
from tallywatt.adapters.storage.statements import Statement

READINGS = Table(
    "readings",
    MetaData(),
    Column("operator_id", Text, primary_key=True),
    Column("session_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", Integer, nullable=False),
    Column("register_mwh", Integer, nullable=False),
)
ADD = insert(READINGS)
FIND = select(READINGS).where(READINGS.c.operator_id == bindparam("operator"), READINGS.c.number == bindparam("wanted"))
TIMES = 2000
CREATE = """
CREATE TABLE readings (
    operator_id TEXT, session_id TEXT, number INTEGER, at INTEGER, register_mwh INTEGER,
    PRIMARY KEY (operator_id, number, session_id)
)"""


def measure() -> list[Figure]:
    """CPU of one statement each way, on an in-memory database so that no disk is measured."""
    ours, theirs = _compiled_once(), _at_run_time()
    return [
        Figure(f"{name}, compiled once", mine, "µs", instead="SQLAlchemy Core at run time", instead_value=other)
        for name, mine, other in zip(("insert a reading", "find a reading"), ours, theirs, strict=True)
    ]


def _row(number: int) -> dict[str, str | int]:
    return {"operator_id": "op", "session_id": "s", "number": number, "at": 1_535_098_500_000, "register_mwh": number}


def _compiled_once() -> tuple[float, float]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    cursor = connection.cursor()
    cursor.execute(CREATE)
    add, find, numbers = Statement(ADD, "sqlite"), Statement(FIND, "sqlite"), count()
    cursor.execute("BEGIN")
    inserting = cpu_microseconds(lambda: cursor.execute(add.sql, add.bind(_row(next(numbers)))), times=TIMES)
    wanted = {"operator": "op", "wanted": 7}
    finding = cpu_microseconds(lambda: cursor.execute(find.sql, find.bind(wanted)).fetchall(), times=TIMES)
    connection.close()
    return inserting, finding


def _at_run_time() -> tuple[float, float]:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        connection.exec_driver_sql(CREATE)
        numbers = count()
        inserting = cpu_microseconds(lambda: connection.execute(ADD, _row(next(numbers))), times=TIMES)
        wanted = {"operator": "op", "wanted": 7}
        finding = cpu_microseconds(lambda: connection.execute(FIND, wanted).fetchall(), times=TIMES)
    return inserting, finding
