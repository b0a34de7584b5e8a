"""Coupons, and who used which one when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "coupons",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("coupon_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("most_uses", WHOLE, nullable=True),
        sa.Column("uses_per_customer", WHOLE, nullable=False),
        sa.Column("uses", WHOLE, nullable=False),
        sa.Column("valid_from", WHOLE, nullable=False),
        sa.Column("valid_until", WHOLE, nullable=True),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("uses >= 0 AND (most_uses IS NULL OR uses <= most_uses)", name=op.f("ck_coupons_uses")),
        sa.CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name=op.f("ck_coupons_valid_until")),
        sa.PrimaryKeyConstraint("operator_id", "coupon_id", name=op.f("pk_coupons")),
        sa.UniqueConstraint("operator_id", "code", name=op.f("uq_coupons_operator_id_code")),
        sqlite_strict=True,
    )
    op.create_table(
        "coupon_uses",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("use_id", sa.Text(), nullable=False),
        sa.Column("coupon_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("offer_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("claimed_at", WHOLE, nullable=True),
        sa.Column("ended_at", WHOLE, nullable=True),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("state IN ('kept', 'claimed', 'used', 'released')", name=op.f("ck_coupon_uses_state")),
        sa.ForeignKeyConstraint(
            ["operator_id", "coupon_id"],
            ["coupons.operator_id", "coupons.coupon_id"],
            name=op.f("fk_coupon_uses_operator_id_coupon_id"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "customer_id"],
            ["customers.operator_id", "customers.customer_id"],
            name=op.f("fk_coupon_uses_operator_id_customer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "session_id"],
            ["sessions.operator_id", "sessions.session_id"],
            name=op.f("fk_coupon_uses_operator_id_session_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "use_id", name=op.f("pk_coupon_uses")),
        sqlite_strict=True,
    )
    for columns in (("customer_id",), ("offer_id",), ("coupon_id", "use_id")):
        name = op.f(f"ix_coupon_uses_operator_id_{'_'.join(columns)}")
        op.create_index(name, "coupon_uses", ["operator_id", *columns])


def downgrade() -> None:
    for columns in (("coupon_id", "use_id"), ("offer_id",), ("customer_id",)):
        op.drop_index(op.f(f"ix_coupon_uses_operator_id_{'_'.join(columns)}"), table_name="coupon_uses")
    op.drop_table("coupon_uses")
    op.drop_table("coupons")
