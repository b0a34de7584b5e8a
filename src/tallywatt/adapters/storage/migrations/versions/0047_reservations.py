"""Reservations of EVSEs, and the one that a session has used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

INDEXES = (
    ("station_id", "is_watched"),
    ("command_id",),
    ("cancel_command_id",),
    ("customer_id", "reservation_id"),
)


def upgrade() -> None:
    op.create_table(
        "reservations",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("reservation_id", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("evse_id", sa.Text(), nullable=True),
        sa.Column("connector_type", sa.Text(), nullable=True),
        sa.Column("token_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("is_watched", WHOLE, nullable=False),
        sa.Column("command_id", sa.Text(), nullable=False),
        sa.Column("cancel_command_id", sa.Text(), nullable=True),
        sa.Column("requested_at", WHOLE, nullable=False),
        sa.Column("reserved_at", WHOLE, nullable=True),
        sa.Column("expires_at", WHOLE, nullable=False),
        sa.Column("ended_at", WHOLE, nullable=True),
        sa.Column("kept_from", WHOLE, nullable=True),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint(
            "state IN ('requested', 'active', 'refused', 'used', 'expired', 'cancelled', 'removed')",
            name=op.f("ck_reservations_state"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "station_id"],
            ["stations.operator_id", "stations.station_id"],
            name=op.f("fk_reservations_operator_id_station_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "reservation_id", name=op.f("pk_reservations")),
        sa.UniqueConstraint(
            "operator_id", "station_id", "number", name=op.f("uq_reservations_operator_id_station_id_number")
        ),
        sqlite_strict=True,
    )
    for columns in INDEXES:
        op.create_index(_name(columns), "reservations", ["operator_id", *columns], unique=False)
    op.add_column("sessions", sa.Column("reservation_id", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("sessions", "reservation_id")
    for columns in INDEXES:
        op.drop_index(_name(columns), table_name="reservations")
    op.drop_table("reservations")


def _name(columns: tuple[str, ...]) -> str:
    return op.f("ix_reservations_operator_id_" + "_".join(columns))
