"""Tables of limits and second pairs of eyes: who may give away how much alone, and what waits for another person."""

from __future__ import annotations

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import (
    check,
    choice,
    index,
    instant,
    json_text,
    table,
    text,
    texts,
    unique,
    version,
    whole,
)
from tallywatt.customers.approval import Approval, ApprovalKind, ApprovalState, GivenAway, Holder, MoneyLimit

MONEY_LIMITS = Mapping(
    table(
        "money_limits",
        choice("holder", Holder),
        text("currency"),
        whole("payment_minor", null=True),
        whole("day_minor", null=True),
        instant("changed_at"),
        version(),
        check("payment_minor >= 0 AND day_minor >= 0", "not_negative"),
        key=("holder", "currency"),
    ),
    MoneyLimit,
)

GIVEN_AWAY = Mapping(
    table(
        "given_away",
        text("holder_id"),
        text("day"),
        text("currency"),
        whole("given_minor"),
        version(),
        check("given_minor >= 0", "given"),
        key=("holder_id", "day", "currency"),
    ),
    GivenAway,
)

APPROVALS = Mapping(
    table(
        "approvals",
        text("approval_id"),
        choice("kind", ApprovalKind),
        text("subject_id"),
        text("request_key"),
        whole("amount_minor"),
        text("currency"),
        text("reason"),
        texts("beyond"),
        json_text("request"),
        text("asked_by"),
        choice("state", ApprovalState),
        instant("created_at"),
        instant("expires_at"),
        instant("decided_at", null=True),
        text("decided_by", null=True),
        text("note", null=True),
        text("result_id", null=True),
        version(),
        unique("kind", "request_key"),
        check("(state = 'waiting') = (decided_at IS NULL)", "decided"),
        check("state NOT IN ('approved', 'declined') OR decided_by IS NOT NULL", "decider"),
        check("decided_by IS NULL OR state <> 'approved' OR decided_by <> asked_by", "second_eyes"),
        index("subject_id", "approval_id"),
        index("state", "approval_id"),
        key=("approval_id",),
        personal="payment",
    ),
    Approval,
)
