"""What is asked before the operator is known: by whom a door belongs to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.tables.payments import PROVIDER_ACCOUNTS

if TYPE_CHECKING:
    from tallywatt.adapters.storage.connections import Connection

_accounts = PROVIDER_ACCOUNTS.table
_OPERATOR = select(_accounts.c.operator_id).where(_accounts.c.account_id == bindparam("account"))


def operator_of_account(connection: Connection, account_id: str) -> str | None:
    """The operator of a provider account: a webhook's address names the account alone."""
    statement = compiled(_OPERATOR, connection.dialect)
    rows = connection.execute(statement.sql, statement.bind({"account": account_id}))
    return str(rows[0][0]) if rows else None
