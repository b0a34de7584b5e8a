"""What was answered to a dispute, by whom and when; to let one go may wait for another person; debits that were undone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None

BEFORE = "kind IN ('refund', 'correction', 'payout')"
AFTER = "kind IN ('refund', 'correction', 'payout', 'dispute')"
TEXTS = ("answer", "answer_note", "answered_by", "answer_error")
MOMENTS = ("answered_at", "answer_told_at")


def upgrade() -> None:
    for name in TEXTS:
        op.add_column("disputes", sa.Column(name, sa.Text(), nullable=True))
    for name in MOMENTS:
        op.add_column("disputes", sa.Column(name, WHOLE, nullable=True))
    op.add_column("debit_collections", sa.Column("revision", WHOLE, nullable=False, server_default=sa.text("0")))
    _allow(BEFORE, AFTER)


def downgrade() -> None:
    op.execute("DELETE FROM approvals WHERE kind = 'dispute'")
    _allow(AFTER, BEFORE)
    op.drop_column("debit_collections", "revision")
    for name in (*TEXTS, *MOMENTS):
        op.drop_column("disputes", name)


def _allow(held: str, rule: str) -> None:
    """Check the kinds against another list. No table refers to approvals, so SQLite's may be made anew."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        op.drop_constraint(op.f("ck_approvals_kind"), "approvals", type_="check")
        op.create_check_constraint(op.f("ck_approvals_kind"), "approvals", rule)
        return
    parts = connection.exec_driver_sql(
        "SELECT type, sql FROM sqlite_master WHERE tbl_name = 'approvals' AND sql IS NOT NULL"
    ).all()
    [made] = [sql for kind, sql in parts if kind == "table"]
    assert f"CHECK ({held})" in made, "the rule stands as it was made"
    made = made.replace(f"CHECK ({held})", f"CHECK ({rule})")
    connection.exec_driver_sql(f"CREATE TABLE made_anew {made[made.index('(') :]}")
    names = ", ".join(f'"{row[1]}"' for row in connection.exec_driver_sql("PRAGMA table_info(approvals)"))
    connection.exec_driver_sql(f"INSERT INTO made_anew ({names}) SELECT {names} FROM approvals")
    connection.exec_driver_sql("DROP TABLE approvals")
    connection.exec_driver_sql("ALTER TABLE made_anew RENAME TO approvals")
    for kind, sql in parts:
        if kind == "index":
            connection.exec_driver_sql(sql)
