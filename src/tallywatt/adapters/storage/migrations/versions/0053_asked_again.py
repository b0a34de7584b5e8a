"""What a price correction asks for or waives, which invoice stands for another one, and what differs in tax alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLE = "corrected_sessions"
BEFORE = "outcome IN ('open', 'returned', 'left', 'skipped')"
AFTER = "outcome IN ('open', 'returned', 'left', 'waived', 'asked', 'replaced', 'skipped')"
ASKED = "asked_minor >= 0 AND waived_minor >= 0"


def upgrade() -> None:
    op.add_column("corrections", sa.Column("others", WHOLE, nullable=False, server_default="0"))
    op.add_column("corrections", sa.Column("ask_above_minor", WHOLE, nullable=True))
    op.add_column("corrections", sa.Column("decided_by", sa.Text(), nullable=True))
    for name in ("replaces", "asked_minor", "waived_minor"):
        op.add_column(TABLE, sa.Column(name, WHOLE, nullable=False, server_default="0"))
    for name in ("was_tax_minor", "now_tax_minor"):
        op.add_column(TABLE, sa.Column(name, WHOLE, nullable=True))
    for name in ("new_invoice_id", "decided_by"):
        op.add_column(TABLE, sa.Column(name, sa.Text(), nullable=True))
    _allow(BEFORE, AFTER, f"CONSTRAINT {op.f('ck_corrected_sessions_asked')} CHECK ({ASKED})")
    op.create_index(op.f("ix_corrected_sessions_operator_id_session_id"), TABLE, ["operator_id", "session_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_corrected_sessions_operator_id_session_id"), table_name=TABLE)
    _allow(AFTER, BEFORE, None)
    for name in ("decided_by", "new_invoice_id", "now_tax_minor", "was_tax_minor", "waived_minor", "asked_minor"):
        op.drop_column(TABLE, name)
    op.drop_column(TABLE, "replaces")
    for name in ("decided_by", "ask_above_minor", "others"):
        op.drop_column("corrections", name)


def _allow(before: str, after: str, more: str | None) -> None:
    """Check outcomes against another list. No table refers to this one, so SQLite's may be made anew."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        op.drop_constraint(op.f("ck_corrected_sessions_outcome"), TABLE, type_="check")
        op.create_check_constraint(op.f("ck_corrected_sessions_outcome"), TABLE, after)
        if more is None:
            op.drop_constraint(op.f("ck_corrected_sessions_asked"), TABLE, type_="check")
        else:
            op.create_check_constraint(op.f("ck_corrected_sessions_asked"), TABLE, ASKED)
        return
    parts = connection.execute(
        sa.text("SELECT type, sql FROM sqlite_master WHERE tbl_name = :name AND sql IS NOT NULL"), {"name": TABLE}
    ).all()
    [made] = [sql for kind, sql in parts if kind == "table"]
    assert f"CHECK ({before})" in made, "the rule stands as it was made"
    named = f"CONSTRAINT ck_corrected_sessions_outcome CHECK ({before})"
    assert named in made, "the rule has its name"
    instead = f"CONSTRAINT ck_corrected_sessions_outcome CHECK ({after})"
    if more is None:
        made = made.replace(f", CONSTRAINT {op.f('ck_corrected_sessions_asked')} CHECK ({ASKED})", "")
    else:
        instead = f"{instead}, {more}"
    made = made.replace(named, instead)
    connection.exec_driver_sql(f"CREATE TABLE made_anew {made[made.index('(') :]}")
    names = ", ".join(f'"{row[1]}"' for row in connection.exec_driver_sql(f"PRAGMA table_info({TABLE})"))
    connection.exec_driver_sql(f"INSERT INTO made_anew ({names}) SELECT {names} FROM {TABLE}")
    connection.exec_driver_sql(f"DROP TABLE {TABLE}")
    connection.exec_driver_sql(f"ALTER TABLE made_anew RENAME TO {TABLE}")
    for kind, sql in parts:
        if kind == "index":
            connection.exec_driver_sql(sql)
