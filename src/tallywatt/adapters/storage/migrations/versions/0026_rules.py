"""How models of stations write their registers, and rules that work off what is held."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "meter_profiles",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("profile_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("firmware", sa.Text(), nullable=False),
        sa.Column("habits", sa.Text(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.UniqueConstraint("operator_id", "name", name=op.f("uq_meter_profiles_operator_id_name")),
        sa.PrimaryKeyConstraint("operator_id", "profile_id", name=op.f("pk_meter_profiles")),
        sqlite_strict=True,
    )
    op.create_table(
        "resolution_rules",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("most_minor", WHOLE, nullable=False),
        sa.Column("is_on", WHOLE, nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.UniqueConstraint("operator_id", "name", name=op.f("uq_resolution_rules_operator_id_name")),
        sa.CheckConstraint("most_minor >= 0", name=op.f("ck_resolution_rules_cap")),
        sa.PrimaryKeyConstraint("operator_id", "rule_id", name=op.f("pk_resolution_rules")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_resolution_rules_operator_id_kind"), "resolution_rules", ["operator_id", "kind"])


def downgrade() -> None:
    op.drop_index(op.f("ix_resolution_rules_operator_id_kind"), table_name="resolution_rules")
    op.drop_table("resolution_rules")
    op.drop_table("meter_profiles")
