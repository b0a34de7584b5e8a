"""Tables of settlements: what providers list, how far it was read, and what does not agree."""

from __future__ import annotations

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import (
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
from tallywatt.payments.settlement import (
    Action,
    DifferenceKind,
    DifferenceState,
    LineKind,
    LineState,
    SettlementDifference,
    SettlementLine,
    SettlementReading,
)

SETTLEMENT_LINES = Mapping(
    table(
        "settlement_lines",
        text("account_id"),
        text("line_ref"),
        choice("kind", LineKind),
        choice("state", LineState),
        text("payment_id", null=True),
        text("source_ref", null=True),
        whole("amount_minor"),
        whole("fee_minor"),
        text("currency"),
        whole("source_minor"),
        text("source_currency"),
        text("exchange_rate", null=True),
        text("payout_ref", null=True),
        instant("said_at"),
        instant("received_at"),
        whole("revision"),
        version(),
        check("revision >= 0", "revision"),
        check("state = 'matched' OR payment_id IS NULL", "extra"),
        refers("account_id", "provider_accounts"),
        refers("payment_id", "payments"),
        index("payment_id"),
        index("account_id", "payout_ref"),
        index("account_id", "kind", "said_at"),
        index("said_at", "line_ref"),
        key=("account_id", "line_ref"),
    ),
    SettlementLine,
)

SETTLEMENT_READINGS = Mapping(
    table(
        "settlement_readings",
        text("account_id"),
        instant("from_at"),
        instant("until_at"),
        instant("read_at"),
        text("error", null=True),
        version(),
        refers("account_id", "provider_accounts"),
        key=("account_id",),
    ),
    SettlementReading,
)

SETTLEMENT_DIFFERENCES = Mapping(
    table(
        "settlement_differences",
        text("difference_id"),
        text("account_id"),
        choice("kind", DifferenceKind),
        text("subject_ref"),
        text("payment_id", null=True),
        text("currency"),
        whole("expected_minor"),
        whole("found_minor"),
        whole("booked_minor"),
        choice("suggestion", Action),
        choice("state", DifferenceState),
        instant("created_at"),
        instant("resolved_at", null=True),
        text("resolved_by", null=True),
        text("resolution", null=True),
        version(),
        unique("account_id", "kind", "subject_ref"),
        check("(state = 'resolved') = (resolved_at IS NOT NULL)", "resolved"),
        refers("account_id", "provider_accounts"),
        refers("payment_id", "payments"),
        index("payment_id"),
        index("state", "difference_id"),
        key=("difference_id",),
    ),
    SettlementDifference,
)
