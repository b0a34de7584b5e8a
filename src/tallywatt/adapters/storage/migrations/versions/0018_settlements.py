"""What providers list about collected money, how far it was read, and what does not agree with our payments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _lines()
    _readings()
    _differences()


def _lines() -> None:
    op.create_table(
        "settlement_lines",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("line_ref", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Text(), nullable=True),
        sa.Column("source_ref", sa.Text(), nullable=True),
        sa.Column("amount_minor", WHOLE, nullable=False),
        sa.Column("fee_minor", WHOLE, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("source_minor", WHOLE, nullable=False),
        sa.Column("source_currency", sa.Text(), nullable=False),
        sa.Column("exchange_rate", sa.Text(), nullable=True),
        sa.Column("payout_ref", sa.Text(), nullable=True),
        sa.Column("said_at", WHOLE, nullable=False),
        sa.Column("received_at", WHOLE, nullable=False),
        sa.Column("revision", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint(
            "kind IN ('charge', 'refund', 'dispute', 'fee', 'payout', 'other')", name=op.f("ck_settlement_lines_kind")
        ),
        sa.CheckConstraint("state IN ('matched', 'extra')", name=op.f("ck_settlement_lines_state")),
        sa.CheckConstraint("revision >= 0", name=op.f("ck_settlement_lines_revision")),
        sa.CheckConstraint("state = 'matched' OR payment_id IS NULL", name=op.f("ck_settlement_lines_extra")),
        sa.ForeignKeyConstraint(
            ["operator_id", "account_id"],
            ["provider_accounts.operator_id", "provider_accounts.account_id"],
            name=op.f("fk_settlement_lines_operator_id_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "payment_id"],
            ["payments.operator_id", "payments.payment_id"],
            name=op.f("fk_settlement_lines_operator_id_payment_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "account_id", "line_ref", name=op.f("pk_settlement_lines")),
        sqlite_strict=True,
    )
    for columns in (
        ("payment_id",),
        ("account_id", "payout_ref"),
        ("account_id", "kind", "said_at"),
        ("said_at", "line_ref"),
    ):
        name = f"ix_settlement_lines_operator_id_{'_'.join(columns)}"
        op.create_index(op.f(name), "settlement_lines", ["operator_id", *columns])


def _readings() -> None:
    op.create_table(
        "settlement_readings",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("from_at", WHOLE, nullable=False),
        sa.Column("until_at", WHOLE, nullable=False),
        sa.Column("read_at", WHOLE, nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id", "account_id"],
            ["provider_accounts.operator_id", "provider_accounts.account_id"],
            name=op.f("fk_settlement_readings_operator_id_account_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "account_id", name=op.f("pk_settlement_readings")),
        sqlite_strict=True,
    )


def _differences() -> None:
    op.create_table(
        "settlement_differences",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("difference_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_ref", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("expected_minor", WHOLE, nullable=False),
        sa.Column("found_minor", WHOLE, nullable=False),
        sa.Column("booked_minor", WHOLE, nullable=False),
        sa.Column("suggestion", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("resolved_at", WHOLE, nullable=True),
        sa.Column("resolved_by", sa.Text(), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint(
            "kind IN ('missing', 'extra', 'charged', 'refunded', 'payout')", name=op.f("ck_settlement_differences_kind")
        ),
        sa.CheckConstraint(
            "suggestion IN ('ask', 'match', 'book', 'dismiss')", name=op.f("ck_settlement_differences_suggestion")
        ),
        sa.CheckConstraint("state IN ('open', 'resolved')", name=op.f("ck_settlement_differences_state")),
        sa.CheckConstraint(
            "(state = 'resolved') = (resolved_at IS NOT NULL)", name=op.f("ck_settlement_differences_resolved")
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "account_id"],
            ["provider_accounts.operator_id", "provider_accounts.account_id"],
            name=op.f("fk_settlement_differences_operator_id_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "payment_id"],
            ["payments.operator_id", "payments.payment_id"],
            name=op.f("fk_settlement_differences_operator_id_payment_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "difference_id", name=op.f("pk_settlement_differences")),
        sa.UniqueConstraint(
            "operator_id",
            "account_id",
            "kind",
            "subject_ref",
            name=op.f("uq_settlement_differences_operator_id_account_id_kind_subject_ref"),
        ),
        sqlite_strict=True,
    )
    for columns in (("payment_id",), ("state", "difference_id")):
        name = f"ix_settlement_differences_operator_id_{'_'.join(columns)}"
        op.create_index(op.f(name), "settlement_differences", ["operator_id", *columns])


def downgrade() -> None:
    for name in ("settlement_differences", "settlement_readings", "settlement_lines"):
        op.drop_table(name)
