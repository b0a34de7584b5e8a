"""Deliveries are found by their message, so that an old message can go without looking at all of them."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        op.f("ix_webhook_deliveries_operator_id_message_id"), "webhook_deliveries", ["operator_id", "message_id"]
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_webhook_deliveries_operator_id_message_id"), table_name="webhook_deliveries")
