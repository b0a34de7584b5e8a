"""Tables of SEPA direct debit: who collects, mandates, batches by day, what is asked of each payer and for which items."""

from __future__ import annotations

from sqlalchemy import Column

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import (
    WHOLE,
    blob,
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
from tallywatt.payments.debit import (
    CollectionState,
    Creditor,
    DebitBatch,
    DebitCollection,
    DebitPart,
    Mandate,
    MandateState,
    Scheme,
    Sequence,
)

CREDITORS = Mapping(
    table(
        "creditors",
        text("currency"),
        text("creditor_id"),
        text("name"),
        text("iban"),
        text("bic", null=True),
        whole("notice_days"),
        instant("changed_at"),
        version(),
        check("currency = 'EUR'", "currency"),
        check("notice_days > 0", "notice"),
        key=("currency",),
    ),
    Creditor,
)

_mandate_state = choice("state", MandateState)
MANDATES = Mapping(
    table(
        "mandates",
        text("mandate_id"),
        text("reference"),
        text("customer_id"),
        choice("scheme", Scheme),
        text("key_id"),
        blob("sealed_account"),
        text("shown"),
        text("signed_on"),
        _mandate_state,
        text("used_on", null=True),
        instant("created_at"),
        instant("ended_at", null=True),
        text("end_reason", null=True),
        version(),
        unique("reference"),
        check("(state = 'ended') = (ended_at IS NOT NULL)", "ended"),
        unique_where("uq_mandates_one_of_customer", "customer_id", where=_mandate_state != "ended"),
        refers("customer_id", "customers"),
        index("customer_id"),
        index("state", "mandate_id"),
        key=("mandate_id",),
        personal="account",
    ),
    Mandate,
)

DEBIT_BATCHES = Mapping(
    table(
        "debit_batches",
        text("batch_id"),
        text("batch_key"),
        text("message_id"),
        text("collect_on"),
        text("currency"),
        text("creditor_id"),
        text("creditor_name"),
        text("creditor_iban"),
        text("creditor_bic", null=True),
        whole("count"),
        whole("total_minor"),
        text("looked_to"),
        instant("made_at"),
        instant("closed_at", null=True),
        instant("given_at", null=True),
        instant("cancelled_at", null=True),
        version(),
        unique("batch_key"),
        unique("message_id"),
        check("count >= 0 AND total_minor >= 0 AND (count = 0) = (total_minor = 0)", "total"),
        index("collect_on"),
        key=("batch_id",),
    ),
    DebitBatch,
)

DEBIT_COLLECTIONS = Mapping(
    table(
        "debit_collections",
        text("collection_id"),
        text("batch_id"),
        text("mandate_id"),
        text("customer_id"),
        text("end_to_end"),
        choice("scheme", Scheme),
        choice("sequence", Sequence),
        whole("amount_minor"),
        text("currency"),
        text("remittance"),
        choice("state", CollectionState),
        text("reason", null=True),
        text("pending_id"),
        text("transfer_id", null=True),
        text("line_id", null=True),
        text("return_line_id", null=True),
        whole("fee_minor"),
        instant("told_at", null=True),
        instant("created_at"),
        instant("ended_at", null=True),
        Column("revision", WHOLE, nullable=False, server_default="0"),
        version(),
        unique("end_to_end"),
        unique("batch_id", "mandate_id"),
        check("amount_minor > 0 AND fee_minor >= 0", "amount"),
        check("(state IN ('collected', 'returned')) = (transfer_id IS NOT NULL)", "transfer"),
        check("(state = 'returned') = (return_line_id IS NOT NULL)", "returned"),
        refers("batch_id", "debit_batches"),
        refers("mandate_id", "mandates"),
        refers("customer_id", "customers"),
        index("customer_id"),
        index("mandate_id"),
        index("line_id"),
        key=("collection_id",),
        personal="payment",
    ),
    DebitCollection,
)

_is_open = flag("is_open")
DEBIT_PARTS = Mapping(
    table(
        "debit_parts",
        text("collection_id"),
        text("payment_id"),
        whole("amount_minor"),
        _is_open,
        check("amount_minor > 0", "amount"),
        # An item is asked for once at a time, whoever asks, and whatever crashes between.
        unique_where("uq_debit_parts_open", "payment_id", where=_is_open == 1),
        refers("collection_id", "debit_collections"),
        refers("payment_id", "customer_holds"),
        index("payment_id"),
        key=("collection_id", "payment_id"),
    ),
    DebitPart,
)
