"""What people ask about the operator's bank: lines of its statements, and what may still be matched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from tallywatt.adapters.storage.tables import banking, payments
from tallywatt.adapters.storage.views.asking import Question, Row, columns, mine
from tallywatt.payments.bank import BankLineState

if TYPE_CHECKING:
    from sqlalchemy import Select

    from tallywatt.adapters.storage.connections import Connection

_lines = banking.BANK_LINES.table
_accounts = payments.PROVIDER_ACCOUNTS.table

LINE: Select[Any] = (
    select(
        *columns(
            _lines, "bank_account", "statement_ref", "entry_ref", "booked_at", "amount_minor", "currency", "reference",
            "end_to_end", "remittance", "counterparty", "counterparty_account", "return_code", "state", "candidates",
            "account_id", "settlement_ref", "received_at", "decided_at", "decided_by", "note", "transfer_id",
            "batch_id", "revision", "undone_at", "undone_by", "undo_note", "under_way",
            id="line_id",
        ),
        _accounts.c.name.label("account"),
    )
    .select_from(
        _lines.outerjoin(
            _accounts,
            (_accounts.c.operator_id == _lines.c.operator_id) & (_accounts.c.account_id == _lines.c.account_id),
        )
    )
    .where(mine(_lines))
)  # fmt: skip
_BY_STATE = Question(
    LINE.where(_lines.c.state == bindparam("of_state"))
    .order_by(_lines.c.booked_at.desc(), _lines.c.line_id)
    .limit(bindparam("most"))
)
_ONE = Question(LINE.where(_lines.c.line_id == bindparam("of_line")))


def bank_lines(
    connection: Connection, operator_id: str, most: int = 50, state: str = BankLineState.OPEN.value
) -> list[Row]:
    """Lines in a state, the newest first."""
    return _BY_STATE.rows(connection, operator=operator_id, of_state=state, most=most)


def bank_line(connection: Connection, operator_id: str, line_id: str) -> Row | None:
    """One line, or None."""
    return _ONE.first(connection, operator=operator_id, of_line=line_id)
