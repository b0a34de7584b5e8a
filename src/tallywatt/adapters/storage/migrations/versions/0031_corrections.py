"""Price corrections: sessions that are rated again, and what became of each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "corrections",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("correction_id", sa.Text(), nullable=False),
        sa.Column("tariff_version_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since_at", WHOLE, nullable=False),
        sa.Column("until_at", WHOLE, nullable=False),
        sa.Column("priced_by", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("looked", WHOLE, nullable=False),
        sa.Column("less_minor", WHOLE, nullable=False),
        sa.Column("more_minor", WHOLE, nullable=False),
        sa.Column("largest_minor", WHOLE, nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("ended_at", WHOLE, nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint(
            "state IN ('pricing', 'proposed', 'waiting', 'running', 'done', 'discarded')",
            name=op.f("ck_corrections_state"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "tariff_version_id"],
            ["tariff_versions.operator_id", "tariff_versions.tariff_version_id"],
            name=op.f("fk_corrections_operator_id_tariff_version_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "correction_id", name=op.f("pk_corrections")),
        sqlite_strict=True,
    )
    op.create_table(
        "corrected_sessions",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("correction_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("was_minor", WHOLE, nullable=False),
        sa.Column("now_minor", WHOLE, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("credited_minor", WHOLE, nullable=False),
        sa.Column("refunded_minor", WHOLE, nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint(
            "outcome IN ('open', 'returned', 'left', 'skipped')", name=op.f("ck_corrected_sessions_outcome")
        ),
        sa.CheckConstraint(
            "credited_minor >= 0 AND refunded_minor >= 0", name=op.f("ck_corrected_sessions_not_negative")
        ),
        sa.CheckConstraint(
            "credited_minor + refunded_minor <= was_minor", name=op.f("ck_corrected_sessions_no_more_than_was_charged")
        ),
        sa.CheckConstraint(
            "(outcome = 'returned') = (credited_minor + refunded_minor > 0)",
            name=op.f("ck_corrected_sessions_returned"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "correction_id"],
            ["corrections.operator_id", "corrections.correction_id"],
            name=op.f("fk_corrected_sessions_operator_id_correction_id"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "invoice_id"],
            ["invoices.operator_id", "invoices.invoice_id"],
            name=op.f("fk_corrected_sessions_operator_id_invoice_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "correction_id", "session_id", name=op.f("pk_corrected_sessions")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_corrected_sessions_operator_id_invoice_id"), "corrected_sessions", ["operator_id", "invoice_id"]
    )
    op.create_index(
        op.f("ix_corrected_sessions_operator_id_correction_id_outcome_session_id"),
        "corrected_sessions",
        ["operator_id", "correction_id", "outcome", "session_id"],
    )


def downgrade() -> None:
    op.drop_index(
        op.f("ix_corrected_sessions_operator_id_correction_id_outcome_session_id"), table_name="corrected_sessions"
    )
    op.drop_index(op.f("ix_corrected_sessions_operator_id_invoice_id"), table_name="corrected_sessions")
    op.drop_table("corrected_sessions")
    op.drop_table("corrections")
