"""Answers under an idempotency key are thinned by their age."""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

INDEX = "ix_answered_requests_operator_id_created_at"


def upgrade() -> None:
    op.create_index(op.f(INDEX), "answered_requests", ["operator_id", "created_at"])


def downgrade() -> None:
    op.drop_index(op.f(INDEX), table_name="answered_requests")
