"""PostgreSQL leaves room on the pages of tables whose rows change again and again.

A changed row that fits on its own page leaves the indexes alone. On full pages it went to another one, and each value of a meter
wrote to all the indexes of sessions.
"""

from __future__ import annotations

from alembic import op

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None

ROOM = {"sessions": 70, "connectors": 70, "running_sums": 50, "stations": 80, "transaction_counters": 70}
"""How full, in percent, a page is made by new rows. Pages that are there stay as they are until their rows move."""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, percent in ROOM.items():
            op.execute(f"ALTER TABLE {table} SET (fillfactor = {percent})")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in ROOM:
            op.execute(f"ALTER TABLE {table} RESET (fillfactor)")
