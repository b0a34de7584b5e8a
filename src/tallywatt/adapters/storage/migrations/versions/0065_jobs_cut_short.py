"""A job knows how often in a row its worker has ended while it held it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("cut_short", WHOLE, nullable=False, server_default=sa.text("0")))


def downgrade() -> None:
    op.drop_column("jobs", "cut_short")
