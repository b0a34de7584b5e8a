"""A way to the commands that the house gives by itself, which are thinned out: beside displays, the questions of every night."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

SHOWN = "name IN ('CostUpdated', 'DataTransfer')"
ROUTINE = "name IN ('CostUpdated', 'DataTransfer', 'GetConfiguration', 'GetVariables', 'GetLocalListVersion')"


def upgrade() -> None:
    op.drop_index(op.f("ix_station_commands_shown"), table_name="station_commands")
    _make("ix_station_commands_routine", ROUTINE)


def downgrade() -> None:
    op.drop_index(op.f("ix_station_commands_routine"), table_name="station_commands")
    _make("ix_station_commands_shown", SHOWN)


def _make(name: str, condition: str) -> None:
    op.create_index(
        op.f(name),
        "station_commands",
        ["operator_id", "command_id"],
        sqlite_where=sa.text(condition),
        postgresql_where=sa.text(condition),
    )
