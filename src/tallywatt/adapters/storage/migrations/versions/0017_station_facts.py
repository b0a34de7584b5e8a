"""Events that are missing, what an inbox item knows, groups of cards, and longer lists of commands and reasons."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

ACTIONS = "'start', 'stop', 'reset', 'unlock', 'availability'"
MORE_ACTIONS = f"{ACTIONS}, 'transaction_status', 'message'"
REASONS = (
    "'lost_stop', 'start_missing', 'meter_reset', 'implausible', 'unknown_payer', 'no_tariff', 'written_off'"
)  # fmt: skip
MORE_REASONS = (
    "'lost_stop', 'start_missing', 'meter_reset', 'implausible', 'missing_energy', 'meter_corrected', "
    "'unknown_payer', 'no_tariff', 'written_off'"
)
LISTS = (
    ("station_commands", "action", ACTIONS, MORE_ACTIONS),
    ("explanations", "reason", REASONS, MORE_REASONS),
)


def upgrade() -> None:
    op.add_column("sessions", sa.Column("missing_events", sa.Text(), nullable=True))
    op.add_column("inbox", sa.Column("detail", sa.Text(), nullable=True))
    op.add_column("tokens", sa.Column("group_uid", sa.Text(), nullable=True))
    for table, column, _, more in LISTS:
        _allow(table, column, more)


def downgrade() -> None:
    for table, column, fewer, _ in LISTS:
        _allow(table, column, fewer)
    op.drop_column("tokens", "group_uid")
    op.drop_column("inbox", "detail")
    op.drop_column("sessions", "missing_events")


def _allow(table: str, column: str, values: str) -> None:
    """Check a column against another list. Neither table is referred to by others, so SQLite's may be made anew."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        op.drop_constraint(op.f(f"ck_{table}_{column}"), table, type_="check")
        op.create_check_constraint(op.f(f"ck_{table}_{column}"), table, f"{column} IN ({values})")
        return
    found = connection.exec_driver_sql(
        "SELECT type, sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL", (table,)
    )
    parts = found.all()
    [made] = [sql for kind, sql in parts if kind == "table"]
    begin, _, rest = made.partition(f"CHECK ({column} IN (")
    assert rest, f"{table} has no list for {column}"
    end = rest.partition("))")[2]
    name = begin.index("(")
    connection.exec_driver_sql(f"CREATE TABLE made_anew {begin[name:]}CHECK ({column} IN ({values})){end}")
    names = ", ".join(f'"{row[1]}"' for row in connection.exec_driver_sql(f"PRAGMA table_info({table})"))
    connection.exec_driver_sql(f"INSERT INTO made_anew ({names}) SELECT {names} FROM {table}")  # names of our own
    connection.exec_driver_sql(f"DROP TABLE {table}")
    connection.exec_driver_sql(f"ALTER TABLE made_anew RENAME TO {table}")
    for kind, sql in parts:
        if kind == "index":
            connection.exec_driver_sql(sql)
