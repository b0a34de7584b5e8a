"""Several payment providers: what routing needs to know of an account, and how its last calls went."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("provider_accounts", sa.Column("merchant", sa.Text(), nullable=True))
    op.add_column("provider_accounts", sa.Column("rank", WHOLE, nullable=False, server_default="0"))
    op.add_column("provider_accounts", sa.Column("fee_minor", WHOLE, nullable=True))
    op.add_column("provider_accounts", sa.Column("fee_basis_points", WHOLE, nullable=True))
    op.create_table(
        "provider_health",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("failures", WHOLE, nullable=False),
        sa.Column("pauses", WHOLE, nullable=False),
        sa.Column("retry_at", WHOLE, nullable=True),
        sa.Column("changed_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("state IN ('closed', 'open', 'probing')", name=op.f("ck_provider_health_state")),
        sa.PrimaryKeyConstraint("operator_id", "account_id", name=op.f("pk_provider_health")),
        sa.ForeignKeyConstraint(
            ["operator_id", "account_id"],
            ["provider_accounts.operator_id", "provider_accounts.account_id"],
            name=op.f("fk_provider_health_operator_id_account_id_provider_accounts"),
        ),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("provider_health")
    for name in ("fee_basis_points", "fee_minor", "rank", "merchant"):
        op.drop_column("provider_accounts", name)
