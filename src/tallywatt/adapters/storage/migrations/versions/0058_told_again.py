"""What stations may still count by, when they said so, what a person has cleared; costs that differ; what alarms look up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None

TOLD = "told_tariffs"
DIFFERS = "rated_id IS NOT NULL AND (difference_minor IS NULL OR difference_minor <> 0)"
ABOUT_MONITORS = "name IN ('GetMonitoringReport', 'SetVariableMonitoring')"


def upgrade() -> None:
    op.add_column(TOLD, sa.Column("older", sa.Text(), nullable=False, server_default=sa.text("'[]'")))
    op.add_column(TOLD, sa.Column("named", sa.Text(), nullable=False, server_default=sa.text("'[]'")))
    op.add_column(TOLD, sa.Column("verified_at", WHOLE, nullable=True))
    op.add_column(TOLD, sa.Column("is_cleared", WHOLE, nullable=False, server_default="0"))
    _index("ix_told_costs_differ", "told_costs", ["operator_id", "session_id"], DIFFERS)
    _index(
        "ix_station_commands_monitors",
        "station_commands",
        ["operator_id", "station_id", "requested_at"],
        ABOUT_MONITORS,
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_station_commands_monitors"), table_name="station_commands")
    op.drop_index(op.f("ix_told_costs_differ"), table_name="told_costs")
    for name in ("is_cleared", "verified_at", "named", "older"):
        op.drop_column(TOLD, name)


def _index(name: str, of: str, columns: list[str], condition: str) -> None:
    op.create_index(op.f(name), of, columns, sqlite_where=sa.text(condition), postgresql_where=sa.text(condition))
