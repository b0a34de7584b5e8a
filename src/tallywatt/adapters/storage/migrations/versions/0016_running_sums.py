"""Figures over all rows of an operator are kept beside the rows; what is there already is counted once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ALIKE = {
    "sessions": ("state", "''", ("milliwatt_hours",)),
    "explanations": ("reason", "''", ("milliwatt_hours",)),
    "invoices": ("kind", "currency", ("net_minor", "tax_minor", "gross_minor")),
    "payments": (
        "state",
        "currency",
        ("authorised_minor", "captured_minor", "refunded_minor", "suspense_minor"),
    ),
    "allocations": ("target", "currency", ("amount_minor",)),
}
_PLACE = (
    "CASE WHEN accounts.code LIKE 'receivable/%' THEN 'receivable' WHEN accounts.code LIKE 'prepaid/%' THEN 'prepaid'"
    " ELSE accounts.code END"
)


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "running_sums",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("figure", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("stripe", whole, nullable=False),
        sa.Column("amount", whole, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "figure", "part", "currency", "stripe", name=op.f("pk_running_sums")),
        sqlite_strict=True,
    )
    for table, (part, currency, amounts) in _ALIKE.items():
        sums = {"count": "count(*)", **{name: f"sum({name})" for name in amounts}}
        for name, amount in sums.items():
            _fill(f"{table}.{name}", part, currency, amount, table)
    for side in ("debit", "credit"):
        booked = (
            "transfers JOIN accounts ON accounts.operator_id = transfers.operator_id"
            f" AND accounts.account_id = transfers.{side}_account_id"
        )
        moved = f"(SELECT transfers.operator_id, {_PLACE} AS place, transfers.currency, amount_minor FROM {booked}"
        moved += " WHERE phase IN ('single', 'post')) AS moved"
        _fill(f"transfers.{side}s", "place", "currency", "sum(amount_minor)", moved)


def _fill(figure: str, part: str, currency: str, amount: str, rows: str) -> None:
    groups = f"operator_id, {part}" + (f", {currency}" if currency == "currency" else "")
    op.execute(
        sa.text(
            "INSERT INTO running_sums (operator_id, figure, part, currency, stripe, amount)"
            f" SELECT operator_id, '{figure}', {part}, {currency}, 0, {amount} FROM {rows} GROUP BY {groups}"
        )
    )


def downgrade() -> None:
    op.drop_table("running_sums")
