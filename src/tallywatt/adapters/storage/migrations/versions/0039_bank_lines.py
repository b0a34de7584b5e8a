"""Lines of bank statements, each kept once, and the payouts that they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bank_lines",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("line_id", sa.Text(), nullable=False),
        sa.Column("bank_account", sa.Text(), nullable=False),
        sa.Column("statement_ref", sa.Text(), nullable=False),
        sa.Column("entry_ref", sa.Text(), nullable=False),
        sa.Column("booked_at", WHOLE, nullable=False),
        sa.Column("amount_minor", WHOLE, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("end_to_end", sa.Text(), nullable=True),
        sa.Column("remittance", sa.Text(), nullable=True),
        sa.Column("counterparty", sa.Text(), nullable=True),
        sa.Column("counterparty_account", sa.Text(), nullable=True),
        sa.Column("return_code", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("candidates", WHOLE, nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("settlement_ref", sa.Text(), nullable=True),
        sa.Column("received_at", WHOLE, nullable=False),
        sa.Column("decided_at", WHOLE, nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("(state = 'matched') = (settlement_ref IS NOT NULL)", name=op.f("ck_bank_lines_matched")),
        sa.CheckConstraint("(account_id IS NULL) = (settlement_ref IS NULL)", name=op.f("ck_bank_lines_payout")),
        sa.CheckConstraint("state IN ('open', 'matched', 'dismissed')", name=op.f("ck_bank_lines_state")),
        sa.ForeignKeyConstraint(
            ["operator_id", "account_id", "settlement_ref"],
            ["settlement_lines.operator_id", "settlement_lines.account_id", "settlement_lines.line_ref"],
            name=op.f("fk_bank_lines_operator_id_account_id_settlement_ref"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "line_id", name=op.f("pk_bank_lines")),
        sa.UniqueConstraint(
            "operator_id",
            "account_id",
            "settlement_ref",
            name=op.f("uq_bank_lines_operator_id_account_id_settlement_ref"),
        ),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_bank_lines_operator_id_state_booked_at"), "bank_lines", ["operator_id", "state", "booked_at"]
    )
    op.create_index(op.f("ix_bank_lines_operator_id_booked_at"), "bank_lines", ["operator_id", "booked_at"])


def downgrade() -> None:
    op.drop_table("bank_lines")
