"""An import, a stretch at a time: its file is read, then its rows are taken, a few in a commit; others come between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog

from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.wiring import TryLater
from tallywatt.workflows.import_rows import (
    COMMANDS,
    HELD,
    EndImport,
    EndReading,
    NoteRow,
    StagedRow,
    StageRows,
    TakeRow,
    end_import,
    end_reading,
    note_row,
    stage_rows,
    take_row,
)
from tallywatt.workflows.imports import Import, ImportKind, ImportState, RowOutcome
from tallywatt.workflows.ports import Undone
from tallywatt.workflows.take_import import FailImport, fail_import

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.wiring import Claimed, House, ReadRow, WaitingRow

log = structlog.get_logger(__name__)

STAGED: Final = 100
"""Rows that are written down in one command."""
AT_ONCE: Final = 8
"""Rows that are in the writer's queue together: whoever comes meanwhile waits for no more than these."""
STRETCH: Final = 200
"""Rows after which the job goes back in line, so that the next import gets its turn."""
ERASED: Final = "imports.row_erased"
RACES: Final = frozenset(("sessions.brought_twice", "storage.stale"))
"""Somebody else brings the same at this moment: the row waits for the next round, and finds what that one made."""


class Importing:
    """What the job of an import does. Whenever it dies, it goes on where it was: each row's outcome is in its transaction."""

    def __init__(self, house: House) -> None:
        self._house = house

    def do(self, claimed: Claimed) -> None:
        """One stretch of an import; TryLater when more of it waits."""
        operator, import_id = claimed.operator_id, claimed.job.subject_id
        upload: Import = self._house.write_now(
            operator, lambda work, key: work.imports.get(key), import_id, actor="worker"
        )
        if upload.state is ImportState.READING:
            self._read(operator, upload)
        elif upload.state is ImportState.RUNNING:
            self._house.drop_upload(operator, import_id)
            if self._take(operator, upload):
                self._write(operator, end_import, EndImport(import_id), upload)
                self._house.end_job(operator, claimed.job)
                return
        else:
            self._house.drop_upload(operator, import_id)
            self._house.cancel_rows(operator, import_id)
            self._house.end_job(operator, claimed.job)
            return
        msg = "more of its rows wait"
        raise TryLater(msg, 0)

    def _write(self, operator: str, workflow: Callable[..., Any], command: object, upload: Import) -> Any:
        return self._house.write_now(operator, workflow, command, actor=upload.actor, cause=upload.import_id)

    def _read(self, operator: str, upload: Import) -> None:
        try:
            found = self._house.read_upload(operator, upload)
        except BadInput as error:
            self._write(operator, fail_import, FailImport(upload.import_id, error.code, error.message), upload)
            return
        read = upload.read
        while read < len(found.rows):
            rows = tuple(_staged(one) for one in found.rows[read : read + STAGED])
            before, read = read, self._write(operator, stage_rows, StageRows(upload.import_id, read, rows), upload)
            if read <= before:
                return  # it was cancelled meanwhile
        ended = EndReading(upload.import_id, found.shape, len(found.rows))
        self._write(operator, end_reading, ended, upload)

    def _take(self, operator: str, upload: Import) -> bool:
        """Take rows until none waits (True) or others are to have their turn (False)."""
        taken = 0
        while taken < STRETCH:
            rows = self._house.waiting_rows(operator, upload.import_id, AT_ONCE)
            if not rows:
                return True
            self._take_some(operator, upload, rows)
            taken += len(rows)
        return False

    def _take_some(self, operator: str, upload: Import, rows: list[WaitingRow]) -> None:
        noted: list[NoteRow] = []
        orders = []
        for row in rows:
            if row.content is None:
                msg = "what it said was erased before it was taken"
                noted.append(NoteRow(upload.import_id, row.line, RowOutcome.REFUSED, ERASED, msg))
                continue
            try:
                command = _command(upload.kind, row.content)
            except BadInput as error:
                noted.append(NoteRow(upload.import_id, row.line, RowOutcome.REFUSED, error.code, error.message))
                continue
            orders.append((take_row, TakeRow(upload.import_id, row.line, upload.kind, command, upload.dry_run)))
        results = self._house.write_all_now(operator, orders, actor=upload.actor, cause=upload.import_id)
        for (_, order), result in zip(orders, results, strict=True):
            note = _noted(order, result)
            if note is not None:
                noted.append(note)
        wanted = [(note_row, note) for note in noted]
        for result in self._house.write_all_now(operator, wanted, actor=upload.actor, cause=upload.import_id):
            if isinstance(result, Exception):
                raise result


def _staged(row: ReadRow) -> StagedRow:
    content = None if row.command is None else msgspec.json.encode(row.command)
    return StagedRow(row.line, content, row.code, row.sentence)


def _command(kind: ImportKind, content: bytes) -> Any:
    try:
        return msgspec.json.decode(content, type=COMMANDS[kind])
    except msgspec.DecodeError as error:
        # Something was erased in it meanwhile, and what is left cannot be meant.
        msg = "what it says cannot be read any more"
        raise BadInput(msg, code="imports.row_erased") from error


def _noted(order: TakeRow, result: Any) -> NoteRow | None:
    """What is to be written down of a row that left nothing behind; None: it has left its outcome itself."""
    if isinstance(result, Undone):
        came = result.came
        code = None if came.why is None else HELD
        return NoteRow(order.import_id, order.line, came.outcome, code, came.why, came.subject_kind, None)
    if isinstance(result, (BadInput, Conflict, NotFound)):
        if result.code in RACES:
            return None
        return NoteRow(order.import_id, order.line, RowOutcome.REFUSED, result.code, result.message)
    if isinstance(result, Exception):
        raise result
    return None
