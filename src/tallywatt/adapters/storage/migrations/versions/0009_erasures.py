"""Erasures of customers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("erasure_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("rows", WHOLE, nullable=False),
        sa.Column("requested_at", WHOLE, nullable=False),
        sa.Column("kept_until", sa.Text(), nullable=True),
        sa.Column("done_at", WHOLE, nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("state IN ('searching', 'kept', 'done')", name=op.f("ck_erasures_state")),
        sa.ForeignKeyConstraint(
            ["operator_id", "customer_id"],
            ["customers.operator_id", "customers.customer_id"],
            name=op.f("fk_erasures_operator_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "erasure_id", name=op.f("pk_erasures")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_erasures_operator_id_customer_id"), "erasures", ["operator_id", "customer_id"], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_erasures_operator_id_customer_id"), table_name="erasures")
    op.drop_table("erasures")
