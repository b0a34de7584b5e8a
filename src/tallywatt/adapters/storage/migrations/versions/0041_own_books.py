"""Customers' accounts in our own books: prepaid balances, buying on invoice, transfers that came by bank."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BEFORE = "'prepare', 'charge', 'hosted_page', 'adjust', 'capture', 'void', 'refund'"
KINDS = "'prepare', 'charge', 'hosted_page', 'authorise', 'adjust', 'capture', 'void', 'refund'"


def upgrade() -> None:
    op.add_column("payments", sa.Column("purpose", sa.Text(), nullable=True))
    op.add_column("provider_accounts", sa.Column("least_minor", WHOLE, nullable=True))
    op.add_column("provider_accounts", sa.Column("low_minor", WHOLE, nullable=True))
    _allow(KINDS)
    _holds()
    _terms()
    _transfers()


def _holds() -> None:
    op.create_table(
        "customer_holds",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("held_minor", WHOLE, nullable=False),
        sa.Column("taken_minor", WHOLE, nullable=False),
        sa.Column("returned_minor", WHOLE, nullable=False),
        sa.Column("settled_minor", WHOLE, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("pending_id", sa.Text(), nullable=True),
        sa.Column("invoice_id", sa.Text(), nullable=True),
        sa.Column("due_on", sa.Text(), nullable=True),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("ended_at", WHOLE, nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint(
            "held_minor > 0 AND taken_minor BETWEEN 0 AND held_minor", name=op.f("ck_customer_holds_taken")
        ),
        sa.CheckConstraint("returned_minor BETWEEN 0 AND taken_minor", name=op.f("ck_customer_holds_returned")),
        sa.CheckConstraint("settled_minor BETWEEN 0 AND taken_minor", name=op.f("ck_customer_holds_settled")),
        sa.CheckConstraint("(state = 'held') = (pending_id IS NOT NULL)", name=op.f("ck_customer_holds_pending")),
        _refers("customer_holds", "payment_id", "payments"),
        _refers("customer_holds", "account_id", "provider_accounts"),
        _refers("customer_holds", "customer_id", "customers"),
        sa.CheckConstraint("state IN ('held', 'taken', 'released')", name=op.f("ck_customer_holds_state")),
        sa.PrimaryKeyConstraint("operator_id", "payment_id", name=op.f("pk_customer_holds")),
        sqlite_strict=True,
    )
    _index("customer_holds", "customer_id", "provider")
    _index("customer_holds", "provider", "state", "due_on")


def _terms() -> None:
    op.create_table(
        "credit_terms",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("limit_minor", WHOLE, nullable=False),
        sa.Column("term_days", WHOLE, nullable=False),
        sa.Column("allowed_at", WHOLE, nullable=False),
        sa.Column("ended_at", WHOLE, nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("limit_minor >= 0 AND term_days >= 0", name=op.f("ck_credit_terms_terms")),
        _refers("credit_terms", "customer_id", "customers"),
        sa.PrimaryKeyConstraint("operator_id", "customer_id", "currency", name=op.f("pk_credit_terms")),
        sqlite_strict=True,
    )


def _transfers() -> None:
    op.create_table(
        "received_transfers",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("transfer_id", sa.Text(), nullable=False),
        sa.Column("transfer_key", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount_minor", WHOLE, nullable=False),
        sa.Column("left_minor", WHOLE, nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("received_on", sa.Text(), nullable=False),
        sa.Column("received_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.UniqueConstraint("operator_id", "transfer_key", name=op.f("uq_received_transfers_operator_id_transfer_key")),
        sa.CheckConstraint(
            "amount_minor > 0 AND left_minor BETWEEN 0 AND amount_minor", name=op.f("ck_received_transfers_left")
        ),
        _refers("received_transfers", "customer_id", "customers"),
        sa.CheckConstraint("target IN ('items', 'balance')", name=op.f("ck_received_transfers_target")),
        sa.PrimaryKeyConstraint("operator_id", "transfer_id", name=op.f("pk_received_transfers")),
        sqlite_strict=True,
    )
    _index("received_transfers", "customer_id", "currency")
    op.create_table(
        "transfer_parts",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("part_id", sa.Text(), nullable=False),
        sa.Column("transfer_id", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Text(), nullable=False),
        sa.Column("amount_minor", WHOLE, nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_transfer_parts_amount")),
        _refers("transfer_parts", "transfer_id", "received_transfers"),
        _refers("transfer_parts", "payment_id", "customer_holds"),
        sa.PrimaryKeyConstraint("operator_id", "part_id", name=op.f("pk_transfer_parts")),
        sqlite_strict=True,
    )
    _index("transfer_parts", "transfer_id")
    _index("transfer_parts", "payment_id")


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["operator_id", column], [f"{to}.operator_id", f"{to}.{column}"], name=op.f(f"fk_{table}_operator_id_{column}")
    )


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_operator_id_{'_'.join(columns)}"), table, ["operator_id", *columns])


def downgrade() -> None:
    for name in ("transfer_parts", "received_transfers", "credit_terms", "customer_holds"):
        op.drop_table(name)
    _allow(BEFORE)
    op.drop_column("provider_accounts", "low_minor")
    op.drop_column("provider_accounts", "least_minor")
    op.drop_column("payments", "purpose")


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
