"""Tables of customers' accounts in our own books: holds and open items, who may buy on invoice, and what came by bank."""

from __future__ import annotations

from sqlalchemy import text as sql

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import (
    check,
    choice,
    index,
    instant,
    partial_index,
    refers,
    table,
    text,
    unique,
    version,
    whole,
)
from tallywatt.payments.own_books import (
    CreditTerms,
    CustomerHold,
    HoldState,
    ReceivedTransfer,
    TransferFor,
    TransferPart,
)

IS_LIVE = "provider = 'invoice' AND (state = 'held' OR taken_minor - returned_minor - settled_minor <> 0)"
"""Held or not even yet. What is paid stays a row, and whoever charges for years must not be slower for it."""
IS_LEFT = "left_minor > 0"

CUSTOMER_HOLDS = Mapping(
    table(
        "customer_holds",
        text("payment_id"),
        text("account_id"),
        text("customer_id"),
        text("provider"),
        text("currency"),
        whole("held_minor"),
        whole("taken_minor"),
        whole("returned_minor"),
        whole("settled_minor"),
        choice("state", HoldState),
        text("pending_id", null=True),
        text("invoice_id", null=True),
        text("due_on", null=True),
        instant("created_at"),
        instant("ended_at", null=True),
        version(),
        check("held_minor > 0 AND taken_minor BETWEEN 0 AND held_minor", "taken"),
        check("returned_minor BETWEEN 0 AND taken_minor", "returned"),
        check("settled_minor BETWEEN 0 AND taken_minor", "settled"),
        check("(state = 'held') = (pending_id IS NOT NULL)", "pending"),
        refers("payment_id", "payments"),
        refers("account_id", "provider_accounts"),
        refers("customer_id", "customers"),
        index("customer_id", "provider"),
        index("provider", "state", "due_on"),
        partial_index("ix_customer_holds_live", "operator_id", "customer_id", "currency", where=sql(IS_LIVE)),
        key=("payment_id",),
    ),
    CustomerHold,
)

CREDIT_TERMS = Mapping(
    table(
        "credit_terms",
        text("customer_id"),
        text("currency"),
        whole("limit_minor"),
        whole("term_days"),
        instant("allowed_at"),
        instant("ended_at", null=True),
        version(),
        check("limit_minor >= 0 AND term_days >= 0", "terms"),
        refers("customer_id", "customers"),
        key=("customer_id", "currency"),
    ),
    CreditTerms,
)

RECEIVED_TRANSFERS = Mapping(
    table(
        "received_transfers",
        text("transfer_id"),
        text("transfer_key"),
        text("customer_id"),
        choice("target", TransferFor),
        text("currency"),
        whole("amount_minor"),
        whole("left_minor"),
        text("reference"),
        text("received_on"),
        instant("received_at"),
        instant("returned_at", null=True),
        version(),
        unique("transfer_key"),
        check("amount_minor > 0 AND left_minor BETWEEN 0 AND amount_minor", "left"),
        refers("customer_id", "customers"),
        index("customer_id", "currency"),
        partial_index("ix_received_transfers_left", "operator_id", "customer_id", "currency", where=sql(IS_LEFT)),
        key=("transfer_id",),
        personal="payment",
    ),
    ReceivedTransfer,
)

TRANSFER_PARTS = Mapping(
    table(
        "transfer_parts",
        text("part_id"),
        text("transfer_id"),
        text("payment_id"),
        whole("amount_minor"),
        instant("created_at"),
        check("amount_minor <> 0", "amount"),
        refers("transfer_id", "received_transfers"),
        refers("payment_id", "customer_holds"),
        index("transfer_id"),
        index("payment_id"),
        key=("part_id",),
    ),
    TransferPart,
)
