"""A rule about stations without a connection can be taken back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("offline_rules", sa.Column("removed_at", WHOLE, nullable=True))


def downgrade() -> None:
    op.drop_column("offline_rules", "removed_at")
