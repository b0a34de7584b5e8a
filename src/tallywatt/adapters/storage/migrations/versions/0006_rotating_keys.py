"""API keys get a new secret while the old one goes on opening for a time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("rotated_at", WHOLE, nullable=True))
    op.add_column("api_keys", sa.Column("old_secret_hash", sa.Text(), nullable=True))
    op.add_column("api_keys", sa.Column("old_valid_until", WHOLE, nullable=True))


def downgrade() -> None:
    for name in ("old_valid_until", "old_secret_hash", "rotated_at"):
        op.drop_column("api_keys", name)
