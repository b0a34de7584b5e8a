"""A job that is asked for again while it runs is to run once more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("wanted_at", WHOLE, nullable=True))


def downgrade() -> None:
    op.drop_column("jobs", "wanted_at")
