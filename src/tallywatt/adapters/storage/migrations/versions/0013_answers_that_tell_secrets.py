"""Answers that tell a secret are kept sealed, for as long as somebody may ask for them again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("answered_requests", sa.Column("key_id", sa.Text(), nullable=True))
    op.add_column("answered_requests", sa.Column("forget_at", WHOLE, nullable=True))
    op.create_index(
        "ix_answered_requests_forget_at",
        "answered_requests",
        ["forget_at"],
        unique=False,
        sqlite_where=sa.text("key_id IS NOT NULL"),
        postgresql_where=sa.text("key_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_answered_requests_forget_at", table_name="answered_requests")
    op.drop_column("answered_requests", "forget_at")
    op.drop_column("answered_requests", "key_id")
