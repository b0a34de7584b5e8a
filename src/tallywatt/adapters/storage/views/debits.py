"""Views of SEPA direct debit: who collects, mandates, batches, what is asked of each payer, and what a file is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, or_, select

from tallywatt.adapters.storage.debiting import DUE_BY_MANDATE
from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.tables import customers, debits
from tallywatt.adapters.storage.views.asking import MOST_ROWS, Question, Row, columns, joined, mine
from tallywatt.kernel.errors import Conflict
from tallywatt.payments.debit import PayerAccount, bound_to, void_from

if TYPE_CHECKING:
    from sqlalchemy import Select

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.vault import Vault
    from tallywatt.payments.debit import DebitBatch, DebitCollection

_customers = customers.CUSTOMERS.table
_creditors = debits.CREDITORS.table
_mandates = debits.MANDATES.table
_batches = debits.DEBIT_BATCHES.table
_debits = debits.DEBIT_COLLECTIONS.table

LAST = "g"
"""Behind every id: their letters end with f."""

_CREDITOR = Question(
    select(*columns(_creditors, "currency", "creditor_id", "name", "iban", "bic", "notice_days", "changed_at")).where(
        mine(_creditors)
    )
)
MANDATE: Select[Any] = (
    select(
        *columns(
            _mandates, "reference", "scheme", "signed_on", "state", "used_on", "created_at", "ended_at", "end_reason",
            id="mandate_id", account="shown",
        ),
        _customers.c.reference.label("customer"),
    )
    .select_from(_mandates.join(_customers, joined(_mandates, _customers, "customer_id")))
    .where(mine(_mandates))
)  # fmt: skip
_NEWEST = MANDATE.order_by(_mandates.c.created_at.desc(), _mandates.c.mandate_id.desc()).limit(bindparam("most"))
_MANDATES = Question(_NEWEST)
_MANDATES_OF = Question(_NEWEST.where(_mandates.c.customer_id == bindparam("of_customer")))
_MANDATE_BY_ID = Question(
    _NEWEST.where(
        or_(_mandates.c.mandate_id == bindparam("of_mandate"), _mandates.c.reference == bindparam("of_mandate"))
    )
)
BATCH: Select[Any] = select(
    *columns(
        _batches, "message_id", "collect_on", "currency", "count", "total_minor", "made_at", "closed_at", "given_at",
        "cancelled_at", id="batch_id",
    )
).where(mine(_batches))  # fmt: skip
_BATCHES = Question(
    BATCH.where(_batches.c.count > 0)
    .order_by(_batches.c.collect_on.desc(), _batches.c.batch_id.desc())
    .limit(bindparam("most"))
)
_BATCH_BY_ID = Question(
    BATCH.where(or_(_batches.c.batch_id == bindparam("of_batch"), _batches.c.message_id == bindparam("of_batch")))
)
DEBIT: Select[Any] = (
    select(
        *columns(
            _debits, "batch_id", "end_to_end", "scheme", "sequence", "amount_minor", "currency", "remittance", "state",
            "reason", "fee_minor", "told_at", "line_id", "return_line_id", id="collection_id",
        ),
        _mandates.c.reference.label("mandate"),
        _mandates.c.shown.label("account"),
        _customers.c.reference.label("customer"),
    )
    .select_from(
        _debits.join(_mandates, joined(_debits, _mandates, "mandate_id")).join(
            _customers, joined(_debits, _customers, "customer_id")
        )
    )
    .where(mine(_debits))
)  # fmt: skip
_DEBITS_IN = Question(
    DEBIT.where(_debits.c.batch_id == bindparam("of_batch")).order_by(_debits.c.end_to_end).limit(bindparam("most"))
)
_due = DUE_BY_MANDATE.order_by(None).limit(None).subquery("due")
_of_payer = (*columns(_mandates, "reference", "signed_on", "used_on", "scheme", account="shown"),)
_DUE = Question(
    select(
        *_of_payer,
        _customers.c.reference.label("customer"),
        func.count().label("items"),
        func.sum(_due.c.open_minor).label("amount_minor"),
    )
    .select_from(
        _mandates.join(_due, _due.c.mandate_id == _mandates.c.mandate_id).join(
            _customers, joined(_mandates, _customers, "customer_id")
        )
    )
    .where(mine(_mandates))
    .group_by(_mandates.c.mandate_id, *_of_payer, _customers.c.reference)
    .order_by(_mandates.c.mandate_id)
)
_ONE_BATCH = select(*[_batches.c[name] for name in debits.DEBIT_BATCHES.names]).where(
    mine(_batches), _batches.c.batch_id == bindparam("of_batch")
)
_IN_FILE = (
    select(
        *[_debits.c[name] for name in debits.DEBIT_COLLECTIONS.names],
        *[_mandates.c[name].label(f"of_{name}") for name in ("reference", "signed_on", "key_id", "sealed_account")],
    )
    .select_from(_debits.join(_mandates, joined(_debits, _mandates, "mandate_id")))
    .where(mine(_debits), _debits.c.batch_id == bindparam("of_batch"))
    .order_by(_debits.c.end_to_end)
)


def creditor(connection: Connection, operator_id: str) -> Row | None:
    """Who collects; the operator's own account, so it is shown whole."""
    return _CREDITOR.first(connection, operator=operator_id)


