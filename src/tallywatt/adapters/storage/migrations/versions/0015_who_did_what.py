"""The record of actions is narrowed by who did something, and by what was done."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

BY = ("caller_id", "action")


def upgrade() -> None:
    for name in BY:
        op.create_index(
            op.f(f"ix_actions_operator_id_{name}_recorded_at_action_id"),
            "actions",
            ["operator_id", name, "recorded_at", "action_id"],
        )


def downgrade() -> None:
    for name in BY:
        op.drop_index(op.f(f"ix_actions_operator_id_{name}_recorded_at_action_id"), table_name="actions")
