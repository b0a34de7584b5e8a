"""Tables of price corrections: which sessions are rated again, and what became of each."""

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
    version,
    whole,
)
from tallywatt.invoicing.correction import CorrectedSession, Correction, CorrectionState, Outcome

CORRECTIONS = Mapping(
    table(
        "corrections",
        text("correction_id"),
        text("tariff_version_id"),
        text("reason"),
        instant("since_at"),
        instant("until_at"),
        text("priced_by"),
        choice("state", CorrectionState),
        text("currency"),
        whole("looked"),
        whole("less_minor"),
        whole("more_minor"),
        whole("largest_minor"),
        text("asked_by"),
        instant("created_at"),
        instant("ended_at", null=True),
        Column("others", WHOLE, nullable=False, server_default="0"),
        whole("ask_above_minor", null=True),
        text("decided_by", null=True),
        version(),
        refers("tariff_version_id", "tariff_versions"),
        key=("correction_id",),
    ),
    Correction,
)

CORRECTED_SESSIONS = Mapping(
    table(
        "corrected_sessions",
        text("correction_id"),
        text("session_id"),
        text("invoice_id"),
        whole("was_minor"),
        whole("now_minor"),
        choice("outcome", Outcome),
        whole("credited_minor"),
        whole("refunded_minor"),
        text("note", null=True),
        Column("replaces", WHOLE, nullable=False, server_default="0", info={"codec": "flag"}),
        whole("was_tax_minor", null=True),
        whole("now_tax_minor", null=True),
        Column("asked_minor", WHOLE, nullable=False, server_default="0"),
        Column("waived_minor", WHOLE, nullable=False, server_default="0"),
        text("new_invoice_id", null=True),
        text("decided_by", null=True),
        version(),
        check("credited_minor >= 0 AND refunded_minor >= 0", "not_negative"),
        check("credited_minor + refunded_minor <= was_minor", "no_more_than_was_charged"),
        check("(outcome = 'returned') = (credited_minor + refunded_minor > 0)", "returned"),
        check("asked_minor >= 0 AND waived_minor >= 0", "asked"),
        refers("correction_id", "corrections"),
        refers("invoice_id", "invoices"),
        index("invoice_id"),
        index("session_id"),
        index("correction_id", "outcome", "session_id"),
        key=("correction_id", "session_id"),
    ),
    CorrectedSession,
)
