"""Tables of the room `ledger`: accounts, entries, transfers."""

from __future__ import annotations

from sqlalchemy import column

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import (
    check,
    choice,
    flag,
    index,
    instant,
    refers,
    table,
    text,
    unique,
    unique_where,
    version,
    whole,
)
from tallywatt.ledger.books import Account, Entry, Phase, Transfer

ACCOUNTS = Mapping(
    table(
        "accounts",
        text("account_id"),
        text("code"),
        text("currency"),
        flag("constrained"),
        whole("debits_pending"),
        whole("debits_posted"),
        whole("credits_pending"),
        whole("credits_posted"),
        instant("created_at"),
        version(),
        unique("code", "currency"),
        # The target of the transfers' references: an account has one currency, and a transfer has that of both its accounts.
        unique("account_id", "currency"),
        check("constrained = 0 OR debits_posted + debits_pending <= credits_posted", "not_overdrawn"),
        key=("account_id",),
    ),
    Account,
)

ENTRIES = Mapping(
    table(
        "entries",
        text("entry_id"),
        text("kind"),
        text("cause_kind"),
        text("cause_id"),
        text("payload_hash"),
        instant("booked_at"),
        index("cause_kind", "cause_id"),
        index("booked_at"),
        key=("entry_id",),
    ),
    Entry,
)

TRANSFERS = Mapping(
    table(
        "transfers",
        text("transfer_id"),
        text("entry_id"),
        choice("phase", Phase),
        text("debit_account_id"),
        text("credit_account_id"),
        whole("amount_minor"),
        text("currency"),
        text("pending_id", null=True),
        instant("booked_at"),
        check("amount_minor >= 0", "amount"),
        check("debit_account_id <> credit_account_id", "two_accounts"),
        check("(phase IN ('post', 'void', 'expire')) = (pending_id IS NOT NULL)", "resolution"),
        # A pending transfer is resolved at most once.
        unique_where("uq_transfers_pending", "pending_id", where=column("pending_id").is_not(None)),
        refers("entry_id", "entries"),
        refers(("debit_account_id", "currency"), "accounts", ("account_id", "currency")),
        refers(("credit_account_id", "currency"), "accounts", ("account_id", "currency")),
        refers("pending_id", "transfers", "transfer_id"),
        index("entry_id"),
        index("debit_account_id"),
        index("credit_account_id"),
        key=("transfer_id",),
    ),
    Transfer,
)
