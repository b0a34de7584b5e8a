"""What a person has decided about a line of the bank can be undone: how often, when, by whom and why; lines in pages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

PAGED = (("operator_id", "state", "booked_at"), ("operator_id", "booked_at"))


def upgrade() -> None:
    op.add_column("bank_lines", sa.Column("revision", WHOLE, nullable=False, server_default=sa.text("0")))
    op.add_column("bank_lines", sa.Column("undone_at", WHOLE, nullable=True))
    op.add_column("bank_lines", sa.Column("undone_by", sa.Text(), nullable=True))
    op.add_column("bank_lines", sa.Column("undo_note", sa.Text(), nullable=True))
    for names in PAGED:
        op.drop_index(op.f(f"ix_bank_lines_{'_'.join(names)}"), table_name="bank_lines")
        _make((*names, "line_id"))


def downgrade() -> None:
    for names in PAGED:
        op.drop_index(op.f(f"ix_bank_lines_{'_'.join(names)}_line_id"), table_name="bank_lines")
        _make(names)
    for name in ("undo_note", "undone_by", "undone_at", "revision"):
        op.drop_column("bank_lines", name)


def _make(names: tuple[str, ...]) -> None:
    op.create_index(op.f(f"ix_bank_lines_{'_'.join(names)}"), "bank_lines", list(names))
