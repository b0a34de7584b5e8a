"""Views of customers' accounts in our own books: balances, terms, open items, and what has moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, bindparam, case, or_, select

from tallywatt.adapters.storage.tables import customers, invoicing, ledger, own_books, payments
from tallywatt.adapters.storage.views.asking import MOST_ROWS, Question, Row, columns, joined, mine
from tallywatt.ledger.books import MOVING
from tallywatt.ledger.chart import on_account, prepaid

if TYPE_CHECKING:
    from tallywatt.adapters.storage.connections import Connection

_customers = customers.CUSTOMERS.table
_accounts = ledger.ACCOUNTS.table
_entries = ledger.ENTRIES.table
_transfers = ledger.TRANSFERS.table
_holds = own_books.CUSTOMER_HOLDS.table
_terms = own_books.CREDIT_TERMS.table
_received = own_books.RECEIVED_TRANSFERS.table
_invoices = invoicing.INVOICES.table
_methods = payments.PAYMENT_METHODS.table
_provider_accounts = payments.PROVIDER_ACCOUNTS.table

MOST_OF_A_FLEET = 100
"""Customers whose accounts are on the page of a fleet's manager."""
_open = _holds.c.taken_minor - _holds.c.returned_minor - _holds.c.settled_minor

_BALANCES = Question(
    select(
        *columns(_accounts, "currency"),
        (_accounts.c.credits_posted - _accounts.c.debits_posted).label("balance_minor"),
        _accounts.c.debits_pending.label("held_minor"),
        (_accounts.c.credits_posted - _accounts.c.debits_posted - _accounts.c.debits_pending).label("free_minor"),
    )
    .where(mine(_accounts), _accounts.c.code == bindparam("of_code"))
    .order_by(_accounts.c.currency)
)
_PREPAID_WAYS = Question(
    select(*columns(_provider_accounts, "currencies"))
    .select_from(_methods.join(_provider_accounts, joined(_methods, _provider_accounts, "account_id")))
    .where(
        mine(_methods),
        _methods.c.customer_id == bindparam("of_customer"),
        _methods.c.state == "active",
        _provider_accounts.c.provider == "prepaid",
    )
    .order_by(_methods.c.method_id)
)
_TERMS = Question(
    select(*columns(_terms, "currency", "limit_minor", "term_days", "allowed_at", "ended_at"))
    .where(mine(_terms), _terms.c.customer_id == bindparam("of_customer"))
    .order_by(_terms.c.currency)
)
_ITEM = (
    select(
        *columns(_holds, "payment_id", "currency", "due_on", "taken_minor", "returned_minor", "settled_minor"),
        case((_open > 0, _open), else_=0).label("open_minor"),
        # A correction after it was paid leaves it below zero: that is the customer's.
        case((_open < 0, -_open), else_=0).label("credit_minor"),
        *columns(_invoices, invoice="number", issue_date="issue_date"),
        *columns(_customers, customer="reference"),
    )
    .select_from(
        _holds.join(_customers, joined(_holds, _customers, "customer_id")).outerjoin(
            _invoices, joined(_holds, _invoices, "invoice_id")
        )
    )
    .where(mine(_holds), _holds.c.provider == "invoice", _holds.c.state == "taken", _open != 0)
    .order_by(_holds.c.due_on, _holds.c.payment_id)
    .limit(bindparam("most"))
)
_ITEMS = Question(_ITEM)
_ITEMS_OF = Question(_ITEM.where(_holds.c.customer_id == bindparam("of_customer")))
_HELD_OF = Question(
    select(*columns(_holds, "currency", "held_minor"))
    .where(
        mine(_holds),
        _holds.c.customer_id == bindparam("of_customer"),
        _holds.c.provider == "invoice",
        _holds.c.state == "held",
    )
    .limit(bindparam("most"))
)
_CREDIT_LEFT = Question(
    select(*columns(_received, "currency", "left_minor"))
    .where(mine(_received), _received.c.customer_id == bindparam("of_customer"), _received.c.left_minor > 0)
    .limit(bindparam("most"))
)
# What came to an account stands above nothing, what went from it below.
_MOVEMENTS = Question(
    select(
        _entries.c.booked_at.label("booked_at"),
        _entries.c.kind.label("kind"),
        _entries.c.cause_id.label("cause"),
        _accounts.c.code.label("code"),
        _transfers.c.currency.label("currency"),
        case(
            (_transfers.c.credit_account_id == _accounts.c.account_id, _transfers.c.amount_minor),
            else_=-_transfers.c.amount_minor,
        ).label("minor"),
    )
    .select_from(
        _transfers.join(_entries, joined(_transfers, _entries, "entry_id")).join(
            _accounts,
            and_(
                _accounts.c.operator_id == _transfers.c.operator_id,
                or_(
                    _transfers.c.credit_account_id == _accounts.c.account_id,
                    _transfers.c.debit_account_id == _accounts.c.account_id,
                ),
            ),
        )
    )
    .where(
        mine(_transfers),
        or_(_accounts.c.code == bindparam("of_code"), _accounts.c.code == bindparam("of_other")),
        _transfers.c.phase.in_([one.value for one in MOVING]),
    )
    .order_by(_entries.c.booked_at.desc(), _transfers.c.transfer_id)
    .limit(bindparam("most"))
)
_MEANS = {
    "payment_captured": "paid_in",
    "payment_refunded": "paid_back",
    "payment_taken_back": "taken_back",
    "own_capture": "session",
    "own_charge": "session",
    "own_refund": "refund",
    "transfer_received": "transfer",
    "balance_paid_out": "paid_out",
}


