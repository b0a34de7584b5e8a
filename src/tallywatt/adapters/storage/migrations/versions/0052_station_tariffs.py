"""What stations were told to count by, what they have counted, how much it may differ, and what they may do offline."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "told_tariffs",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("evse_number", WHOLE, nullable=True),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("tariff_version_id", sa.Text(), nullable=True),
        sa.Column("tariff_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("command_id", sa.Text(), nullable=True),
        sa.Column("silences", WHOLE, nullable=False),
        sa.Column("changed_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint(
            "state IN ('sent', 'held', 'refused', 'unsupported', 'unsaid', 'none', 'silent')",
            name=op.f("ck_told_tariffs_state"),
        ),
        _refers("told_tariffs", "station_id", "stations"),
        _refers("told_tariffs", "session_id", "sessions"),
        _refers("told_tariffs", "command_id", "station_commands"),
        sa.PrimaryKeyConstraint("operator_id", "subject_id", name=op.f("pk_told_tariffs")),
        sqlite_strict=True,
    )
    for columns in (("station_id", "session_id"), ("command_id",), ("session_id",)):
        name = "_".join(["ix_told_tariffs_operator_id", *columns])
        op.create_index(op.f(name), "told_tariffs", ["operator_id", *columns])
    op.create_table(
        "told_costs",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("before_taxes", sa.Text(), nullable=True),
        sa.Column("after_taxes", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("tariff_id", sa.Text(), nullable=True),
        sa.Column("parts", sa.Text(), nullable=False),
        sa.Column("sequence_number", WHOLE, nullable=True),
        sa.Column("is_final", WHOLE, nullable=False),
        sa.Column("received_at", WHOLE, nullable=False),
        sa.Column("frame_id", sa.Text(), nullable=False),
        sa.Column("rated_id", sa.Text(), nullable=True),
        sa.Column("difference_minor", WHOLE, nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        _refers("told_costs", "session_id", "sessions"),
        sa.PrimaryKeyConstraint("operator_id", "session_id", name=op.f("pk_told_costs")),
        sqlite_strict=True,
    )
    op.create_table(
        "offline_rules",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("starts", sa.Text(), nullable=False),
        sa.Column("refused_wh", WHOLE, nullable=False),
        sa.Column("changed_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("starts IN ('nobody', 'known', 'anybody')", name=op.f("ck_offline_rules_starts")),
        sa.PrimaryKeyConstraint("operator_id", "scope", name=op.f("pk_offline_rules")),
        sqlite_strict=True,
    )
    op.add_column("display_rules", sa.Column("tolerance_minor", WHOLE, nullable=True))
    op.add_column("wanted_limits", sa.Column("told", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("wanted_limits", "told")
    op.drop_column("display_rules", "tolerance_minor")
    op.drop_table("offline_rules")
    op.drop_table("told_costs")
    op.drop_table("told_tariffs")


def _refers(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["operator_id", column],
        [f"{other}.operator_id", f"{other}.{column}"],
        name=op.f(f"fk_{table}_operator_id_{column}"),
    )
