"""What stations say on the side; and ways to the rows of displays that nobody needs any more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

SHOWN = "name IN ('CostUpdated', 'DataTransfer')"


def upgrade() -> None:
    op.create_table(
        "station_notices",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("notice_key", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("severity", WHOLE, nullable=True),
        sa.Column("is_cleared", WHOLE, nullable=False),
        sa.Column("evse", WHOLE, nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("occurred_at", WHOLE, nullable=False),
        sa.Column("received_at", WHOLE, nullable=False),
        sa.Column("frame_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id", "station_id"],
            ["stations.operator_id", "stations.station_id"],
            name=op.f("fk_station_notices_operator_id_station_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "station_id", "notice_key", name=op.f("pk_station_notices")),
        sqlite_strict=True,
    )
    for columns in (("received_at", "notice_key"), ("station_id", "received_at", "notice_key")):
        name = "_".join(["ix_station_notices_operator_id", *columns])
        op.create_index(op.f(name), "station_notices", ["operator_id", *columns])
    op.create_index(op.f("ix_told_prices_operator_id_command_id"), "told_prices", ["operator_id", "command_id"])
    op.create_index(
        op.f("ix_station_commands_shown"),
        "station_commands",
        ["operator_id", "command_id"],
        sqlite_where=sa.text(SHOWN),
        postgresql_where=sa.text(SHOWN),
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_station_commands_shown"), table_name="station_commands")
    op.drop_index(op.f("ix_told_prices_operator_id_command_id"), table_name="told_prices")
    op.drop_table("station_notices")
