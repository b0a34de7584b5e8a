"""Views of returns from a backup: what waits for its providers, and which payments were on their way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, or_, select

from tallywatt.adapters.storage.tables import payments, readers
from tallywatt.adapters.storage.views.asking import Question, Row, columns, joined, mine
from tallywatt.payments.operation import OperationKind
from tallywatt.payments.payment import AT_READER, BEFORE_MONEY, PaymentState

if TYPE_CHECKING:
    from tallywatt.adapters.storage.connections import Connection

_restorations = payments.RESTORATIONS.table
_payments = payments.PAYMENTS.table
_readers, _operations = readers.READERS.table, payments.OPERATIONS.table
_presented = (
    select(_operations.c.operation_id)
    .where(joined(_operations, _payments, "payment_id"), _operations.c.kind == OperationKind.PRESENT.value)
    .order_by(_operations.c.operation_id.desc())
    .limit(1)
    .scalar_subquery()
)

_ALL = Question(
    select(
        *columns(
            _restorations, "archive_sha256", "backup_at", "restored_at", "compared_at", "found",
            id="restoration_id", backup_ms="backup_at",
            restored_ms="restored_at",
        )
    )
    .where(mine(_restorations))
    .order_by(_restorations.c.restoration_id.desc())
)  # fmt: skip
_UNFINISHED = Question(
    select(
        *columns(_payments, "state", "provider_ref", "page_ref", id="payment_id", created_ms="created_at"),
        _readers.c.reader_ref,
        _presented.label("presented_by"),
    )
    .select_from(_payments.outerjoin(_readers, joined(_payments, _readers, "reader_id")))
    .where(
        mine(_payments),
        _payments.c.account_id == bindparam("of_account"),
        _payments.c.state.in_([state.value for state in (*BEFORE_MONEY, PaymentState.AUTHORISED)]),
        or_(
            _payments.c.provider_ref.is_not(None),
            _payments.c.page_ref.is_not(None),
            _payments.c.reader_id.is_not(None),
        ),
    )
    .order_by(_payments.c.payment_id)
)


def restorations(connection: Connection, operator_id: str) -> list[Row]:
    """Returns from a backup, newest first; one without `compared_at` still waits for its providers."""
    return _ALL.rows(connection, operator=operator_id)


def unfinished_payments(connection: Connection, operator_id: str, account_id: str) -> list[Row]:
    """Payments of an account that its provider may have finished without us."""
    rows = _UNFINISHED.rows(connection, operator=operator_id, of_account=account_id)
    return [_with_reader(row) for row in rows]


def _with_reader(row: Row) -> Row:
    """A reader is asked only about what it was asked for, and while nothing is known to be held."""
    asked = row["presented_by"] is not None and PaymentState(row["state"]) in AT_READER
    told = {name: value for name, value in row.items() if name != "state"}
    return told if asked else {**told, "reader_ref": None, "presented_by": None}