def mandates(
    connection: Connection, operator_id: str, customer_id: str | None = None, most: int = MOST_ROWS
) -> list[Row]:
    """Mandates, or those of a customer, the newest first; accounts as they may be shown."""
    if customer_id is None:
        rows = _MANDATES.rows(connection, operator=operator_id, most=most)
    else:
        rows = _MANDATES_OF.rows(connection, operator=operator_id, of_customer=customer_id, most=most)
    return [with_void(row) for row in rows]


def mandate(connection: Connection, operator_id: str, mandate_id: str) -> Row | None:
    """One mandate by its id or its reference, or None."""
    row = _MANDATE_BY_ID.first(connection, operator=operator_id, of_mandate=mandate_id, most=1)
    return None if row is None else with_void(row)


def with_void(row: Row) -> Row:
    """With the day from which it is void when it is not used before."""
    return {**row, "void_from": void_from(row["signed_on"], row["used_on"])}


def debit_batches(connection: Connection, operator_id: str, most: int = MOST_ROWS) -> list[Row]:
    """Batches, the latest day first."""
    return [with_state(row) for row in _BATCHES.rows(connection, operator=operator_id, most=most)]


def debit_batch(connection: Connection, operator_id: str, batch_id: str, most: int = MOST_ROWS) -> Row | None:
    """One batch, by its id or its message id, with what it asks of each payer; or None."""
    row = _BATCH_BY_ID.first(connection, operator=operator_id, of_batch=batch_id)
    if row is None:
        return None
    asked = _DEBITS_IN.rows(connection, operator=operator_id, of_batch=row["id"], most=most)
    return {**with_state(row), "debits": asked}


def debits_due(connection: Connection, operator_id: str, collect_on: str, today: str, most: int = MOST_ROWS) -> Row:
    """What a batch of that day would ask for: of how many, how much, and `debits`, by payer, the first of them."""
    rows = _DUE.rows(connection, operator=operator_id, collect_on=collect_on, first="", last=LAST)
    due = [row for row in rows if void_from(row.pop("signed_on"), row.pop("used_on")) > today]
    debits_ = [{**row, "amount_minor": int(row["amount_minor"])} for row in due]
    return {"count": len(due), "total_minor": sum(one["amount_minor"] for one in debits_), "debits": debits_[:most]}


def with_state(row: Row) -> Row:
    """With how far it is."""
    given = "given" if row["given_at"] else "ready" if row["closed_at"] else "open"
    return {**row, "state": "cancelled" if row["cancelled_at"] else given}


def debit_file_rows(
    connection: Connection, operator_id: str, batch_id: str, vault: Vault
) -> tuple[DebitBatch, list[tuple[DebitCollection, PayerAccount, str, str]]] | None:
    """A batch and what its file is made of, with the payers' accounts in the clear; Conflict when one was erased."""
    rows = _ask(connection, _ONE_BATCH, operator_id, batch_id)
    if not rows:
        return None
    batch: DebitBatch = debits.DEBIT_BATCHES.decode(rows[0])
    width = len(debits.DEBIT_COLLECTIONS.names)
    asked: list[tuple[DebitCollection, PayerAccount, str, str]] = []
    for row in _ask(connection, _IN_FILE, operator_id, batch_id):
        one: DebitCollection = debits.DEBIT_COLLECTIONS.decode(row[:width])
        reference, signed_on, key_id, sealed = row[width:]
        plain = vault.open(connection, operator_id, key_id, bytes(sealed), bound_to(operator_id, one.mandate_id))
        if not plain:
            msg = "the account of a payer in this file was erased"
            raise Conflict(msg, code="debits.file_erased")
        asked.append((one, PayerAccount.of_text(plain.decode()), reference, signed_on))
    return batch, asked


def _ask(connection: Connection, clause: Any, operator_id: str, batch_id: str) -> list[Any]:
    statement = compiled(clause, connection.dialect)
    return list(connection.execute(statement.sql, statement.bind({"operator": operator_id, "of_batch": batch_id})))
