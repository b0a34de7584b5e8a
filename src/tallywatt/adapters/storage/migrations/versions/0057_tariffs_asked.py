"""Among the commands that are thinned out is what every station of 2.1 is asked in every night."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

NAME = "ix_station_commands_routine"
BEFORE = "name IN ('CostUpdated', 'DataTransfer', 'GetConfiguration', 'GetVariables', 'GetLocalListVersion')"
AFTER = (
    "name IN ('CostUpdated', 'DataTransfer', 'GetConfiguration', 'GetVariables', 'GetLocalListVersion', 'GetTariffs')"
)


def upgrade() -> None:
    op.drop_index(op.f(NAME), table_name="station_commands")
    _make(AFTER)


def downgrade() -> None:
    op.drop_index(op.f(NAME), table_name="station_commands")
    _make(BEFORE)


def _make(condition: str) -> None:
    op.create_index(
        op.f(NAME),
        "station_commands",
        ["operator_id", "command_id"],
        sqlite_where=sa.text(condition),
        postgresql_where=sa.text(condition),
    )
