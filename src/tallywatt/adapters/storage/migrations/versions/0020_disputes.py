"""Disputes: what payers' banks take back, and until when an operator may answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "disputes",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("dispute_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("dispute_ref", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("amount_minor", WHOLE, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("withdrawn_minor", WHOLE, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("due_at", WHOLE, nullable=True),
        sa.Column("said_at", WHOLE, nullable=False),
        sa.Column("opened_at", WHOLE, nullable=False),
        sa.Column("decided_at", WHOLE, nullable=True),
        sa.Column("revision", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint(
            "state IN ('warning', 'open', 'answered', 'won', 'lost', 'closed')", name=op.f("ck_disputes_state")
        ),
        sa.CheckConstraint("withdrawn_minor BETWEEN 0 AND amount_minor", name=op.f("ck_disputes_withdrawn")),
        sa.CheckConstraint("revision >= 0", name=op.f("ck_disputes_revision")),
        sa.CheckConstraint(
            "(state IN ('warning', 'open', 'answered')) = (decided_at IS NULL)", name=op.f("ck_disputes_decided")
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "account_id"],
            ["provider_accounts.operator_id", "provider_accounts.account_id"],
            name=op.f("fk_disputes_operator_id_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "payment_id"],
            ["payments.operator_id", "payments.payment_id"],
            name=op.f("fk_disputes_operator_id_payment_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "dispute_id", name=op.f("pk_disputes")),
        sa.UniqueConstraint(
            "operator_id", "account_id", "dispute_ref", name=op.f("uq_disputes_operator_id_account_id_dispute_ref")
        ),
        sqlite_strict=True,
    )
    for columns in (("payment_id",), ("state", "dispute_id")):
        op.create_index(op.f(f"ix_disputes_operator_id_{'_'.join(columns)}"), "disputes", ["operator_id", *columns])


def downgrade() -> None:
    op.drop_table("disputes")
