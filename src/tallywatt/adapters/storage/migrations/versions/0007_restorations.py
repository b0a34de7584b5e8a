"""Returns from a backup, and the invoice numbers that they leave out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "restorations",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("restoration_id", sa.Text(), nullable=False),
        sa.Column("archive_sha256", sa.Text(), nullable=False),
        sa.Column("backup_at", WHOLE, nullable=False),
        sa.Column("restored_at", WHOLE, nullable=False),
        sa.Column("compared_at", WHOLE, nullable=True),
        sa.Column("found", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "restoration_id", name=op.f("pk_restorations")),
        sqlite_strict=True,
    )
    op.create_table(
        "skipped_numbers",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("year", WHOLE, nullable=False),
        sa.Column("first", WHOLE, nullable=False),
        sa.Column("last", WHOLE, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.CheckConstraint("first >= 1 AND last >= first", name=op.f("ck_skipped_numbers_run")),
        sa.PrimaryKeyConstraint("operator_id", "series", "year", "first", name=op.f("pk_skipped_numbers")),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("skipped_numbers")
    op.drop_table("restorations")
