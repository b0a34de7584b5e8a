"""Ways to the reservations of a station and to those in a state, the newest first."""

from __future__ import annotations

from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

INDEXES = (("station_id", "reservation_id"), ("state", "reservation_id"))


def upgrade() -> None:
    for columns in INDEXES:
        name = "_".join(["ix_reservations_operator_id", *columns])
        op.create_index(op.f(name), "reservations", ["operator_id", *columns])


def downgrade() -> None:
    for columns in INDEXES:
        op.drop_index(op.f("_".join(["ix_reservations_operator_id", *columns])), table_name="reservations")
