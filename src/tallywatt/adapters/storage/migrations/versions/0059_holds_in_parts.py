"""Holds that are taken in parts, and settlement lines that belong to one capture of several."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME = "ck_payments_keeps_hold"
KEEPS = "keeps_hold = 0 OR (state = 'authorised' AND several_captures = 1)"


def upgrade() -> None:
    op.add_column("provider_accounts", sa.Column("several_captures", WHOLE, nullable=False, server_default="0"))
    op.add_column("payments", sa.Column("several_captures", WHOLE, nullable=False, server_default="0"))
    op.add_column("settlement_lines", sa.Column("operation_id", sa.Text(), nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        # SQLite adds a check with its column, or not at all.
        check = f"CONSTRAINT {NAME} CHECK ({KEEPS})"
        op.execute(f"ALTER TABLE payments ADD COLUMN keeps_hold INTEGER DEFAULT '0' NOT NULL {check}")
        return
    op.add_column("payments", sa.Column("keeps_hold", WHOLE, nullable=False, server_default="0"))
    op.create_check_constraint(op.f(NAME), "payments", KEEPS)


def downgrade() -> None:
    op.drop_column("payments", "keeps_hold")
    op.drop_column("payments", "several_captures")
    op.drop_column("provider_accounts", "several_captures")
    op.drop_column("settlement_lines", "operation_id")
