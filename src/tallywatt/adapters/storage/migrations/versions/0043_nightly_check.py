"""When a station is asked next by itself, how it stood when that was last settled, and the version of its list that it named."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

COLUMNS = (
    ("station_checks", "next_at"),
    ("station_checks", "is_billable"),
    ("local_lists", "told_number"),
    ("local_lists", "told_at"),
)


def upgrade() -> None:
    for table, column in COLUMNS:
        op.add_column(table, sa.Column(column, WHOLE, nullable=True))


def downgrade() -> None:
    for table, column in reversed(COLUMNS):
        op.drop_column(table, column)
