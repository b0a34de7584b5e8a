"""Links that are sent by letter are found by the browser that asked, and counted by member."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_console_links_browser_hash", "console_links", ["browser_hash"], unique=False)
    op.create_index(
        op.f("ix_console_links_operator_id_membership_id"),
        "console_links",
        ["operator_id", "membership_id"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_console_links_operator_id_membership_id"), table_name="console_links")
    op.drop_index("ix_console_links_browser_hash", table_name="console_links")
