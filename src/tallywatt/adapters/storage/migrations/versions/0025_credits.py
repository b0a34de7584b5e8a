"""What credit notes take back is kept in lines and taxes like a price, beside the price that it is a part of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

FIRST = "uq_rated_results_first"


def upgrade() -> None:
    op.add_column("rated_results", sa.Column("credits", sa.Text(), nullable=True))
    _index("supersedes IS NULL AND credits IS NULL")


def downgrade() -> None:
    _index("supersedes IS NULL")
    op.drop_column("rated_results", "credits")


def _index(where: str) -> None:
    op.drop_index(FIRST, table_name="rated_results")
    op.create_index(
        FIRST,
        "rated_results",
        ["operator_id", "session_id"],
        unique=True,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
