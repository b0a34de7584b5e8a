"""Stations that are moved to a higher security profile."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "profile_changes",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("wanted", WHOLE, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("slot", WHOLE, nullable=True),
        sa.Column("interface", sa.Text(), nullable=True),
        sa.Column("priority", sa.Text(), nullable=True),
        sa.Column("command_id", sa.Text(), nullable=False),
        sa.Column("requested_at", WHOLE, nullable=False),
        sa.Column("changed_at", WHOLE, nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("shown", WHOLE, nullable=True),
        sa.Column("shown_at", WHOLE, nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint(
            "state IN ('asking', 'writing', 'ordering', 'resetting', 'returning', 'done', 'went_back', 'refused', "
            "'silent', 'ended')",
            name=op.f("ck_profile_changes_state"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "station_id"],
            ["stations.operator_id", "stations.station_id"],
            name=op.f("fk_profile_changes_operator_id_station_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "station_id", name=op.f("pk_profile_changes")),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("profile_changes")
