"""Tables of the operator's bank: lines of its statements."""

from __future__ import annotations

from sqlalchemy import Column
from sqlalchemy import text as sql

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import (
    WHOLE,
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
from tallywatt.payments.bank import BankLine, BankLineState, Carrying

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
        choice("under_way", Carrying, null=True),
        text("debit_groups", null=True),
        text("carried_to", null=True),
        version(),
        check("(state = 'matched') = (settlement_ref IS NOT NULL)", "matched"),
        check("(account_id IS NULL) = (settlement_ref IS NULL)", "payout"),
        refers(("account_id", "settlement_ref"), "settlement_lines", ("account_id", "line_ref")),
        unique("account_id", "settlement_ref"),
        index("state", "booked_at", "line_id"),
        index("booked_at", "line_id"),
        # What goes back is looked for by the sum that came.
        index("state", "amount_minor"),
        partial_index("ix_bank_lines_transfer", "operator_id", "transfer_id", where=sql("transfer_id IS NOT NULL")),
        partial_index("ix_bank_lines_under_way", "operator_id", "batch_id", where=sql("under_way IS NOT NULL")),
        key=("line_id",),
        personal="account",
    ),
    BankLine,
)
