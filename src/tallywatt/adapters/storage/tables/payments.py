"""Tables of the room `payments`: provider accounts, stored methods, payments, operations, allocations, webhooks."""

from __future__ import annotations

from sqlalchemy import Column, and_, column

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
    texts,
    unique,
    unique_where,
    version,
    whole,
)
from tallywatt.payments.account import MethodState, PaymentMethod, ProviderAccount
from tallywatt.payments.allocation import Allocation, Target
from tallywatt.payments.health import Circuit, ProviderHealth
from tallywatt.payments.operation import UNRESOLVED, Operation, OperationKind, OperationState
from tallywatt.payments.payment import AT_READER, Payment, PaymentKind, PaymentState
from tallywatt.payments.restoration import Restoration
from tallywatt.payments.secret import SealedSecret
from tallywatt.payments.webhook import WebhookEvent, WebhookState

PROVIDER_ACCOUNTS = Mapping(
    table(
        "provider_accounts",
        text("account_id"),
        text("name"),
        text("provider"),
        flag("live"),
        text("base_url", null=True),
        texts("currencies"),
        text("secret_reference"),
        texts("webhook_secret_references"),
        flag("is_default"),
        instant("created_at"),
        instant("closed_at", null=True),
        text("merchant", null=True),
        Column("rank", WHOLE, nullable=False, server_default="0"),
        whole("fee_minor", null=True),
        whole("fee_basis_points", null=True),
        text("report_user", null=True),
        text("report_secret_reference", null=True),
        whole("least_minor", null=True),
        whole("low_minor", null=True),
        Column("several_captures", WHOLE, nullable=False, server_default="0", info={"codec": "flag"}),
        version(),
        unique("name"),
        unique_where("uq_provider_accounts_default", where=column("is_default") == 1),
        key=("account_id",),
    ),
    ProviderAccount,
)

PROVIDER_HEALTH = Mapping(
    table(
        "provider_health",
        text("account_id"),
        choice("state", Circuit),
        whole("failures"),
        whole("pauses"),
        instant("retry_at", null=True),
        instant("changed_at"),
        version(),
        refers("account_id", "provider_accounts"),
        key=("account_id",),
    ),
    ProviderHealth,
)

SEALED_SECRETS = Mapping(
    table(
        "sealed_secrets",
        text("secret_id"),
        text("name"),
        text("key_id"),
        blob("sealed_secret"),
        instant("created_at"),
        instant("changed_at"),
        version(),
        unique("name"),
        key=("secret_id",),
    ),
    SealedSecret,
)

PAYMENT_METHODS = Mapping(
    table(
        "payment_methods",
        text("method_id"),
        text("customer_id"),
        text("account_id"),
        text("customer_ref"),
        text("method_ref"),
        text("brand"),
        text("last4"),
        choice("state", MethodState),
        instant("created_at"),
        version(),
        unique("account_id", "method_ref"),
        refers("account_id", "provider_accounts"),
        refers("customer_id", "customers"),
        index("customer_id"),
        key=("method_id",),
        personal="payment",
    ),
    PaymentMethod,
)

