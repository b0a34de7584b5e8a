"""The first tables: operator in every key, all that billing is built on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("constrained", WHOLE, nullable=False),
        sa.Column("debits_pending", WHOLE, nullable=False),
        sa.Column("debits_posted", WHOLE, nullable=False),
        sa.Column("credits_pending", WHOLE, nullable=False),
        sa.Column("credits_posted", WHOLE, nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint(
            "constrained = 0 OR debits_posted + debits_pending <= credits_posted",
            name=op.f("ck_accounts_not_overdrawn"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "account_id", name=op.f("pk_accounts")),
        sa.UniqueConstraint(
            "operator_id", "account_id", "currency", name=op.f("uq_accounts_operator_id_account_id_currency")
        ),
        sa.UniqueConstraint("operator_id", "code", "currency", name=op.f("uq_accounts_operator_id_code_currency")),
        sqlite_strict=True,
    )
    op.create_table(
        "actions",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("action_id", sa.Text(), nullable=False),
        sa.Column("caller_kind", sa.Text(), nullable=False),
        sa.Column("caller_id", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("recorded_at", WHOLE, nullable=False),
        sa.Column("booked_at", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "action_id", name=op.f("pk_actions")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_actions_operator_id_recorded_at"), "actions", ["operator_id", "recorded_at"], unique=False)
    op.create_table(
        "answered_requests",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("caller_id", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("status", WHOLE, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "caller_id", "idempotency_key", name=op.f("pk_answered_requests")),
        sqlite_strict=True,
    )
    op.create_table(
        "api_keys",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("api_key_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("expires_at", WHOLE, nullable=True),
        sa.Column("last_used_at", WHOLE, nullable=True),
        sa.Column("revoked_at", WHOLE, nullable=True),
        sa.PrimaryKeyConstraint("operator_id", "api_key_id", name=op.f("pk_api_keys")),
        sqlite_strict=True,
    )
    op.create_index("uq_api_keys_prefix", "api_keys", ["prefix"], unique=True)
    op.create_table(
        "business_clock",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("machine", WHOLE, nullable=False),
        sa.Column("business", WHOLE, nullable=False),
        sa.Column("rate_ppm", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_business_clock")),
        sqlite_strict=True,
    )
    op.create_table(
        "console_links",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("link_id", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("expires_at", WHOLE, nullable=False),
        sa.Column("used_at", WHOLE, nullable=True),
        sa.PrimaryKeyConstraint("operator_id", "link_id", name=op.f("pk_console_links")),
        sqlite_strict=True,
    )
    op.create_index("uq_console_links_secret_hash", "console_links", ["secret_hash"], unique=True)
    op.create_table(
        "console_sessions",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("console_session_id", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("expires_at", WHOLE, nullable=False),
        sa.Column("revoked_at", WHOLE, nullable=True),
        sa.PrimaryKeyConstraint("operator_id", "console_session_id", name=op.f("pk_console_sessions")),
        sqlite_strict=True,
    )
    op.create_index("uq_console_sessions_secret_hash", "console_sessions", ["secret_hash"], unique=True)
    op.create_table(
        "cursors",
        sa.Column("consumer", sa.Text(), nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("consumer", name=op.f("pk_cursors")),
        sqlite_strict=True,
    )
    op.create_table(
        "customers",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "customer_id", name=op.f("pk_customers")),
        sa.UniqueConstraint("operator_id", "reference", name=op.f("uq_customers_operator_id_reference")),
        sqlite_strict=True,
    )
    op.create_table(
        "data_keys",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("class", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("dropped_at", WHOLE, nullable=True),
        sa.PrimaryKeyConstraint("operator_id", "key_id", name=op.f("pk_data_keys")),
        sa.UniqueConstraint("operator_id", "class", "month", name=op.f("uq_data_keys_operator_id_class_month")),
        sqlite_strict=True,
    )
    op.create_table(
        "entries",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("cause_kind", sa.Text(), nullable=False),
        sa.Column("cause_id", sa.Text(), nullable=False),
        sa.Column("payload_hash", sa.Text(), nullable=False),
        sa.Column("booked_at", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "entry_id", name=op.f("pk_entries")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_entries_operator_id_booked_at"), "entries", ["operator_id", "booked_at"], unique=False)
    op.create_index(
        op.f("ix_entries_operator_id_cause_kind_cause_id"),
        "entries",
        ["operator_id", "cause_kind", "cause_id"],
        unique=False,
    )
    op.create_table(
        "events",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("position", WHOLE, nullable=True),
        sa.Column("aggregate", sa.Text(), nullable=False),
        sa.Column("aggregate_id", sa.Text(), nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("schema_version", WHOLE, nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("booked_at", WHOLE, nullable=False),
        sa.Column("recorded_at", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "event_id", name=op.f("pk_events")),
        sa.UniqueConstraint(
            "operator_id",
            "aggregate",
            "aggregate_id",
            "version",
            name=op.f("uq_events_operator_id_aggregate_aggregate_id_version"),
        ),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_events_unsequenced",
        "events",
        ["recorded_at", "event_id"],
        unique=False,
        sqlite_where=sa.text("position IS NULL"),
        postgresql_where=sa.text("position IS NULL"),
    )
    op.create_index("uq_events_position", "events", ["position"], unique=True)
    op.create_table(
        "inbox",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("natural_key", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=True),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("payment_id", sa.Text(), nullable=True),
        sa.Column("frame_id", sa.Text(), nullable=True),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("resolved_at", WHOLE, nullable=True),
        sa.Column("resolved_by", sa.Text(), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("state IN ('open', 'resolved')", name=op.f("ck_inbox_state")),
        sa.PrimaryKeyConstraint("operator_id", "item_id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("operator_id", "natural_key", name=op.f("uq_inbox_operator_id_natural_key")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_inbox_operator_id_session_id"), "inbox", ["operator_id", "session_id"], unique=False)
    op.create_index(
        op.f("ix_inbox_operator_id_state_item_id"), "inbox", ["operator_id", "state", "item_id"], unique=False
    )
    op.create_table(
        "jobs",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("run_at", WHOLE, nullable=False),
        sa.Column("lease_until", WHOLE, nullable=True),
        sa.Column("leased_by", sa.Text(), nullable=True),
        sa.Column("attempts", WHOLE, nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.CheckConstraint("state IN ('ready', 'leased', 'done', 'failed')", name=op.f("ck_jobs_state")),
        sa.PrimaryKeyConstraint("operator_id", "job_id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("operator_id", "kind", "subject_id", name=op.f("uq_jobs_operator_id_kind_subject_id")),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_jobs_due",
        "jobs",
        ["run_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('ready', 'leased')"),
        postgresql_where=sa.text("state IN ('ready', 'leased')"),
    )
    op.create_index(op.f("ix_jobs_operator_id_state"), "jobs", ["operator_id", "state"], unique=False)
    op.create_table(
        "locations",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("location_id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("postal_code", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("latitude", sa.Text(), nullable=True),
        sa.Column("longitude", sa.Text(), nullable=True),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "location_id", name=op.f("pk_locations")),
        sa.UniqueConstraint("operator_id", "reference", name=op.f("uq_locations_operator_id_reference")),
        sqlite_strict=True,
    )
    op.create_table(
        "number_series",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("year", WHOLE, nullable=False),
        sa.Column("next_number", WHOLE, nullable=False),
        sa.Column("last_issue_date", sa.Text(), nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("next_number >= 1", name=op.f("ck_number_series_next_number")),
        sa.PrimaryKeyConstraint("operator_id", "series", "year", name=op.f("pk_number_series")),
        sqlite_strict=True,
    )
    op.create_table(
        "operators",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("party_code", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("tax_id", sa.Text(), nullable=True),
        sa.Column("policy_version_id", sa.Text(), nullable=True),
        sa.Column("clock_floor", WHOLE, nullable=False),
        sa.Column("hold_minor", WHOLE, nullable=False),
        sa.Column("start_deadline_seconds", WHOLE, nullable=False),
        sa.Column("lost_stop_after_seconds", WHOLE, nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", name=op.f("pk_operators")),
        sqlite_strict=True,
    )
    op.create_index("uq_operators_slug", "operators", ["slug"], unique=True)
    op.create_table(
        "parties",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "party_id", name=op.f("pk_parties")),
        sa.UniqueConstraint("operator_id", "reference", name=op.f("uq_parties_operator_id_reference")),
        sqlite_strict=True,
    )
    op.create_table(
        "policy_versions",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("policy_version_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("canonical", sa.Text(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "policy_version_id", name=op.f("pk_policy_versions")),
        sqlite_strict=True,
    )
    op.create_table(
        "provider_accounts",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("live", WHOLE, nullable=False),
        sa.Column("base_url", sa.Text(), nullable=True),
        sa.Column("currencies", sa.Text(), nullable=False),
        sa.Column("secret_reference", sa.Text(), nullable=False),
        sa.Column("webhook_secret_references", sa.Text(), nullable=False),
        sa.Column("is_default", WHOLE, nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("closed_at", WHOLE, nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "account_id", name=op.f("pk_provider_accounts")),
        sa.UniqueConstraint("operator_id", "name", name=op.f("uq_provider_accounts_operator_id_name")),
        sqlite_strict=True,
    )
    op.create_index(
        "uq_provider_accounts_default",
        "provider_accounts",
        ["operator_id"],
        unique=True,
        sqlite_where=sa.text("is_default = 1"),
        postgresql_where=sa.text("is_default = 1"),
    )
    op.create_table(
        "revenue_by_day",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("sessions", WHOLE, nullable=False),
        sa.Column("milliwatt_hours", WHOLE, nullable=False),
        sa.Column("net_minor", WHOLE, nullable=False),
        sa.Column("tax_minor", WHOLE, nullable=False),
        sa.Column("gross_minor", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "day", "currency", name=op.f("pk_revenue_by_day")),
        sqlite_strict=True,
    )
    op.create_table(
        "sequencer",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("last_position", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sequencer")),
        sqlite_strict=True,
    )
    op.create_table(
        "tariff_versions",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("tariff_version_id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("canonical", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("tax_basis", sa.Text(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.CheckConstraint("tax_basis IN ('gross', 'net')", name=op.f("ck_tariff_versions_tax_basis")),
        sa.PrimaryKeyConstraint("operator_id", "tariff_version_id", name=op.f("pk_tariff_versions")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_tariff_versions_operator_id_reference_created_at"),
        "tariff_versions",
        ["operator_id", "reference", "created_at"],
        unique=False,
    )
    op.create_table(
        "customer_details",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["operator_id", "customer_id"],
            ["customers.operator_id", "customers.customer_id"],
            name=op.f("fk_customer_details_operator_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "customer_id", name=op.f("pk_customer_details")),
        sqlite_strict=True,
    )
    op.create_table(
        "payment_methods",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("method_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("customer_ref", sa.Text(), nullable=False),
        sa.Column("method_ref", sa.Text(), nullable=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("last4", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("state IN ('active', 'failed', 'removed')", name=op.f("ck_payment_methods_state")),
        sa.ForeignKeyConstraint(
            ["operator_id", "account_id"],
            ["provider_accounts.operator_id", "provider_accounts.account_id"],
            name=op.f("fk_payment_methods_operator_id_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "customer_id"],
            ["customers.operator_id", "customers.customer_id"],
            name=op.f("fk_payment_methods_operator_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "method_id", name=op.f("pk_payment_methods")),
        sa.UniqueConstraint(
            "operator_id", "account_id", "method_ref", name=op.f("uq_payment_methods_operator_id_account_id_method_ref")
        ),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_payment_methods_operator_id_customer_id"),
        "payment_methods",
        ["operator_id", "customer_id"],
        unique=False,
    )
    op.create_table(
        "stations",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("location_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("protocol", sa.Text(), nullable=True),
        sa.Column("vendor", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("serial_number", sa.Text(), nullable=True),
        sa.Column("firmware", sa.Text(), nullable=True),
        sa.Column("key_hash", sa.Text(), nullable=True),
        sa.Column("booted_at", WHOLE, nullable=True),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("state IN ('quarantined', 'adopted', 'retired')", name=op.f("ck_stations_state")),
        sa.ForeignKeyConstraint(
            ["operator_id", "location_id"],
            ["locations.operator_id", "locations.location_id"],
            name=op.f("fk_stations_operator_id_location_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "station_id", name=op.f("pk_stations")),
        sa.UniqueConstraint("operator_id", "identity", name=op.f("uq_stations_operator_id_identity")),
        sqlite_strict=True,
    )
    op.create_index("ix_stations_identity", "stations", ["identity"], unique=False)
    op.create_table(
        "tariff_assignments",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("assignment_id", sa.Text(), nullable=False),
        sa.Column("tariff_version_id", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("scope_id", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("valid_from", WHOLE, nullable=False),
        sa.Column("valid_until", WHOLE, nullable=True),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("(scope = 'operator') = (scope_id = '')", name=op.f("ck_tariff_assignments_scope_id")),
        sa.CheckConstraint(
            "scope IN ('evse', 'station', 'location', 'operator')", name=op.f("ck_tariff_assignments_scope")
        ),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_until >= valid_from", name=op.f("ck_tariff_assignments_valid_until")
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "tariff_version_id"],
            ["tariff_versions.operator_id", "tariff_versions.tariff_version_id"],
            name=op.f("fk_tariff_assignments_operator_id_tariff_version_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "assignment_id", name=op.f("pk_tariff_assignments")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_tariff_assignments_operator_id_scope_scope_id"),
        "tariff_assignments",
        ["operator_id", "scope", "scope_id"],
        unique=False,
    )
    op.create_table(
        "tokens",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("token_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("uid_folded", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("payment_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("valid_until", WHOLE, nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("state IN ('active', 'blocked', 'used', 'expired')", name=op.f("ck_tokens_state")),
        sa.ForeignKeyConstraint(
            ["operator_id", "customer_id"],
            ["customers.operator_id", "customers.customer_id"],
            name=op.f("fk_tokens_operator_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "token_id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("operator_id", "uid_folded", "type", name=op.f("uq_tokens_operator_id_uid_folded_type")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_tokens_operator_id_customer_id"), "tokens", ["operator_id", "customer_id"], unique=False)
    op.create_table(
        "transfers",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("transfer_id", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("debit_account_id", sa.Text(), nullable=False),
        sa.Column("credit_account_id", sa.Text(), nullable=False),
        sa.Column("amount_minor", WHOLE, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("pending_id", sa.Text(), nullable=True),
        sa.Column("booked_at", WHOLE, nullable=False),
        sa.CheckConstraint(
            "(phase IN ('post', 'void', 'expire')) = (pending_id IS NOT NULL)", name=op.f("ck_transfers_resolution")
        ),
        sa.CheckConstraint("phase IN ('single', 'pending', 'post', 'void', 'expire')", name=op.f("ck_transfers_phase")),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_transfers_amount")),
        sa.CheckConstraint("debit_account_id <> credit_account_id", name=op.f("ck_transfers_two_accounts")),
        sa.ForeignKeyConstraint(
            ["operator_id", "credit_account_id", "currency"],
            ["accounts.operator_id", "accounts.account_id", "accounts.currency"],
            name=op.f("fk_transfers_operator_id_credit_account_id_currency"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "debit_account_id", "currency"],
            ["accounts.operator_id", "accounts.account_id", "accounts.currency"],
            name=op.f("fk_transfers_operator_id_debit_account_id_currency"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "entry_id"],
            ["entries.operator_id", "entries.entry_id"],
            name=op.f("fk_transfers_operator_id_entry_id"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "pending_id"],
            ["transfers.operator_id", "transfers.transfer_id"],
            name=op.f("fk_transfers_operator_id_pending_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "transfer_id", name=op.f("pk_transfers")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_transfers_operator_id_credit_account_id"),
        "transfers",
        ["operator_id", "credit_account_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_transfers_operator_id_debit_account_id"),
        "transfers",
        ["operator_id", "debit_account_id"],
        unique=False,
    )
    op.create_index(op.f("ix_transfers_operator_id_entry_id"), "transfers", ["operator_id", "entry_id"], unique=False)
    op.create_index(
        "uq_transfers_pending",
        "transfers",
        ["operator_id", "pending_id"],
        unique=True,
        sqlite_where=sa.text("pending_id IS NOT NULL"),
        postgresql_where=sa.text("pending_id IS NOT NULL"),
    )
    op.create_table(
        "webhook_events",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("said_at", WHOLE, nullable=False),
        sa.Column("received_at", WHOLE, nullable=False),
        sa.Column("key_id", sa.Text(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("state IN ('applied', 'ignored', 'unmatched')", name=op.f("ck_webhook_events_state")),
        sa.ForeignKeyConstraint(
            ["operator_id", "account_id"],
            ["provider_accounts.operator_id", "provider_accounts.account_id"],
            name=op.f("fk_webhook_events_operator_id_account_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "account_id", "event_id", name=op.f("pk_webhook_events")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_webhook_events_operator_id_payment_id"), "webhook_events", ["operator_id", "payment_id"], unique=False
    )
    op.create_index(
        op.f("ix_webhook_events_operator_id_received_at"),
        "webhook_events",
        ["operator_id", "received_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_webhook_events_operator_id_state"), "webhook_events", ["operator_id", "state"], unique=False
    )
    op.create_table(
        "evses",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("evse_id", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("current", sa.Text(), nullable=False),
        sa.Column("max_watts", WHOLE, nullable=True),
        sa.Column("deployed_on", sa.Text(), nullable=True),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.CheckConstraint("current IN ('ac', 'dc')", name=op.f("ck_evses_current")),
        sa.ForeignKeyConstraint(
            ["operator_id", "station_id"],
            ["stations.operator_id", "stations.station_id"],
            name=op.f("fk_evses_operator_id_station_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "evse_id", name=op.f("pk_evses")),
        sa.UniqueConstraint("operator_id", "code", name=op.f("uq_evses_operator_id_code")),
        sa.UniqueConstraint("operator_id", "station_id", "number", name=op.f("uq_evses_operator_id_station_id_number")),
        sqlite_strict=True,
    )
    op.create_index("ix_evses_code", "evses", ["code"], unique=False)
    op.create_table(
        "frames",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("frame_id", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("received_at", WHOLE, nullable=False),
        sa.Column("protocol", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("flags", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id", "station_id"],
            ["stations.operator_id", "stations.station_id"],
            name=op.f("fk_frames_operator_id_station_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "frame_id", name=op.f("pk_frames")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_frames_operator_id_station_id_received_at"),
        "frames",
        ["operator_id", "station_id", "received_at"],
        unique=False,
    )
    op.create_table(
        "offers",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("offer_id", sa.Text(), nullable=False),
        sa.Column("evse_id", sa.Text(), nullable=True),
        sa.Column("tariff_version_id", sa.Text(), nullable=False),
        sa.Column("policy_version_id", sa.Text(), nullable=False),
        sa.Column("assignment_id", sa.Text(), nullable=True),
        sa.Column("choice_reason", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("tax_basis", sa.Text(), nullable=False),
        sa.Column("tax_rules", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("offered_at", WHOLE, nullable=False),
        sa.CheckConstraint("tax_basis IN ('gross', 'net')", name=op.f("ck_offers_tax_basis")),
        sa.ForeignKeyConstraint(
            ["operator_id", "assignment_id"],
            ["tariff_assignments.operator_id", "tariff_assignments.assignment_id"],
            name=op.f("fk_offers_operator_id_assignment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "policy_version_id"],
            ["policy_versions.operator_id", "policy_versions.policy_version_id"],
            name=op.f("fk_offers_operator_id_policy_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "tariff_version_id"],
            ["tariff_versions.operator_id", "tariff_versions.tariff_version_id"],
            name=op.f("fk_offers_operator_id_tariff_version_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "offer_id", name=op.f("pk_offers")),
        sqlite_strict=True,
    )
    op.create_table(
        "payments",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("method_id", sa.Text(), nullable=True),
        sa.Column("evse_id", sa.Text(), nullable=True),
        sa.Column("offer_id", sa.Text(), nullable=True),
        sa.Column("invoice_id", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount_minor", WHOLE, nullable=False),
        sa.Column("due_minor", WHOLE, nullable=True),
        sa.Column("authorised_minor", WHOLE, nullable=False),
        sa.Column("captured_minor", WHOLE, nullable=False),
        sa.Column("refunded_minor", WHOLE, nullable=False),
        sa.Column("suspense_minor", WHOLE, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("provider_ref", sa.Text(), nullable=True),
        sa.Column("page_ref", sa.Text(), nullable=True),
        sa.Column("hosted_page_url", sa.Text(), nullable=True),
        sa.Column("hold_expires_at", WHOLE, nullable=True),
        sa.Column("card_brand", sa.Text(), nullable=True),
        sa.Column("card_last4", sa.Text(), nullable=True),
        sa.Column("driver_secret", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("kind IN ('stored', 'ad_hoc')", name=op.f("ck_payments_kind")),
        sa.CheckConstraint(
            "state IN ('created', 'prepared', 'requires_action', 'authorised', 'captured', 'refunded', 'voided', 'expired', 'declined', 'abandoned', 'owed')",
            name=op.f("ck_payments_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('voided', 'expired', 'abandoned') OR captured_minor = 0",
            name=op.f("ck_payments_captured_or_released"),
        ),
        sa.CheckConstraint(
            "amount_minor >= 0 AND authorised_minor >= 0 AND suspense_minor >= 0", name=op.f("ck_payments_amounts")
        ),
        sa.CheckConstraint("captured_minor BETWEEN 0 AND authorised_minor", name=op.f("ck_payments_captured")),
        sa.CheckConstraint("due_minor IS NULL OR due_minor >= 0", name=op.f("ck_payments_due")),
        sa.CheckConstraint("refunded_minor BETWEEN 0 AND captured_minor", name=op.f("ck_payments_refunded")),
        sa.ForeignKeyConstraint(
            ["operator_id", "account_id"],
            ["provider_accounts.operator_id", "provider_accounts.account_id"],
            name=op.f("fk_payments_operator_id_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "method_id"],
            ["payment_methods.operator_id", "payment_methods.method_id"],
            name=op.f("fk_payments_operator_id_method_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "payment_id", name=op.f("pk_payments")),
        sa.UniqueConstraint("operator_id", "reference", name=op.f("uq_payments_operator_id_reference")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_payments_operator_id_customer_id_payment_id"),
        "payments",
        ["operator_id", "customer_id", "payment_id"],
        unique=False,
    )
    op.create_index(op.f("ix_payments_operator_id_invoice_id"), "payments", ["operator_id", "invoice_id"], unique=False)
    op.create_index(op.f("ix_payments_operator_id_session_id"), "payments", ["operator_id", "session_id"], unique=False)
    op.create_index(
        op.f("ix_payments_operator_id_state_payment_id"),
        "payments",
        ["operator_id", "state", "payment_id"],
        unique=False,
    )
    op.create_index(
        "uq_payments_driver_secret",
        "payments",
        ["operator_id", "driver_secret"],
        unique=True,
        sqlite_where=sa.text("driver_secret IS NOT NULL"),
        postgresql_where=sa.text("driver_secret IS NOT NULL"),
    )
    op.create_index(
        "uq_payments_provider_ref",
        "payments",
        ["operator_id", "account_id", "provider_ref"],
        unique=True,
        sqlite_where=sa.text("provider_ref IS NOT NULL"),
        postgresql_where=sa.text("provider_ref IS NOT NULL"),
    )
    op.create_table(
        "station_commands",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("command_id", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("evse_id", sa.Text(), nullable=True),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("payment_id", sa.Text(), nullable=True),
        sa.Column("remote_start_id", WHOLE, nullable=True),
        sa.Column("requested_at", WHOLE, nullable=False),
        sa.Column("deadline_at", WHOLE, nullable=False),
        sa.Column("ended_at", WHOLE, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint(
            "action IN ('start', 'stop', 'reset', 'unlock', 'availability')", name=op.f("ck_station_commands_action")
        ),
        sa.CheckConstraint(
            "state IN ('requested', 'sent', 'accepted', 'completed', 'rejected', 'expired')",
            name=op.f("ck_station_commands_state"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "station_id"],
            ["stations.operator_id", "stations.station_id"],
            name=op.f("fk_station_commands_operator_id_station_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "command_id", name=op.f("pk_station_commands")),
        sa.UniqueConstraint(
            "operator_id",
            "station_id",
            "remote_start_id",
            name=op.f("uq_station_commands_operator_id_station_id_remote_start_id"),
        ),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_station_commands_operator_id_payment_id"),
        "station_commands",
        ["operator_id", "payment_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_station_commands_operator_id_state_deadline_at"),
        "station_commands",
        ["operator_id", "state", "deadline_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_station_commands_operator_id_station_id_requested_at"),
        "station_commands",
        ["operator_id", "station_id", "requested_at"],
        unique=False,
    )
    op.create_table(
        "station_facts",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("fact_key", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("frame_id", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("occurred_at", WHOLE, nullable=False),
        sa.Column("received_at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id", "station_id"],
            ["stations.operator_id", "stations.station_id"],
            name=op.f("fk_station_facts_operator_id_station_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "fact_key", name=op.f("pk_station_facts")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_station_facts_operator_id_session_id"), "station_facts", ["operator_id", "session_id"], unique=False
    )
    op.create_table(
        "transaction_counters",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("last_transaction_id", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint(
            "last_transaction_id BETWEEN 0 AND 2147483647", name=op.f("ck_transaction_counters_last_transaction_id")
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "station_id"],
            ["stations.operator_id", "stations.station_id"],
            name=op.f("fk_transaction_counters_operator_id_station_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "station_id", name=op.f("pk_transaction_counters")),
        sqlite_strict=True,
    )
    op.create_table(
        "allocations",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("allocation_id", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("target_id", sa.Text(), nullable=False),
        sa.Column("amount_minor", WHOLE, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("operation_id", sa.Text(), nullable=True),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.CheckConstraint(
            "target IN ('invoice', 'balance', 'refund_due', 'suspense')", name=op.f("ck_allocations_target")
        ),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_allocations_amount")),
        sa.ForeignKeyConstraint(
            ["operator_id", "payment_id"],
            ["payments.operator_id", "payments.payment_id"],
            name=op.f("fk_allocations_operator_id_payment_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "allocation_id", name=op.f("pk_allocations")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_allocations_operator_id_payment_id"), "allocations", ["operator_id", "payment_id"], unique=False
    )
    op.create_index(
        op.f("ix_allocations_operator_id_target_target_id"),
        "allocations",
        ["operator_id", "target", "target_id"],
        unique=False,
    )
    op.create_table(
        "connector_states",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("evse_id", sa.Text(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("occurred_at", WHOLE, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("received_at", WHOLE, nullable=False),
        sa.Column("frame_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["operator_id", "evse_id"],
            ["evses.operator_id", "evses.evse_id"],
            name=op.f("fk_connector_states_operator_id_evse_id"),
        ),
        sa.PrimaryKeyConstraint(
            "operator_id", "evse_id", "number", "occurred_at", "status", name=op.f("pk_connector_states")
        ),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_connector_states_operator_id_evse_id_occurred_at"),
        "connector_states",
        ["operator_id", "evse_id", "occurred_at"],
        unique=False,
    )
    op.create_table(
        "connectors",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("evse_id", sa.Text(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("occurred_at", WHOLE, nullable=False),
        sa.Column("received_at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id", "evse_id"],
            ["evses.operator_id", "evses.evse_id"],
            name=op.f("fk_connectors_operator_id_evse_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "evse_id", "number", name=op.f("pk_connectors")),
        sqlite_strict=True,
    )
    op.create_table(
        "evse_roles",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("evse_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("valid_from", WHOLE, nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("valid_to", WHOLE, nullable=True),
        sa.CheckConstraint("role IN ('merchant', 'owner', 'payee')", name=op.f("ck_evse_roles_role")),
        sa.ForeignKeyConstraint(
            ["operator_id", "evse_id"],
            ["evses.operator_id", "evses.evse_id"],
            name=op.f("fk_evse_roles_operator_id_evse_id"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "party_id"],
            ["parties.operator_id", "parties.party_id"],
            name=op.f("fk_evse_roles_operator_id_party_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "evse_id", "role", "valid_from", name=op.f("pk_evse_roles")),
        sqlite_strict=True,
    )
    op.create_table(
        "operations",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("operation_id", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_minor", WHOLE, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", WHOLE, nullable=False),
        sa.Column("first_sent_at", WHOLE, nullable=True),
        sa.Column("last_sent_at", WHOLE, nullable=True),
        sa.Column("provider_ref", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("advice", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("resolved_at", WHOLE, nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint(
            "kind IN ('prepare', 'charge', 'hosted_page', 'capture', 'void', 'refund')", name=op.f("ck_operations_kind")
        ),
        sa.CheckConstraint(
            "state IN ('intended', 'unknown', 'pending', 'succeeded', 'declined', 'not_sent', 'failed')",
            name=op.f("ck_operations_state"),
        ),
        sa.CheckConstraint("amount_minor >= 0 AND attempts >= 0", name=op.f("ck_operations_amounts")),
        sa.ForeignKeyConstraint(
            ["operator_id", "account_id"],
            ["provider_accounts.operator_id", "provider_accounts.account_id"],
            name=op.f("fk_operations_operator_id_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "payment_id"],
            ["payments.operator_id", "payments.payment_id"],
            name=op.f("fk_operations_operator_id_payment_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "operation_id", name=op.f("pk_operations")),
        sa.UniqueConstraint("operator_id", "idempotency_key", name=op.f("uq_operations_operator_id_idempotency_key")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_operations_operator_id_payment_id"), "operations", ["operator_id", "payment_id"], unique=False
    )
    op.create_index(op.f("ix_operations_operator_id_state"), "operations", ["operator_id", "state"], unique=False)
    op.create_index(
        "uq_operations_unresolved",
        "operations",
        ["operator_id", "payment_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('intended', 'unknown', 'pending')"),
        postgresql_where=sa.text("state IN ('intended', 'unknown', 'pending')"),
    )
    op.create_table(
        "rated_results",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("rated_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("supersedes", sa.Text(), nullable=True),
        sa.Column("offer_id", sa.Text(), nullable=True),
        sa.Column("tariff_version_id", sa.Text(), nullable=False),
        sa.Column("policy_version_id", sa.Text(), nullable=False),
        sa.Column("canonical_input", sa.Text(), nullable=False),
        sa.Column("engine_version", sa.Text(), nullable=False),
        sa.Column("zone_data_version", sa.Text(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("tax_basis", sa.Text(), nullable=False),
        sa.Column("milliwatt_hours", WHOLE, nullable=False),
        sa.Column("priced_milliwatt_hours", WHOLE, nullable=False),
        sa.Column("net_minor", WHOLE, nullable=False),
        sa.Column("tax_minor", WHOLE, nullable=False),
        sa.Column("gross_minor", WHOLE, nullable=False),
        sa.Column("warnings", sa.Text(), nullable=False),
        sa.CheckConstraint("tax_basis IN ('gross', 'net')", name=op.f("ck_rated_results_tax_basis")),
        sa.CheckConstraint("net_minor + tax_minor = gross_minor", name=op.f("ck_rated_results_adds_up")),
        sa.CheckConstraint(
            "priced_milliwatt_hours BETWEEN 0 AND milliwatt_hours", name=op.f("ck_rated_results_priced_energy")
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "offer_id"],
            ["offers.operator_id", "offers.offer_id"],
            name=op.f("fk_rated_results_operator_id_offer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "policy_version_id"],
            ["policy_versions.operator_id", "policy_versions.policy_version_id"],
            name=op.f("fk_rated_results_operator_id_policy_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "supersedes"],
            ["rated_results.operator_id", "rated_results.rated_id"],
            name=op.f("fk_rated_results_operator_id_supersedes"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "tariff_version_id"],
            ["tariff_versions.operator_id", "tariff_versions.tariff_version_id"],
            name=op.f("fk_rated_results_operator_id_tariff_version_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "rated_id", name=op.f("pk_rated_results")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_rated_results_operator_id_session_id"), "rated_results", ["operator_id", "session_id"], unique=False
    )
    op.create_index(
        "uq_rated_results_first",
        "rated_results",
        ["operator_id", "session_id"],
        unique=True,
        sqlite_where=sa.text("supersedes IS NULL"),
        postgresql_where=sa.text("supersedes IS NULL"),
    )
    op.create_index(
        "uq_rated_results_superseded",
        "rated_results",
        ["operator_id", "supersedes"],
        unique=True,
        sqlite_where=sa.text("supersedes IS NOT NULL"),
        postgresql_where=sa.text("supersedes IS NOT NULL"),
    )
    op.create_table(
        "sessions",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("upstream_id", sa.Text(), nullable=True),
        sa.Column("start_key", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=True),
        sa.Column("evse_id", sa.Text(), nullable=True),
        sa.Column("connector_number", WHOLE, nullable=True),
        sa.Column("transaction_id", sa.Text(), nullable=True),
        sa.Column("token_uid", sa.Text(), nullable=True),
        sa.Column("payer", sa.Text(), nullable=False),
        sa.Column("payer_id", sa.Text(), nullable=True),
        sa.Column("payment_id", sa.Text(), nullable=True),
        sa.Column("merchant_party_id", sa.Text(), nullable=True),
        sa.Column("owner_party_id", sa.Text(), nullable=True),
        sa.Column("payee_party_id", sa.Text(), nullable=True),
        sa.Column("offer_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("started_at", WHOLE, nullable=False),
        sa.Column("energy_ended_at", WHOLE, nullable=True),
        sa.Column("transaction_ended_at", WHOLE, nullable=True),
        sa.Column("occupancy_ended_at", WHOLE, nullable=True),
        sa.Column("meter_start", WHOLE, nullable=True),
        sa.Column("meter_stop", WHOLE, nullable=True),
        sa.Column("milliwatt_hours", WHOLE, nullable=False),
        sa.Column("last_register", WHOLE, nullable=True),
        sa.Column("last_reading_at", WHOLE, nullable=True),
        sa.Column("sequence_number", WHOLE, nullable=True),
        sa.Column("stop_reason", sa.Text(), nullable=True),
        sa.Column("stopped_by", sa.Text(), nullable=True),
        sa.Column("rated_id", sa.Text(), nullable=True),
        sa.Column("invoice_id", sa.Text(), nullable=True),
        sa.Column("flags", sa.Text(), nullable=False),
        sa.Column("driver_secret", sa.Text(), nullable=True),
        sa.Column("start_frame_id", sa.Text(), nullable=True),
        sa.Column("stop_frame_id", sa.Text(), nullable=True),
        sa.Column("received_at", WHOLE, nullable=False),
        sa.Column("booked_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("evidence IN ('signed', 'metered', 'reported')", name=op.f("ck_sessions_evidence")),
        sa.CheckConstraint(
            "payer IN ('customer', 'ad_hoc', 'partner', 'employer', 'operator', 'unknown')",
            name=op.f("ck_sessions_payer"),
        ),
        sa.CheckConstraint("source IN ('ocpp', 'ocpp-tap', 'ocpi', 'api', 'csv')", name=op.f("ck_sessions_source")),
        sa.CheckConstraint(
            "state IN ('active', 'ended', 'held', 'billed', 'explained')", name=op.f("ck_sessions_state")
        ),
        sa.CheckConstraint("milliwatt_hours >= 0", name=op.f("ck_sessions_energy")),
        sa.ForeignKeyConstraint(
            ["operator_id", "evse_id"],
            ["evses.operator_id", "evses.evse_id"],
            name=op.f("fk_sessions_operator_id_evse_id"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "station_id"],
            ["stations.operator_id", "stations.station_id"],
            name=op.f("fk_sessions_operator_id_station_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "session_id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("operator_id", "start_key", name=op.f("uq_sessions_operator_id_start_key")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_sessions_operator_id_booked_at"), "sessions", ["operator_id", "booked_at"], unique=False)
    op.create_index(
        op.f("ix_sessions_operator_id_driver_secret"), "sessions", ["operator_id", "driver_secret"], unique=False
    )
    op.create_index(
        op.f("ix_sessions_operator_id_evse_id_started_at_session_id"),
        "sessions",
        ["operator_id", "evse_id", "started_at", "session_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_sessions_operator_id_evse_id_state"), "sessions", ["operator_id", "evse_id", "state"], unique=False
    )
    op.create_index(
        op.f("ix_sessions_operator_id_payer_id_session_id"),
        "sessions",
        ["operator_id", "payer_id", "session_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_sessions_operator_id_state_session_id"),
        "sessions",
        ["operator_id", "state", "session_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_sessions_operator_id_station_id_session_id"),
        "sessions",
        ["operator_id", "station_id", "session_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_sessions_operator_id_token_uid_session_id"),
        "sessions",
        ["operator_id", "token_uid", "session_id"],
        unique=False,
    )
    op.create_index(
        "uq_sessions_transaction",
        "sessions",
        ["operator_id", "station_id", "transaction_id"],
        unique=True,
        sqlite_where=sa.text("transaction_id IS NOT NULL"),
        postgresql_where=sa.text("transaction_id IS NOT NULL"),
    )
    op.create_index(
        "uq_sessions_upstream",
        "sessions",
        ["operator_id", "source", "upstream_id"],
        unique=True,
        sqlite_where=sa.text("upstream_id IS NOT NULL"),
        postgresql_where=sa.text("upstream_id IS NOT NULL"),
    )
    op.create_table(
        "explanations",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("explanation_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("evse_id", sa.Text(), nullable=True),
        sa.Column("milliwatt_hours", WHOLE, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.CheckConstraint(
            "reason IN ('lost_stop', 'start_missing', 'meter_reset', 'implausible', 'unknown_payer', 'no_tariff', 'written_off')",
            name=op.f("ck_explanations_reason"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "session_id"],
            ["sessions.operator_id", "sessions.session_id"],
            name=op.f("fk_explanations_operator_id_session_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "explanation_id", name=op.f("pk_explanations")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_explanations_operator_id_session_id"), "explanations", ["operator_id", "session_id"], unique=False
    )
    op.create_table(
        "invoices",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("year", WHOLE, nullable=False),
        sa.Column("sequence", WHOLE, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("rated_id", sa.Text(), nullable=False),
        sa.Column("payer", sa.Text(), nullable=False),
        sa.Column("payer_id", sa.Text(), nullable=True),
        sa.Column("issue_date", sa.Text(), nullable=False),
        sa.Column("issued_at", WHOLE, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("net_minor", WHOLE, nullable=False),
        sa.Column("tax_minor", WHOLE, nullable=False),
        sa.Column("gross_minor", WHOLE, nullable=False),
        sa.Column("corrects_invoice_id", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'credit_note') = (corrects_invoice_id IS NOT NULL)", name=op.f("ck_invoices_corrects")
        ),
        sa.CheckConstraint("kind IN ('invoice', 'credit_note')", name=op.f("ck_invoices_kind")),
        sa.CheckConstraint(
            "payer IN ('customer', 'ad_hoc', 'partner', 'employer', 'operator', 'unknown')",
            name=op.f("ck_invoices_payer"),
        ),
        sa.CheckConstraint("net_minor + tax_minor = gross_minor", name=op.f("ck_invoices_adds_up")),
        sa.ForeignKeyConstraint(
            ["operator_id", "corrects_invoice_id"],
            ["invoices.operator_id", "invoices.invoice_id"],
            name=op.f("fk_invoices_operator_id_corrects_invoice_id"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "rated_id"],
            ["rated_results.operator_id", "rated_results.rated_id"],
            name=op.f("fk_invoices_operator_id_rated_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "invoice_id", name=op.f("pk_invoices")),
        sa.UniqueConstraint("operator_id", "number", name=op.f("uq_invoices_operator_id_number")),
        sa.UniqueConstraint("operator_id", "rated_id", "kind", name=op.f("uq_invoices_operator_id_rated_id_kind")),
        sa.UniqueConstraint(
            "operator_id", "series", "year", "sequence", name=op.f("uq_invoices_operator_id_series_year_sequence")
        ),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_invoices_operator_id_issued_at"), "invoices", ["operator_id", "issued_at"], unique=False)
    op.create_index(
        op.f("ix_invoices_operator_id_payer_payer_id_issued_at"),
        "invoices",
        ["operator_id", "payer", "payer_id", "issued_at"],
        unique=False,
    )
    op.create_index(op.f("ix_invoices_operator_id_session_id"), "invoices", ["operator_id", "session_id"], unique=False)
    op.create_table(
        "meter_readings",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("reading_key", sa.Text(), nullable=False),
        sa.Column("occurred_at", WHOLE, nullable=False),
        sa.Column("register", WHOLE, nullable=False),
        sa.Column("watts", WHOLE, nullable=True),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("received_at", WHOLE, nullable=False),
        sa.Column("frame_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["operator_id", "session_id"],
            ["sessions.operator_id", "sessions.session_id"],
            name=op.f("fk_meter_readings_operator_id_session_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "session_id", "reading_key", name=op.f("pk_meter_readings")),
        sqlite_strict=True,
    )
    op.create_table(
        "rated_lines",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("rated_id", sa.Text(), nullable=False),
        sa.Column("line_number", WHOLE, nullable=False),
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("element_index", WHOLE, nullable=False),
        sa.Column("period_start", WHOLE, nullable=False),
        sa.Column("period_end", WHOLE, nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("measured", WHOLE, nullable=False),
        sa.Column("quantity", WHOLE, nullable=False),
        sa.Column("unit_price", sa.Text(), nullable=False),
        sa.Column("tax_rate", sa.Text(), nullable=True),
        sa.Column("exact_amount", sa.Text(), nullable=False),
        sa.Column("net_minor", WHOLE, nullable=False),
        sa.Column("tax_minor", WHOLE, nullable=False),
        sa.Column("gross_minor", WHOLE, nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("assumptions", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "dimension IN ('ENERGY', 'TIME', 'PARKING_TIME', 'FLAT')", name=op.f("ck_rated_lines_dimension")
        ),
        sa.CheckConstraint("unit IN ('milliwatt_hours', 'milliseconds', 'times')", name=op.f("ck_rated_lines_unit")),
        sa.CheckConstraint("net_minor + tax_minor = gross_minor", name=op.f("ck_rated_lines_adds_up")),
        sa.ForeignKeyConstraint(
            ["operator_id", "rated_id"],
            ["rated_results.operator_id", "rated_results.rated_id"],
            name=op.f("fk_rated_lines_operator_id_rated_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "rated_id", "line_number", name=op.f("pk_rated_lines")),
        sqlite_strict=True,
    )
    op.create_table(
        "rated_taxes",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("rated_id", sa.Text(), nullable=False),
        sa.Column("tax_number", WHOLE, nullable=False),
        sa.Column("tax_rate", sa.Text(), nullable=True),
        sa.Column("net_minor", WHOLE, nullable=False),
        sa.Column("tax_minor", WHOLE, nullable=False),
        sa.Column("gross_minor", WHOLE, nullable=False),
        sa.CheckConstraint("net_minor + tax_minor = gross_minor", name=op.f("ck_rated_taxes_adds_up")),
        sa.ForeignKeyConstraint(
            ["operator_id", "rated_id"],
            ["rated_results.operator_id", "rated_results.rated_id"],
            name=op.f("fk_rated_taxes_operator_id_rated_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "rated_id", "tax_number", name=op.f("pk_rated_taxes")),
        sqlite_strict=True,
    )
    op.create_table(
        "printed_invoices",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("printed_at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id", "invoice_id"],
            ["invoices.operator_id", "invoices.invoice_id"],
            name=op.f("fk_printed_invoices_operator_id_invoice_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "invoice_id", "media_type", name=op.f("pk_printed_invoices")),
        sqlite_strict=True,
    )
    op.execute("INSERT INTO sequencer (name, last_position) VALUES ('events', 0)")


def downgrade() -> None:
    op.drop_table("printed_invoices")
    op.drop_table("rated_taxes")
    op.drop_table("rated_lines")
    op.drop_table("meter_readings")
    op.drop_index(op.f("ix_invoices_operator_id_session_id"), table_name="invoices")
    op.drop_index(op.f("ix_invoices_operator_id_payer_payer_id_issued_at"), table_name="invoices")
    op.drop_index(op.f("ix_invoices_operator_id_issued_at"), table_name="invoices")
    op.drop_table("invoices")
    op.drop_index(op.f("ix_explanations_operator_id_session_id"), table_name="explanations")
    op.drop_table("explanations")
    op.drop_index(
        "uq_sessions_upstream",
        table_name="sessions",
        sqlite_where=sa.text("upstream_id IS NOT NULL"),
        postgresql_where=sa.text("upstream_id IS NOT NULL"),
    )
    op.drop_index(
        "uq_sessions_transaction",
        table_name="sessions",
        sqlite_where=sa.text("transaction_id IS NOT NULL"),
        postgresql_where=sa.text("transaction_id IS NOT NULL"),
    )
    op.drop_index(op.f("ix_sessions_operator_id_token_uid_session_id"), table_name="sessions")
    op.drop_index(op.f("ix_sessions_operator_id_station_id_session_id"), table_name="sessions")
    op.drop_index(op.f("ix_sessions_operator_id_state_session_id"), table_name="sessions")
    op.drop_index(op.f("ix_sessions_operator_id_payer_id_session_id"), table_name="sessions")
    op.drop_index(op.f("ix_sessions_operator_id_evse_id_state"), table_name="sessions")
    op.drop_index(op.f("ix_sessions_operator_id_evse_id_started_at_session_id"), table_name="sessions")
    op.drop_index(op.f("ix_sessions_operator_id_driver_secret"), table_name="sessions")
    op.drop_index(op.f("ix_sessions_operator_id_booked_at"), table_name="sessions")
    op.drop_table("sessions")
    op.drop_index(
        "uq_rated_results_superseded",
        table_name="rated_results",
        sqlite_where=sa.text("supersedes IS NOT NULL"),
        postgresql_where=sa.text("supersedes IS NOT NULL"),
    )
    op.drop_index(
        "uq_rated_results_first",
        table_name="rated_results",
        sqlite_where=sa.text("supersedes IS NULL"),
        postgresql_where=sa.text("supersedes IS NULL"),
    )
    op.drop_index(op.f("ix_rated_results_operator_id_session_id"), table_name="rated_results")
    op.drop_table("rated_results")
    op.drop_index(
        "uq_operations_unresolved",
        table_name="operations",
        sqlite_where=sa.text("state IN ('intended', 'unknown', 'pending')"),
        postgresql_where=sa.text("state IN ('intended', 'unknown', 'pending')"),
    )
    op.drop_index(op.f("ix_operations_operator_id_state"), table_name="operations")
    op.drop_index(op.f("ix_operations_operator_id_payment_id"), table_name="operations")
    op.drop_table("operations")
    op.drop_table("evse_roles")
    op.drop_table("connectors")
    op.drop_index(op.f("ix_connector_states_operator_id_evse_id_occurred_at"), table_name="connector_states")
    op.drop_table("connector_states")
    op.drop_index(op.f("ix_allocations_operator_id_target_target_id"), table_name="allocations")
    op.drop_index(op.f("ix_allocations_operator_id_payment_id"), table_name="allocations")
    op.drop_table("allocations")
    op.drop_table("transaction_counters")
    op.drop_index(op.f("ix_station_facts_operator_id_session_id"), table_name="station_facts")
    op.drop_table("station_facts")
    op.drop_index(op.f("ix_station_commands_operator_id_station_id_requested_at"), table_name="station_commands")
    op.drop_index(op.f("ix_station_commands_operator_id_state_deadline_at"), table_name="station_commands")
    op.drop_index(op.f("ix_station_commands_operator_id_payment_id"), table_name="station_commands")
    op.drop_table("station_commands")
    op.drop_index(
        "uq_payments_provider_ref",
        table_name="payments",
        sqlite_where=sa.text("provider_ref IS NOT NULL"),
        postgresql_where=sa.text("provider_ref IS NOT NULL"),
    )
    op.drop_index(
        "uq_payments_driver_secret",
        table_name="payments",
        sqlite_where=sa.text("driver_secret IS NOT NULL"),
        postgresql_where=sa.text("driver_secret IS NOT NULL"),
    )
    op.drop_index(op.f("ix_payments_operator_id_state_payment_id"), table_name="payments")
    op.drop_index(op.f("ix_payments_operator_id_session_id"), table_name="payments")
    op.drop_index(op.f("ix_payments_operator_id_invoice_id"), table_name="payments")
    op.drop_index(op.f("ix_payments_operator_id_customer_id_payment_id"), table_name="payments")
    op.drop_table("payments")
    op.drop_table("offers")
    op.drop_index(op.f("ix_frames_operator_id_station_id_received_at"), table_name="frames")
    op.drop_table("frames")
    op.drop_index("ix_evses_code", table_name="evses")
    op.drop_table("evses")
    op.drop_index(op.f("ix_webhook_events_operator_id_state"), table_name="webhook_events")
    op.drop_index(op.f("ix_webhook_events_operator_id_received_at"), table_name="webhook_events")
    op.drop_index(op.f("ix_webhook_events_operator_id_payment_id"), table_name="webhook_events")
    op.drop_table("webhook_events")
    op.drop_index(
        "uq_transfers_pending",
        table_name="transfers",
        sqlite_where=sa.text("pending_id IS NOT NULL"),
        postgresql_where=sa.text("pending_id IS NOT NULL"),
    )
    op.drop_index(op.f("ix_transfers_operator_id_entry_id"), table_name="transfers")
    op.drop_index(op.f("ix_transfers_operator_id_debit_account_id"), table_name="transfers")
    op.drop_index(op.f("ix_transfers_operator_id_credit_account_id"), table_name="transfers")
    op.drop_table("transfers")
    op.drop_index(op.f("ix_tokens_operator_id_customer_id"), table_name="tokens")
    op.drop_table("tokens")
    op.drop_index(op.f("ix_tariff_assignments_operator_id_scope_scope_id"), table_name="tariff_assignments")
    op.drop_table("tariff_assignments")
    op.drop_index("ix_stations_identity", table_name="stations")
    op.drop_table("stations")
    op.drop_index(op.f("ix_payment_methods_operator_id_customer_id"), table_name="payment_methods")
    op.drop_table("payment_methods")
    op.drop_table("customer_details")
    op.drop_index(op.f("ix_tariff_versions_operator_id_reference_created_at"), table_name="tariff_versions")
    op.drop_table("tariff_versions")
    op.drop_table("sequencer")
    op.drop_table("revenue_by_day")
    op.drop_index(
        "uq_provider_accounts_default",
        table_name="provider_accounts",
        sqlite_where=sa.text("is_default = 1"),
        postgresql_where=sa.text("is_default = 1"),
    )
    op.drop_table("provider_accounts")
    op.drop_table("policy_versions")
    op.drop_table("parties")
    op.drop_index("uq_operators_slug", table_name="operators")
    op.drop_table("operators")
    op.drop_table("number_series")
    op.drop_table("locations")
    op.drop_index(op.f("ix_jobs_operator_id_state"), table_name="jobs")
    op.drop_index(
        "ix_jobs_due",
        table_name="jobs",
        sqlite_where=sa.text("state IN ('ready', 'leased')"),
        postgresql_where=sa.text("state IN ('ready', 'leased')"),
    )
    op.drop_table("jobs")
    op.drop_index(op.f("ix_inbox_operator_id_state_item_id"), table_name="inbox")
    op.drop_index(op.f("ix_inbox_operator_id_session_id"), table_name="inbox")
    op.drop_table("inbox")
    op.drop_index("uq_events_position", table_name="events")
    op.drop_index(
        "ix_events_unsequenced",
        table_name="events",
        sqlite_where=sa.text("position IS NULL"),
        postgresql_where=sa.text("position IS NULL"),
    )
    op.drop_table("events")
    op.drop_index(op.f("ix_entries_operator_id_cause_kind_cause_id"), table_name="entries")
    op.drop_index(op.f("ix_entries_operator_id_booked_at"), table_name="entries")
    op.drop_table("entries")
    op.drop_table("data_keys")
    op.drop_table("customers")
    op.drop_table("cursors")
    op.drop_index("uq_console_sessions_secret_hash", table_name="console_sessions")
    op.drop_table("console_sessions")
    op.drop_index("uq_console_links_secret_hash", table_name="console_links")
    op.drop_table("console_links")
    op.drop_table("business_clock")
    op.drop_index("uq_api_keys_prefix", table_name="api_keys")
    op.drop_table("api_keys")
    op.drop_table("answered_requests")
    op.drop_index(op.f("ix_actions_operator_id_recorded_at"), table_name="actions")
    op.drop_table("actions")
    op.drop_table("accounts")
