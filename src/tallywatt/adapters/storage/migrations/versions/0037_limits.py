"""How much of a session somebody wants, and what its station keeps of that."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wanted_limits",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("limits", sa.Text(), nullable=False),
        sa.Column("chosen_at", WHOLE, nullable=False),
        sa.Column("confirmed", sa.Text(), nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "subject_id", name=op.f("pk_wanted_limits")),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("wanted_limits")