def customer_account(connection: Connection, operator_id: str, customer_id: str, most: int = MOST_ROWS) -> Row:
    """A customer's balances, terms, open items and movements, the newest first."""
    own = {"operator": operator_id, "of_customer": customer_id}
    items = _ITEMS_OF.rows(connection, **own, most=most)
    held = _HELD_OF.rows(connection, **own, most=most)
    left = _CREDIT_LEFT.rows(connection, **own, most=most)
    terms = _TERMS.rows(connection, **own)
    for row in terms:
        mine_ = _sum(items, "credit_minor", row["currency"]) + _sum(left, "left_minor", row["currency"])
        row["open_minor"] = _sum(items, "open_minor", row["currency"]) - mine_
        row["held_minor"] = _sum(held, "held_minor", row["currency"])
        row["free_minor"] = row["limit_minor"] - row["open_minor"] - row["held_minor"]
    codes = {"of_code": prepaid(customer_id), "of_other": on_account(customer_id)}
    moved = _MOVEMENTS.rows(connection, operator=operator_id, most=most, **codes)
    balances = _BALANCES.rows(connection, operator=operator_id, of_code=prepaid(customer_id))
    there = {row["currency"] for row in balances}
    for account in _PREPAID_WAYS.rows(connection, **own):
        # Opened, and nothing has come yet.
        for code in sorted(set(account["currencies"]) - there):
            there.add(code)
            balances.append({"currency": code, "balance_minor": 0, "held_minor": 0, "free_minor": 0})
    return {
        "balances": balances,
        "credit": terms,
        "items": items,
        "movements": [_movement(row) for row in moved],
    }


_REFERENCE = Question(
    select(*columns(_customers, "reference")).where(
        mine(_customers), _customers.c.customer_id == bindparam("of_customer")
    )
)


def fleet_accounts(connection: Connection, operator_id: str, customer_ids: tuple[str, ...]) -> list[Row]:
    """What the customers of a fleet have, and what they owe, each with its `customer`; those without either are left out."""
    found = []
    for customer_id in customer_ids[:MOST_OF_A_FLEET]:
        named = _REFERENCE.first(connection, operator=operator_id, of_customer=customer_id)
        account = customer_account(connection, operator_id, customer_id, MOST_ROWS)
        if named is not None and (account["balances"] or account["credit"]):
            found.append({"customer": named["reference"], **account})
    return sorted(found, key=lambda row: str(row["customer"]))


def open_items(
    connection: Connection, operator_id: str, overdue_on: str | None = None, most: int = MOST_ROWS
) -> list[Row]:
    """What customers have bought on invoice that is not even, the longest due first; with a day: what was due before it."""
    rows = _ITEMS.rows(connection, operator=operator_id, most=most)
    if overdue_on is None:
        return rows
    return [row for row in rows if row["open_minor"] and (row["due_on"] or "") < overdue_on]


def _sum(rows: list[Row], name: str, currency: str) -> int:
    return sum(int(row[name]) for row in rows if row["currency"] == currency)


def _movement(row: Row) -> Row:
    on = "balance" if row.pop("code").startswith("prepaid/") else "account"
    kind = _MEANS.get(row.pop("kind"), "other")
    payment_id = row.pop("cause").partition("/")[0]
    return {**row, "on": on, "what": kind, "cause_id": payment_id}
