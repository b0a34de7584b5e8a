"""Views of returns from a backup: what waits for its providers, and which payments were on their way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, or_, select

from tallywatt.adapters.storage.tables import payments
from tallywatt.adapters.storage.views.asking import Question, Row, columns, mine
from tallywatt.payments.payment import BEFORE_MONEY, PaymentState

if TYPE_CHECKING:
    from tallywatt.adapters.storage.connections import Connection

_restorations = payments.RESTORATIONS.table
_payments = payments.PAYMENTS.table

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
    select(*columns(_payments, "provider_ref", "page_ref", id="payment_id", created_ms="created_at"))
    .where(
        mine(_payments),
        _payments.c.account_id == bindparam("of_account"),
        _payments.c.state.in_([state.value for state in (*BEFORE_MONEY, PaymentState.AUTHORISED)]),
        or_(_payments.c.provider_ref.is_not(None), _payments.c.page_ref.is_not(None)),
    )
    .order_by(_payments.c.payment_id)
)


def restorations(connection: Connection, operator_id: str) -> list[Row]:
    """Returns from a backup, newest first; one without `compared_at` still waits for its providers."""
    return _ALL.rows(connection, operator=operator_id)


def unfinished_payments(connection: Connection, operator_id: str, account_id: str) -> list[Row]:
    """Payments of an account that its provider may have finished without us."""
    return _UNFINISHED.rows(connection, operator=operator_id, of_account=account_id)
