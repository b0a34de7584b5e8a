"""What is owed and what is left over is found among what is paid, however much that is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

LIVE = sa.text("provider = 'invoice' AND (state = 'held' OR taken_minor - returned_minor - settled_minor <> 0)")
LEFT = sa.text("left_minor > 0")
COLUMNS = ["operator_id", "customer_id", "currency"]


def upgrade() -> None:
    op.create_index("ix_customer_holds_live", "customer_holds", COLUMNS, sqlite_where=LIVE, postgresql_where=LIVE)
    op.create_index(
        "ix_received_transfers_left", "received_transfers", COLUMNS, sqlite_where=LEFT, postgresql_where=LEFT
    )


def downgrade() -> None:
    op.drop_index("ix_received_transfers_left", "received_transfers")
    op.drop_index("ix_customer_holds_live", "customer_holds")
