"""Keys that are being replaced over a station's own line; and a way to what a station was told about power and display."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

TOLD = (
    "name IN ('SetChargingProfile', 'ClearChargingProfile', 'GetCompositeSchedule', 'GetChargingProfiles', "
    "'SetDisplayMessage', 'ClearDisplayMessage', 'GetDisplayMessages')"
)


def upgrade() -> None:
    op.create_table(
        "key_changes",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=True),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=True),
        sa.Column("key_hash", sa.Text(), nullable=True),
        sa.Column("command_id", sa.Text(), nullable=False),
        sa.Column("requested_at", WHOLE, nullable=False),
        sa.Column("changed_at", WHOLE, nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'accepted', 'refused', 'unknown', 'done', 'ended')",
            name=op.f("ck_key_changes_state"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "station_id"],
            ["stations.operator_id", "stations.station_id"],
            name=op.f("fk_key_changes_operator_id_station_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "station_id", name=op.f("pk_key_changes")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_station_commands_told"),
        "station_commands",
        ["operator_id", "station_id", "command_id"],
        sqlite_where=sa.text(TOLD),
        postgresql_where=sa.text(TOLD),
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_station_commands_told"), table_name="station_commands")
    op.drop_table("key_changes")
