"""Outgoing webhooks: endpoints with their secrets, messages, deliveries, attempts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("endpoint_id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("event_types", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("disabled_because", sa.Text(), nullable=True),
        sa.Column("disabled_at", WHOLE, nullable=True),
        sa.Column("position", WHOLE, nullable=True),
        sa.Column("replay_to", WHOLE, nullable=True),
        sa.Column("failures", WHOLE, nullable=False),
        sa.Column("failing_since", WHOLE, nullable=True),
        sa.Column("paused_until", WHOLE, nullable=True),
        sa.Column("last_delivered_at", WHOLE, nullable=True),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("state IN ('enabled', 'disabled', 'removed')", name=op.f("ck_webhook_endpoints_state")),
        sa.PrimaryKeyConstraint("operator_id", "endpoint_id", name=op.f("pk_webhook_endpoints")),
        sqlite_strict=True,
    )
    op.create_table(
        "webhook_messages",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("schema_version", WHOLE, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id", "message_id"],
            ["events.operator_id", "events.event_id"],
            name=op.f("fk_webhook_messages_operator_id_message_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "message_id", name=op.f("pk_webhook_messages")),
        sqlite_strict=True,
    )
    op.create_table(
        "webhook_secrets",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("secret_id", sa.Text(), nullable=False),
        sa.Column("endpoint_id", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("expires_at", WHOLE, nullable=True),
        sa.ForeignKeyConstraint(
            ["operator_id", "endpoint_id"],
            ["webhook_endpoints.operator_id", "webhook_endpoints.endpoint_id"],
            name=op.f("fk_webhook_secrets_operator_id_endpoint_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "secret_id", name=op.f("pk_webhook_secrets")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_webhook_secrets_operator_id_endpoint_id"),
        "webhook_secrets",
        ["operator_id", "endpoint_id"],
        unique=False,
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("endpoint_id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("aggregate", sa.Text(), nullable=False),
        sa.Column("aggregate_id", sa.Text(), nullable=False),
        sa.Column("aggregate_version", WHOLE, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", WHOLE, nullable=False),
        sa.Column("failures", WHOLE, nullable=False),
        sa.Column("attempts", WHOLE, nullable=False),
        sa.Column("lease_until", WHOLE, nullable=True),
        sa.Column("leased_by", sa.Text(), nullable=True),
        sa.Column("last_status", WHOLE, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("ended_at", WHOLE, nullable=True),
        sa.CheckConstraint(
            "state IN ('blocked', 'ready', 'sending', 'delivered', 'given_up')",
            name=op.f("ck_webhook_deliveries_state"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "endpoint_id"],
            ["webhook_endpoints.operator_id", "webhook_endpoints.endpoint_id"],
            name=op.f("fk_webhook_deliveries_operator_id_endpoint_id"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "message_id"],
            ["webhook_messages.operator_id", "webhook_messages.message_id"],
            name=op.f("fk_webhook_deliveries_operator_id_message_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "delivery_id", name=op.f("pk_webhook_deliveries")),
        sa.UniqueConstraint(
            "operator_id",
            "endpoint_id",
            "position",
            name=op.f("uq_webhook_deliveries_operator_id_endpoint_id_position"),
        ),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_webhook_deliveries_open",
        "webhook_deliveries",
        ["operator_id", "endpoint_id", "aggregate", "aggregate_id", "aggregate_version"],
        unique=False,
        sqlite_where=sa.text("state IN ('blocked', 'ready', 'sending')"),
        postgresql_where=sa.text("state IN ('blocked', 'ready', 'sending')"),
    )
    op.create_index(
        op.f("ix_webhook_deliveries_operator_id_endpoint_id_state_due_at"),
        "webhook_deliveries",
        ["operator_id", "endpoint_id", "state", "due_at"],
        unique=False,
    )
    op.create_index(
        "uq_webhook_deliveries_on_its_way",
        "webhook_deliveries",
        ["operator_id", "endpoint_id", "aggregate", "aggregate_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('ready', 'sending')"),
        postgresql_where=sa.text("state IN ('ready', 'sending')"),
    )
    op.create_table(
        "webhook_attempts",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("endpoint_id", sa.Text(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("status", WHOLE, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("milliseconds", WHOLE, nullable=False),
        sa.Column("started_at", WHOLE, nullable=False),
        sa.CheckConstraint(
            "outcome IN ('delivered', 'refused', 'redirected', 'gone', 'timed_out', 'unreachable', 'forbidden')",
            name=op.f("ck_webhook_attempts_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "delivery_id"],
            ["webhook_deliveries.operator_id", "webhook_deliveries.delivery_id"],
            name=op.f("fk_webhook_attempts_operator_id_delivery_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "attempt_id", name=op.f("pk_webhook_attempts")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_webhook_attempts_operator_id_delivery_id"),
        "webhook_attempts",
        ["operator_id", "delivery_id"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_table("webhook_attempts")
    op.drop_table("webhook_deliveries")
    op.drop_table("webhook_messages")
    op.drop_table("webhook_secrets")
    op.drop_table("webhook_endpoints")
