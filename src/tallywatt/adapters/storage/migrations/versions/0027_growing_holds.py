"""Holds that grow, and captures that a provider takes back after days."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BEFORE = "'prepare', 'charge', 'hosted_page', 'capture', 'void', 'refund'"
KINDS = "'prepare', 'charge', 'hosted_page', 'adjust', 'capture', 'void', 'refund'"


def upgrade() -> None:
    op.add_column("payments", sa.Column("lost_minor", WHOLE, nullable=False, server_default="0"))
    _allow(KINDS)


def downgrade() -> None:
    _allow(BEFORE)
    op.drop_column("payments", "lost_minor")


def _allow(values: str) -> None:
    """Check the kinds of operations against another list. No table refers to them, so SQLite's may be made anew."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        op.drop_constraint(op.f("ck_operations_kind"), "operations", type_="check")
        op.create_check_constraint(op.f("ck_operations_kind"), "operations", f"kind IN ({values})")
        return
    parts = connection.exec_driver_sql(
        "SELECT type, sql FROM sqlite_master WHERE tbl_name = 'operations' AND sql IS NOT NULL"
    ).all()
    [made] = [sql for kind, sql in parts if kind == "table"]
    begin, found, rest = made.partition("CHECK (kind IN (")
    assert found, "the kinds of operations are checked"
    end = rest.partition("))")[2]
    connection.exec_driver_sql(f"CREATE TABLE made_anew {begin[begin.index('(') :]}CHECK (kind IN ({values})){end}")
    names = ", ".join(f'"{row[1]}"' for row in connection.exec_driver_sql("PRAGMA table_info(operations)"))
    connection.exec_driver_sql(f"INSERT INTO made_anew ({names}) SELECT {names} FROM operations")
    connection.exec_driver_sql("DROP TABLE operations")
    connection.exec_driver_sql("ALTER TABLE made_anew RENAME TO operations")
    for kind, sql in parts:
        if kind == "index":
            connection.exec_driver_sql(sql)