PAYMENTS = Mapping(
    table(
        "payments",
        text("payment_id"),
        text("session_id", null=True),
        text("customer_id", null=True),
        text("account_id"),
        text("method_id", null=True),
        text("evse_id", null=True),
        text("offer_id", null=True),
        text("invoice_id", null=True),
        choice("kind", PaymentKind),
        text("reference"),
        text("currency"),
        whole("amount_minor"),
        whole("due_minor", null=True),
        whole("authorised_minor"),
        whole("captured_minor"),
        whole("refunded_minor"),
        whole("suspense_minor"),
        choice("state", PaymentState),
        text("provider_ref", null=True),
        text("page_ref", null=True),
        text("hosted_page_url", null=True),
        instant("hold_expires_at", null=True),
        text("card_brand", null=True),
        text("card_last4", null=True),
        text("driver_secret", null=True),
        text("reason", null=True),
        instant("created_at"),
        Column("lost_minor", WHOLE, nullable=False, server_default="0"),
        instant("terminal_until", null=True),
        text("purpose", null=True),
        text("reader_id", null=True),
        Column("several_captures", WHOLE, nullable=False, server_default="0", info={"codec": "flag"}),
        Column("keeps_hold", WHOLE, nullable=False, server_default="0", info={"codec": "flag"}),
        version(),
        unique("reference"),
        unique_where(
            "uq_payments_provider_ref", "account_id", "provider_ref", where=column("provider_ref").is_not(None)
        ),
        unique_where("uq_payments_driver_secret", "driver_secret", where=column("driver_secret").is_not(None)),
        # A reader asks for one card at a time: the second driver waits until it is known what became of the first.
        unique_where(
            "uq_payments_at_reader",
            "reader_id",
            where=and_(column("reader_id").is_not(None), column("state").in_([one.value for one in AT_READER])),
        ),
        check("amount_minor >= 0 AND authorised_minor >= 0 AND suspense_minor >= 0", "amounts"),
        check("due_minor IS NULL OR due_minor >= 0", "due"),
        check("captured_minor BETWEEN 0 AND authorised_minor", "captured"),
        check("refunded_minor BETWEEN 0 AND captured_minor", "refunded"),
        check("state NOT IN ('voided', 'expired', 'abandoned') OR captured_minor = 0", "captured_or_released"),
        check("keeps_hold = 0 OR (state = 'authorised' AND several_captures = 1)", "keeps_hold"),
        refers("account_id", "provider_accounts"),
        refers("method_id", "payment_methods"),
        index("session_id"),
        index("customer_id", "payment_id"),
        index("invoice_id"),
        index("state", "payment_id"),
        index("kind", "payment_id"),
        index("created_at", "payment_id"),
        key=("payment_id",),
        personal="payment",
    ),
    Payment,
)

OPERATIONS = Mapping(
    table(
        "operations",
        text("operation_id"),
        text("payment_id"),
        text("account_id"),
        choice("kind", OperationKind),
        whole("amount_minor"),
        text("currency"),
        text("idempotency_key"),
        text("request"),
        text("request_hash"),
        choice("state", OperationState),
        whole("attempts"),
        instant("first_sent_at", null=True),
        instant("last_sent_at", null=True),
        text("provider_ref", null=True),
        text("code", null=True),
        text("advice", null=True),
        text("error", null=True),
        instant("created_at"),
        instant("resolved_at", null=True),
        version(),
        unique("idempotency_key"),
        # Never two things on their way for one payment: the second would be decided on what the first may have changed.
        unique_where(
            "uq_operations_unresolved", "payment_id", where=column("state").in_([state.value for state in UNRESOLVED])
        ),
        check("amount_minor >= 0 AND attempts >= 0", "amounts"),
        refers("payment_id", "payments"),
        refers("account_id", "provider_accounts"),
        index("payment_id"),
        index("state"),
        key=("operation_id",),
        personal="payment",
    ),
    Operation,
)

ALLOCATIONS = Mapping(
    table(
        "allocations",
        text("allocation_id"),
        text("payment_id"),
        choice("target", Target),
        text("target_id"),
        whole("amount_minor"),
        text("currency"),
        text("operation_id", null=True),
        instant("created_at"),
        check("amount_minor <> 0", "amount"),
        refers("payment_id", "payments"),
        index("payment_id"),
        index("target", "target_id"),
        key=("allocation_id",),
    ),
    Allocation,
)

WEBHOOK_EVENTS = Mapping(
    table(
        "webhook_events",
        text("account_id"),
        text("event_id"),
        text("type"),
        text("payment_id", null=True),
        choice("state", WebhookState),
        instant("said_at"),
        instant("received_at"),
        text("key_id", null=True),
        blob("sealed", null=True),
        refers("account_id", "provider_accounts"),
        index("payment_id"),
        index("received_at"),
        index("state"),
        key=("account_id", "event_id"),
        personal="webhook_body",
    ),
    WebhookEvent,
)

RESTORATIONS = Mapping(
    table(
        "restorations",
        text("restoration_id"),
        text("archive_sha256"),
        instant("backup_at"),
        instant("restored_at"),
        instant("compared_at", null=True),
        whole("found"),
        version(),
        key=("restoration_id",),
    ),
    Restoration,
)
