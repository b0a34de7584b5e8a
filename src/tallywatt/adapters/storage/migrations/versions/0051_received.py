"""What was bought on invoice is counted as owed until it is paid; and where that is to be paid to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

SUMS = {
    "count": "count(*)",
    "taken_minor": "sum(taken_minor)",
    "returned_minor": "sum(returned_minor)",
    "settled_minor": "sum(settled_minor)",
}


def upgrade() -> None:
    op.add_column("operators", sa.Column("pay_to", sa.Text(), server_default=sa.text("''"), nullable=False))
    for name, amount in SUMS.items():
        op.execute(
            sa.text(
                "INSERT INTO running_sums (operator_id, figure, part, currency, stripe, amount)"
                f" SELECT operator_id, 'customer_holds.{name}', provider, currency, 0, {amount} FROM customer_holds"
                " GROUP BY operator_id, provider, currency"
            )
        )


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM running_sums WHERE figure LIKE 'customer_holds.%'"))
    op.drop_column("operators", "pay_to")
