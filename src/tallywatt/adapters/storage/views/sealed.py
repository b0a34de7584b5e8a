"""Views of the secrets that are kept sealed: their names for people, what is sealed for those who open it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.tables.payments import SEALED_SECRETS
from tallywatt.adapters.storage.views.asking import Question, Row, columns, mine
from tallywatt.payments.secret import bound_to

if TYPE_CHECKING:
    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.vault import Vault

_secrets = SEALED_SECRETS.table
_LIST = Question(
    select(*columns(_secrets, "name", "created_at", "changed_at", id="secret_id"))
    .where(mine(_secrets), _secrets.c.name.not_like("removed %"))
    .order_by(_secrets.c.name)
)
_SEALED = select(_secrets.c.operator_id, _secrets.c.key_id, _secrets.c.sealed_secret).where(
    _secrets.c.secret_id == bindparam("of_secret")
)


def secrets(connection: Connection, operator_id: str) -> list[Row]:
    """Secrets of providers by name; never themselves."""
    return _LIST.rows(connection, operator=operator_id)


def opened_secret(connection: Connection, secret_id: str, vault: Vault) -> str | None:
    """A secret in the clear, for whoever calls its provider; its id is all that a reference says."""
    statement = compiled(_SEALED, connection.dialect)
    rows = connection.execute(statement.sql, statement.bind({"of_secret": secret_id}))
    if not rows:
        return None
    operator, key_id, sealed = rows[0]
    return vault.open(connection, operator, key_id, bytes(sealed), bound_to(operator, secret_id)).decode()
