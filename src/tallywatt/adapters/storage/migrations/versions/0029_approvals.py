"""How much somebody may give away alone, and what waits for a second pair of eyes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("operators", sa.Column("approval_hours", WHOLE, nullable=False, server_default="168"))
    op.create_table(
        "money_limits",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("payment_minor", WHOLE, nullable=True),
        sa.Column("day_minor", WHOLE, nullable=True),
        sa.Column("changed_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("holder IN ('owner', 'support', 'finance', 'program')", name=op.f("ck_money_limits_holder")),
        sa.CheckConstraint("payment_minor >= 0 AND day_minor >= 0", name=op.f("ck_money_limits_not_negative")),
        sa.PrimaryKeyConstraint("operator_id", "holder", "currency", name=op.f("pk_money_limits")),
        sqlite_strict=True,
    )
    op.create_table(
        "given_away",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("holder_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("given_minor", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("given_minor >= 0", name=op.f("ck_given_away_given")),
        sa.PrimaryKeyConstraint("operator_id", "holder_id", "day", "currency", name=op.f("pk_given_away")),
        sqlite_strict=True,
    )
    op.create_table(
        "approvals",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("approval_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        sa.Column("amount_minor", WHOLE, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("beyond", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("expires_at", WHOLE, nullable=False),
        sa.Column("decided_at", WHOLE, nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("result_id", sa.Text(), nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("kind IN ('refund', 'correction')", name=op.f("ck_approvals_kind")),
        sa.CheckConstraint("state IN ('waiting', 'approved', 'declined', 'expired')", name=op.f("ck_approvals_state")),
        sa.CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name=op.f("ck_approvals_decided")),
        sa.CheckConstraint(
            "state NOT IN ('approved', 'declined') OR decided_by IS NOT NULL", name=op.f("ck_approvals_decider")
        ),
        sa.CheckConstraint(
            "decided_by IS NULL OR state <> 'approved' OR decided_by <> asked_by",
            name=op.f("ck_approvals_second_eyes"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "approval_id", name=op.f("pk_approvals")),
        sa.UniqueConstraint(
            "operator_id", "kind", "request_key", name=op.f("uq_approvals_operator_id_kind_request_key")
        ),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_approvals_operator_id_subject_id_approval_id"),
        "approvals",
        ["operator_id", "subject_id", "approval_id"],
    )
    op.create_index(
        op.f("ix_approvals_operator_id_state_approval_id"), "approvals", ["operator_id", "state", "approval_id"]
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_approvals_operator_id_state_approval_id"), table_name="approvals")
    op.drop_index(op.f("ix_approvals_operator_id_subject_id_approval_id"), table_name="approvals")
    op.drop_table("approvals")
    op.drop_table("given_away")
    op.drop_table("money_limits")
    op.drop_column("operators", "approval_hours")
