"""Tables of the operator's bank: lines of its statements."""

from __future__ import annotations

from sqlalchemy import Column

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import (
    WHOLE,
    check,
    choice,
    index,
    instant,
    refers,
    table,
    text,
    unique,
    version,
    whole,
)
from tallywatt.payments.bank import BankLine, BankLineState

BANK_LINES = Mapping(
    table(
        "bank_lines",
        text("line_id"),
        text("bank_account"),
        text("statement_ref"),
        text("entry_ref"),
        instant("booked_at"),
        whole("amount_minor"),
        text("currency"),
        text("reference", null=True),
        text("end_to_end", null=True),
        text("remittance", null=True),
        text("counterparty", null=True),
        text("counterparty_account", null=True),
        text("return_code", null=True),
        choice("state", BankLineState),
        whole("candidates"),
        text("account_id", null=True),
        text("settlement_ref", null=True),
        instant("received_at"),
        instant("decided_at", null=True),
        text("decided_by", null=True),
        text("note", null=True),
        text("transfer_id", null=True),
        text("batch_ref", null=True),
        text("mandate_ref", null=True),
        text("batch_id", null=True),
        Column("revision", WHOLE, nullable=False, server_default="0"),
        instant("undone_at", null=True),
        text("undone_by", null=True),
        text("undo_note", null=True),
        version(),
        check("(state = 'matched') = (settlement_ref IS NOT NULL)", "matched"),
        check("(account_id IS NULL) = (settlement_ref IS NULL)", "payout"),
        refers(("account_id", "settlement_ref"), "settlement_lines", ("account_id", "line_ref")),
        unique("account_id", "settlement_ref"),
        index("state", "booked_at", "line_id"),
        index("booked_at", "line_id"),
        key=("line_id",),
        personal="account",
    ),
    BankLine,
)
