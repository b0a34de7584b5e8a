"""When stations were asked how they are configured, what was off, and where values may be written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "station_checks",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("asked_at", WHOLE, nullable=False),
        sa.Column("answered_at", WHOLE, nullable=True),
        sa.Column("set_at", WHOLE, nullable=True),
        sa.Column("off", sa.Text(), nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id", "station_id"],
            ["stations.operator_id", "stations.station_id"],
            name=op.f("fk_station_checks_operator_id_station_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "station_id", name=op.f("pk_station_checks")),
        sqlite_strict=True,
    )
    op.create_table(
        "commissioning_rules",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("sets_values", WHOLE, nullable=False),
        sa.Column("changed_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "scope", name=op.f("pk_commissioning_rules")),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("commissioning_rules")
    op.drop_table("station_checks")
