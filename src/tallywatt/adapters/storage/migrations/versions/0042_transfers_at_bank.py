"""Lines of the bank that are customers' transfers or their returns, and transfers that went back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BEFORE = (
    ("bank_lines", "state", "state IN ('open', 'matched', 'dismissed')"),
    ("transfer_parts", "amount", "amount_minor > 0"),
)
AFTER = (
    ("bank_lines", "state", "state IN ('open', 'matched', 'transfer', 'dismissed')"),
    ("transfer_parts", "amount", "amount_minor <> 0"),
)


def upgrade() -> None:
    op.add_column("bank_lines", sa.Column("transfer_id", sa.Text(), nullable=True))
    op.add_column("received_transfers", sa.Column("returned_at", WHOLE, nullable=True))
    for before, after in zip(BEFORE, AFTER, strict=True):
        _allow(before, after[2])


def downgrade() -> None:
    for after, before in zip(AFTER, BEFORE, strict=True):
        _allow(after, before[2])
    op.drop_column("received_transfers", "returned_at")
    op.drop_column("bank_lines", "transfer_id")


def _allow(before: tuple[str, str, str], rule: str) -> None:
    """Check a column against another rule. No table refers to these, so SQLite's may be made anew."""
    table, name, held = before
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, rule)
        return
    parts = connection.execute(
        sa.text("SELECT type, sql FROM sqlite_master WHERE tbl_name = :name AND sql IS NOT NULL"), {"name": table}
    ).all()
    [made] = [sql for kind, sql in parts if kind == "table"]
    assert f"CHECK ({held})" in made, "the rule stands as it was made"
    made = made.replace(f"CHECK ({held})", f"CHECK ({rule})")
    connection.exec_driver_sql(f"CREATE TABLE made_anew {made[made.index('(') :]}")
    names = ", ".join(f'"{row[1]}"' for row in connection.exec_driver_sql(f"PRAGMA table_info({table})"))
    connection.exec_driver_sql(f"INSERT INTO made_anew ({names}) SELECT {names} FROM {table}")
    connection.exec_driver_sql(f"DROP TABLE {table}")
    connection.exec_driver_sql(f"ALTER TABLE made_anew RENAME TO {table}")
    for kind, sql in parts:
        if kind == "index":
            connection.exec_driver_sql(sql)
