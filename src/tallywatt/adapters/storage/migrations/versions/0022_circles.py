"""Fleets, groups and memberships, and who belongs to them from when to when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "circles",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("circle_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("kind IN ('fleet', 'group', 'member')", name=op.f("ck_circles_kind")),
        sa.PrimaryKeyConstraint("operator_id", "circle_id", name=op.f("pk_circles")),
        sa.UniqueConstraint("operator_id", "kind", "name", name=op.f("uq_circles_operator_id_kind_name")),
        sqlite_strict=True,
    )
    op.create_table(
        "belongings",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("belonging_id", sa.Text(), nullable=False),
        sa.Column("circle_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("valid_from", WHOLE, nullable=False),
        sa.Column("valid_until", WHOLE, nullable=True),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name=op.f("ck_belongings_valid_until")),
        sa.ForeignKeyConstraint(
            ["operator_id", "circle_id"],
            ["circles.operator_id", "circles.circle_id"],
            name=op.f("fk_belongings_operator_id_circle_id"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "customer_id"],
            ["customers.operator_id", "customers.customer_id"],
            name=op.f("fk_belongings_operator_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "belonging_id", name=op.f("pk_belongings")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_belongings_operator_id_customer_id"), "belongings", ["operator_id", "customer_id"])
    op.create_index(
        op.f("ix_belongings_operator_id_circle_id_belonging_id"),
        "belongings",
        ["operator_id", "circle_id", "belonging_id"],
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_belongings_operator_id_circle_id_belonging_id"), table_name="belongings")
    op.drop_index(op.f("ix_belongings_operator_id_customer_id"), table_name="belongings")
    op.drop_table("belongings")
    op.drop_table("circles")
