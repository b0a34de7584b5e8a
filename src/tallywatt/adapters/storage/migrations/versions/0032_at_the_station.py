"""Paying at the station: holds that a terminal there has placed, and codes on its display that change with time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("payments", sa.Column("terminal_until", WHOLE, nullable=True))
    op.create_table(
        "web_codes",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("evse_id", sa.Text(), nullable=False),
        sa.Column("generation", WHOLE, nullable=False),
        sa.Column("validity_seconds", WHOLE, nullable=False),
        sa.Column("length", WHOLE, nullable=False),
        sa.Column("last_window", WHOLE, nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id", "evse_id"],
            ["evses.operator_id", "evses.evse_id"],
            name=op.f("fk_web_codes_operator_id_evse_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "evse_id", name=op.f("pk_web_codes")),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("web_codes")
    op.drop_column("payments", "terminal_until")
