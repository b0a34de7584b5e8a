"""Views of long work that is followed: imports with the report of their rows, audits with what they found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, literal_column, select

from tallywatt.adapters.storage.tables.evidence import AUDIT_FINDINGS, AUDITS
from tallywatt.adapters.storage.tables.imports import IMPORT_ROWS, IMPORTS
from tallywatt.adapters.storage.views.asking import Question, Row, columns, mine
from tallywatt.workflows.imports import REPORT_DAYS, ImportState

if TYPE_CHECKING:
    from sqlalchemy import Select

    from tallywatt.adapters.storage.connections import Connection

DAY = 86_400_000

_imports = IMPORTS.table
_rows = IMPORT_ROWS.table
_audits = AUDITS.table
_findings = AUDIT_FINDINGS.table

IMPORT: Select[Any] = (
    select(
        *columns(
            _imports, "kind", "name", "user_is", "dry_run", "state", "shape", "bytes", "rows", "read", "taken",
            "already_there", "held", "refused", "code", "message", "received_at", "began_at", "ended_at",
            id="import_id", by="actor",
        ),
        (_imports.c.ended_at + literal_column(str(REPORT_DAYS * DAY))).label("report_until"),
    )
    .where(mine(_imports), _imports.c.state != ImportState.RECEIVING.value)
)  # fmt: skip
"""An upload that is still coming in is nobody's business yet."""
_IMPORT = Question(IMPORT.where(_imports.c.import_id == bindparam("of_import")))
ROW: Select[Any] = select(
    *columns(_rows, "line", "outcome", "code", "message", "subject_kind", "subject_id")
).where(mine(_rows))  # fmt: skip

AUDIT: Select[Any] = select(
    *columns(_audits, "state", "asked_at", "began_at", "ended_at", "is_clean", "findings", "figures", "error",
             id="audit_id", by="asked_by")
).where(mine(_audits))  # fmt: skip
_AUDIT = Question(AUDIT.where(_audits.c.audit_id == bindparam("of_audit")))
FINDING: Select[Any] = select(
    *columns(_findings, "number", "code", "subject", "says", "expected", "found")
).where(mine(_findings))  # fmt: skip


def import_of(connection: Connection, operator_id: str, import_id: str) -> Row | None:
    """One import and how far it has come, or None."""
    found = _IMPORT.first(connection, operator=operator_id, of_import=import_id)
    return None if found is None else with_progress(found)


def with_progress(row: Row) -> Row:
    """How many rows have an outcome, beside how many there are."""
    done = row["taken"] + row["already_there"] + row["held"] + row["refused"]
    return {**row, "done": done}


def audit_of(connection: Connection, operator_id: str, audit_id: str) -> Row | None:
    """One audit, or None."""
    return _AUDIT.first(connection, operator=operator_id, of_audit=audit_id)
