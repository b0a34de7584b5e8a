"""Which stations are told prices, and what the display of a running session was told last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "display_rules",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("shows", sa.Text(), nullable=False),
        sa.Column("every_seconds", WHOLE, nullable=False),
        sa.Column("changed_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("shows IN ('auto', 'always', 'never')", name=op.f("ck_display_rules_shows")),
        sa.PrimaryKeyConstraint("operator_id", "scope", name=op.f("pk_display_rules")),
        sqlite_strict=True,
    )
    op.create_table(
        "told_prices",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("gross_minor", WHOLE, nullable=True),
        sa.Column("told_at", WHOLE, nullable=True),
        sa.Column("command_id", sa.Text(), nullable=True),
        sa.Column("silences", WHOLE, nullable=False),
        sa.Column("is_refused", WHOLE, nullable=False),
        sa.Column("is_final", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id", "command_id"],
            ["station_commands.operator_id", "station_commands.command_id"],
            name=op.f("fk_told_prices_operator_id_command_id"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "session_id"],
            ["sessions.operator_id", "sessions.session_id"],
            name=op.f("fk_told_prices_operator_id_session_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "session_id", name=op.f("pk_told_prices")),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("told_prices")
    op.drop_table("display_rules")
