"""Card readers that are asked through a provider, and payments that wait at one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BEFORE = "'prepare', 'charge', 'hosted_page', 'authorise', 'adjust', 'capture', 'void', 'refund'"
KINDS = "'prepare', 'charge', 'hosted_page', 'present', 'authorise', 'adjust', 'capture', 'void', 'refund'"
WAITING = "reader_id IS NOT NULL AND state IN ('created', 'prepared', 'requires_action')"

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "readers",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("reader_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("reader_ref", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("location_id", sa.Text(), nullable=True),
        sa.Column("evse_ids", sa.Text(), nullable=False),
        sa.Column("added_at", WHOLE, nullable=False),
        sa.Column("removed_at", WHOLE, nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        _refers("readers", "account_id", "provider_accounts"),
        _refers("readers", "location_id", "locations"),
        sa.PrimaryKeyConstraint("operator_id", "reader_id", name=op.f("pk_readers")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_readers_operator_id_location_id"), "readers", ["operator_id", "location_id"])
    _unique_where("uq_readers_in_use", "readers", ["account_id", "reader_ref"], "removed_at IS NULL")
    op.add_column("payments", sa.Column("reader_id", sa.Text(), nullable=True))
    _unique_where("uq_payments_at_reader", "payments", ["reader_id"], WAITING)
    _allow(KINDS)


def downgrade() -> None:
    _allow(BEFORE)
    op.drop_index("uq_payments_at_reader", table_name="payments")
    op.drop_column("payments", "reader_id")
    op.drop_table("readers")


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["operator_id", column], [f"{to}.operator_id", f"{to}.{column}"], name=op.f(f"fk_{table}_operator_id_{column}")
    )


def _unique_where(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(
        op.f(name), table, ["operator_id", *columns], unique=True, sqlite_where=condition, postgresql_where=condition
    )


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
