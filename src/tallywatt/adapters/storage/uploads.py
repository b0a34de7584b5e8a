"""What only the machinery does with uploads: open what is sealed, delete parts, sweep what was cancelled, forget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, delete, select, update

from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.tables.customers import OPERATORS
from tallywatt.adapters.storage.tables.imports import IMPORT_PARTS, IMPORT_ROWS, IMPORTS
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import NotFound
from tallywatt.workflows.imports import RECEIVING_SECONDS, REPORT_DAYS, ImportState, RowOutcome

if TYPE_CHECKING:
    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.unit import SqlUnitOfWork
    from tallywatt.adapters.storage.vault import Vault

SWEPT: Final = 500
"""Rows that one command of the writer changes: others wait meanwhile."""
DAY: Final = 86_400_000

_imports, _parts, _rows = IMPORTS.table, IMPORT_PARTS.table, IMPORT_ROWS.table
_OPERATORS = select(OPERATORS.table.c.operator_id)
_PARTS = (
    select(_parts.c.key_id, _parts.c.sealed)
    .where(_parts.c.operator_id == bindparam("operator"), _parts.c.import_id == bindparam("upload"))
    .order_by(_parts.c.number)
)
_waits = (
    _rows.c.operator_id == bindparam("operator"),
    _rows.c.import_id == bindparam("upload"),
    _rows.c.outcome == RowOutcome.WAITING.value,
)
_WAITING = (
    select(_rows.c.line, _rows.c.key_id, _rows.c.sealed).where(*_waits).order_by(_rows.c.line).limit(bindparam("most"))
)
_NO_PARTS = delete(_parts).where(
    _parts.c.operator_id == bindparam("operator"), _parts.c.import_id == bindparam("upload")
)
_WAITING_LINES = select(_rows.c.line).where(*_waits).order_by(_rows.c.line).limit(SWEPT)
_CANCEL = (
    update(_rows)
    .where(
        _rows.c.operator_id == bindparam("operator"),
        _rows.c.import_id == bindparam("upload"),
        _rows.c.line == bindparam("at"),
    )
    .values(outcome=RowOutcome.CANCELLED.value, key_id=None, sealed=None)
)
_BROKEN_OFF = select(_imports.c.import_id).where(
    _imports.c.operator_id == bindparam("operator"),
    _imports.c.state == ImportState.RECEIVING.value,
    _imports.c.received_at < bindparam("before"),
)
_NO_IMPORT = delete(_imports).where(
    _imports.c.operator_id == bindparam("operator"),
    _imports.c.import_id == bindparam("upload"),
    _imports.c.state == ImportState.RECEIVING.value,
)
_OLD = (
    select(_rows.c.import_id, _rows.c.line)
    .select_from(
        _imports.join(
            _rows, (_imports.c.operator_id == _rows.c.operator_id) & (_imports.c.import_id == _rows.c.import_id)
        )
    )
    .where(_imports.c.operator_id == bindparam("operator"), _imports.c.ended_at < bindparam("before"))
    .limit(SWEPT)
)
_NO_ROW = delete(_rows).where(
    _rows.c.operator_id == bindparam("operator"),
    _rows.c.import_id == bindparam("upload"),
    _rows.c.line == bindparam("at"),
)


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A row that is still to be taken: what it says, or None when it was erased."""

    line: int
    content: bytes | None


def content_of(connection: Connection, vault: Vault, operator_id: str, import_id: str) -> bytes:
    """The whole file, opened."""
    rows = _run(connection, _PARTS, operator=operator_id, upload=import_id)
    return b"".join(vault.open(connection, operator_id, key_id, bytes(sealed)) for key_id, sealed in rows)


def waiting_rows(connection: Connection, vault: Vault, operator_id: str, import_id: str, most: int) -> list[WaitingRow]:
    """The next rows that wait, opened."""
    rows = _run(connection, _WAITING, operator=operator_id, upload=import_id, most=most)
    return [WaitingRow(line, _opened(connection, vault, operator_id, key_id, sealed)) for line, key_id, sealed in rows]


def _opened(
    connection: Connection, vault: Vault, operator_id: str, key_id: str | None, sealed: bytes | None
) -> bytes | None:
    if key_id is None or sealed is None:
        return None
    try:
        return vault.open(connection, operator_id, key_id, bytes(sealed))
    except NotFound:
        return None


def drop_parts(work: SqlUnitOfWork, import_id: str) -> int:
    """Delete the parts of a file whose rows are known, or that will not be read; how many."""
    statement = compiled(_NO_PARTS, work.connection.dialect)
    return work.connection.change(statement.sql, statement.bind({"operator": work.operator, "upload": import_id}))


def drop_unfinished(work: SqlUnitOfWork, import_id: str) -> bool:
    """Delete an upload that was not begun, with its parts; False for one that was: it is somebody's."""
    values = {"operator": work.operator, "upload": import_id}
    row = work.imports.find(import_id)  # type: ignore[attr-defined]  # rows are set by name from MAPPINGS
    if row is None or row.state is not ImportState.RECEIVING:
        return False
    drop_parts(work, import_id)
    statement = compiled(_NO_IMPORT, work.connection.dialect)
    work.connection.change(statement.sql, statement.bind(values))
    work.scope.memory.forget()
    return True


def cancel_rows(work: SqlUnitOfWork, import_id: str) -> int:
    """Give rows that wait their outcome after a cancellation, and forget what they said; how many. 0: none waits."""
    connection, values = work.connection, {"operator": work.operator, "upload": import_id}
    lines = _run(connection, _WAITING_LINES, **values)
    statement = compiled(_CANCEL, connection.dialect)
    for (line,) in lines:
        connection.change(statement.sql, statement.bind({**values, "at": line}))
    return len(lines)


def forget_uploads(work: SqlUnitOfWork, _: None) -> int:
    """Delete uploads that were broken off and reports whose term has ended, of all operators, some at a time; how much."""
    connection, gone = work.connection, 0
    broken_off = Instant(work.machine_now - RECEIVING_SECONDS * 1000)
    old = Instant(work.machine_now - REPORT_DAYS * DAY)
    forget_row = compiled(_NO_ROW, connection.dialect)
    for (operator,) in _run(connection, _OPERATORS):
        for (upload,) in _run(connection, _BROKEN_OFF, operator=operator, before=broken_off):
            values = {"operator": operator, "upload": upload}
            _run(connection, _NO_PARTS, **values)
            _run(connection, _NO_IMPORT, **values)
            gone += 1
        for upload, line in _run(connection, _OLD, operator=operator, before=old):
            connection.change(forget_row.sql, forget_row.bind({"operator": operator, "upload": upload, "at": line}))
            gone += 1
    if gone:
        work.scope.memory.forget()
    return gone


def _run(connection: Connection, clause: Any, **values: Any) -> list[tuple[Any, ...]]:
    statement = compiled(clause, connection.dialect)
    return connection.execute(statement.sql, statement.bind(values))
