"""A line of the bank carries its payers in pieces; lines are found by the transfer that they are, and by their sum."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None

NAME = "ck_bank_lines_under_way"
STATES = "under_way IN ('collecting', 'undoing')"
BY_SUM = "ix_bank_lines_operator_id_state_amount_minor"
FILLED = {
    "ix_bank_lines_transfer": ("transfer_id", "transfer_id IS NOT NULL"),
    "ix_bank_lines_under_way": ("batch_id", "under_way IS NOT NULL"),
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        # SQLite adds a check with its column, or not at all.
        op.execute(f"ALTER TABLE bank_lines ADD COLUMN under_way TEXT CONSTRAINT {NAME} CHECK ({STATES})")
    else:
        op.add_column("bank_lines", sa.Column("under_way", sa.Text(), nullable=True))
        op.create_check_constraint(op.f(NAME), "bank_lines", STATES)
    op.add_column("bank_lines", sa.Column("debit_groups", sa.Text(), nullable=True))
    op.add_column("bank_lines", sa.Column("carried_to", sa.Text(), nullable=True))
    op.create_index(op.f(BY_SUM), "bank_lines", ["operator_id", "state", "amount_minor"])
    for name, (column, where) in FILLED.items():
        op.create_index(
            op.f(name),
            "bank_lines",
            ["operator_id", column],
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )


def downgrade() -> None:
    for name in (BY_SUM, *FILLED):
        op.drop_index(op.f(name), table_name="bank_lines")
    for name in ("carried_to", "debit_groups", "under_way"):
        op.drop_column("bank_lines", name)
