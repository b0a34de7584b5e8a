"""SEPA direct debit: who collects, mandates, batches by day, what is asked of each payer; lines of the bank that bring them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BEFORE = "state IN ('open', 'matched', 'transfer', 'dismissed')"
AFTER = "state IN ('open', 'matched', 'transfer', 'debit', 'dismissed')"


def upgrade() -> None:
    _creditors()
    _batches()
    _mandates()
    _collections()
    _parts()
    for name in ("batch_ref", "mandate_ref", "batch_id"):
        op.add_column("bank_lines", sa.Column(name, sa.Text(), nullable=True))
    _allow(BEFORE, AFTER)


def _creditors() -> None:
    op.create_table(
        "creditors",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("creditor_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("iban", sa.Text(), nullable=False),
        sa.Column("bic", sa.Text(), nullable=True),
        sa.Column("notice_days", WHOLE, nullable=False),
        sa.Column("changed_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("currency = 'EUR'", name=op.f("ck_creditors_currency")),
        sa.CheckConstraint("notice_days > 0", name=op.f("ck_creditors_notice")),
        sa.PrimaryKeyConstraint("operator_id", "currency", name=op.f("pk_creditors")),
        sqlite_strict=True,
    )


def _batches() -> None:
    op.create_table(
        "debit_batches",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("batch_key", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("collect_on", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("creditor_id", sa.Text(), nullable=False),
        sa.Column("creditor_name", sa.Text(), nullable=False),
        sa.Column("creditor_iban", sa.Text(), nullable=False),
        sa.Column("creditor_bic", sa.Text(), nullable=True),
        sa.Column("count", WHOLE, nullable=False),
        sa.Column("total_minor", WHOLE, nullable=False),
        sa.Column("looked_to", sa.Text(), nullable=False),
        sa.Column("made_at", WHOLE, nullable=False),
        sa.Column("closed_at", WHOLE, nullable=True),
        sa.Column("given_at", WHOLE, nullable=True),
        sa.Column("cancelled_at", WHOLE, nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint(
            "count >= 0 AND total_minor >= 0 AND (count = 0) = (total_minor = 0)", name=op.f("ck_debit_batches_total")
        ),
        sa.PrimaryKeyConstraint("operator_id", "batch_id", name=op.f("pk_debit_batches")),
        sa.UniqueConstraint("operator_id", "batch_key", name=op.f("uq_debit_batches_operator_id_batch_key")),
        sa.UniqueConstraint("operator_id", "message_id", name=op.f("uq_debit_batches_operator_id_message_id")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_debit_batches_operator_id_collect_on"), "debit_batches", ["operator_id", "collect_on"], unique=False
    )


def _mandates() -> None:
    op.create_table(
        "mandates",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("mandate_id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("sealed_account", sa.LargeBinary(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("signed_on", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("used_on", sa.Text(), nullable=True),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("ended_at", WHOLE, nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("(state = 'ended') = (ended_at IS NOT NULL)", name=op.f("ck_mandates_ended")),
        sa.CheckConstraint("scheme IN ('core', 'b2b')", name=op.f("ck_mandates_scheme")),
        sa.CheckConstraint("state IN ('active', 'paused', 'ended')", name=op.f("ck_mandates_state")),
        sa.ForeignKeyConstraint(
            ["operator_id", "customer_id"],
            ["customers.operator_id", "customers.customer_id"],
            name=op.f("fk_mandates_operator_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "mandate_id", name=op.f("pk_mandates")),
        sa.UniqueConstraint("operator_id", "reference", name=op.f("uq_mandates_operator_id_reference")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_mandates_operator_id_customer_id"), "mandates", ["operator_id", "customer_id"], unique=False
    )
    op.create_index(
        op.f("ix_mandates_operator_id_state_mandate_id"),
        "mandates",
        ["operator_id", "state", "mandate_id"],
        unique=False,
    )
    op.create_index(
        "uq_mandates_one_of_customer",
        "mandates",
        ["operator_id", "customer_id"],
        unique=True,
        sqlite_where=sa.text("state != 'ended'"),
        postgresql_where=sa.text("state != 'ended'"),
    )


def _collections() -> None:
    op.create_table(
        "debit_collections",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("collection_id", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("mandate_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("end_to_end", sa.Text(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Text(), nullable=False),
        sa.Column("amount_minor", WHOLE, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("remittance", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("pending_id", sa.Text(), nullable=False),
        sa.Column("transfer_id", sa.Text(), nullable=True),
        sa.Column("line_id", sa.Text(), nullable=True),
        sa.Column("return_line_id", sa.Text(), nullable=True),
        sa.Column("fee_minor", WHOLE, nullable=False),
        sa.Column("told_at", WHOLE, nullable=True),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("ended_at", WHOLE, nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint(
            "(state = 'returned') = (return_line_id IS NOT NULL)", name=op.f("ck_debit_collections_returned")
        ),
        sa.CheckConstraint(
            "(state IN ('collected', 'returned')) = (transfer_id IS NOT NULL)",
            name=op.f("ck_debit_collections_transfer"),
        ),
        sa.CheckConstraint("scheme IN ('core', 'b2b')", name=op.f("ck_debit_collections_scheme")),
        sa.CheckConstraint("sequence IN ('FRST', 'RCUR')", name=op.f("ck_debit_collections_sequence")),
        sa.CheckConstraint(
            "state IN ('asked', 'collected', 'rejected', 'returned', 'cancelled')",
            name=op.f("ck_debit_collections_state"),
        ),
        sa.CheckConstraint("amount_minor > 0 AND fee_minor >= 0", name=op.f("ck_debit_collections_amount")),
        sa.ForeignKeyConstraint(
            ["operator_id", "batch_id"],
            ["debit_batches.operator_id", "debit_batches.batch_id"],
            name=op.f("fk_debit_collections_operator_id_batch_id"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "customer_id"],
            ["customers.operator_id", "customers.customer_id"],
            name=op.f("fk_debit_collections_operator_id_customer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "mandate_id"],
            ["mandates.operator_id", "mandates.mandate_id"],
            name=op.f("fk_debit_collections_operator_id_mandate_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "collection_id", name=op.f("pk_debit_collections")),
        sa.UniqueConstraint(
            "operator_id", "batch_id", "mandate_id", name=op.f("uq_debit_collections_operator_id_batch_id_mandate_id")
        ),
        sa.UniqueConstraint("operator_id", "end_to_end", name=op.f("uq_debit_collections_operator_id_end_to_end")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_debit_collections_operator_id_customer_id"),
        "debit_collections",
        ["operator_id", "customer_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_debit_collections_operator_id_line_id"), "debit_collections", ["operator_id", "line_id"], unique=False
    )
    op.create_index(
        op.f("ix_debit_collections_operator_id_mandate_id"),
        "debit_collections",
        ["operator_id", "mandate_id"],
        unique=False,
    )


def _parts() -> None:
    op.create_table(
        "debit_parts",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("collection_id", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Text(), nullable=False),
        sa.Column("amount_minor", WHOLE, nullable=False),
        sa.Column("is_open", WHOLE, nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_debit_parts_amount")),
        sa.ForeignKeyConstraint(
            ["operator_id", "collection_id"],
            ["debit_collections.operator_id", "debit_collections.collection_id"],
            name=op.f("fk_debit_parts_operator_id_collection_id"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "payment_id"],
            ["customer_holds.operator_id", "customer_holds.payment_id"],
            name=op.f("fk_debit_parts_operator_id_payment_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "collection_id", "payment_id", name=op.f("pk_debit_parts")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_debit_parts_operator_id_payment_id"), "debit_parts", ["operator_id", "payment_id"], unique=False
    )
    op.create_index(
        "uq_debit_parts_open",
        "debit_parts",
        ["operator_id", "payment_id"],
        unique=True,
        sqlite_where=sa.text("is_open = 1"),
        postgresql_where=sa.text("is_open = 1"),
    )


def downgrade() -> None:
    _allow(AFTER, BEFORE)
    for name in ("batch_id", "mandate_ref", "batch_ref"):
        op.drop_column("bank_lines", name)
    for name in ("debit_parts", "debit_collections", "mandates", "debit_batches", "creditors"):
        op.drop_table(name)


def _allow(held: str, rule: str) -> None:
    """Check the states of lines against another list. No table refers to them, so SQLite's may be made anew."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        op.drop_constraint(op.f("ck_bank_lines_state"), "bank_lines", type_="check")
        op.create_check_constraint(op.f("ck_bank_lines_state"), "bank_lines", rule)
        return
    parts = connection.exec_driver_sql(
        "SELECT type, sql FROM sqlite_master WHERE tbl_name = 'bank_lines' AND sql IS NOT NULL"
    ).all()
    [made] = [sql for kind, sql in parts if kind == "table"]
    assert f"CHECK ({held})" in made, "the rule stands as it was made"
    made = made.replace(f"CHECK ({held})", f"CHECK ({rule})")
    connection.exec_driver_sql(f"CREATE TABLE made_anew {made[made.index('(') :]}")
    names = ", ".join(f'"{row[1]}"' for row in connection.exec_driver_sql("PRAGMA table_info(bank_lines)"))
    connection.exec_driver_sql(f"INSERT INTO made_anew ({names}) SELECT {names} FROM bank_lines")
    connection.exec_driver_sql("DROP TABLE bank_lines")
    connection.exec_driver_sql("ALTER TABLE made_anew RENAME TO bank_lines")
    for kind, sql in parts:
        if kind == "index":
            connection.exec_driver_sql(sql)
