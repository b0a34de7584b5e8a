"""What is asked before the operator is known: by whom a door belongs to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.tables.machinery import BUSINESS_CLOCK
from tallywatt.adapters.storage.tables.payments import PROVIDER_ACCOUNTS
from tallywatt.kernel.clock import RUNNING_ALONG, BusinessAnchor, Instant

if TYPE_CHECKING:
    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.payments.account import ProviderAccount

_clock = BUSINESS_CLOCK.c
_ANCHOR = select(_clock.machine, _clock.business, _clock.rate_ppm).where(_clock.name == "business")
_accounts = PROVIDER_ACCOUNTS.table
_ACCOUNT = select(_accounts.c.operator_id, *(_accounts.c[name] for name in PROVIDER_ACCOUNTS.names)).where(
    _accounts.c.account_id == bindparam("account")
)


def account_of_webhook(connection: Connection, account_id: str) -> tuple[str, ProviderAccount] | None:
    """A provider account and whose it is: a webhook's address names the account alone, and anybody can send one."""
    statement = compiled(_ACCOUNT, connection.dialect)
    rows = connection.execute(statement.sql, statement.bind({"account": account_id}))
    return (str(rows[0][0]), PROVIDER_ACCOUNTS.decode(tuple(rows[0][1:]))) if rows else None


def business_anchor(connection: Connection) -> BusinessAnchor:
    """How business time follows machine time in this installation: along with it, unless somebody moved it."""
    statement = compiled(_ANCHOR, connection.dialect)
    rows = connection.execute(statement.sql, statement.bind({}))
    return BusinessAnchor(Instant(rows[0][0]), Instant(rows[0][1]), rows[0][2]) if rows else RUNNING_ALONG
