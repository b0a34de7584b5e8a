"""Who fetches reports at a provider, and what reads its settlements."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("provider_accounts", sa.Column("report_user", sa.Text(), nullable=True))
    op.add_column("provider_accounts", sa.Column("report_secret_reference", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("provider_accounts", "report_secret_reference")
    op.drop_column("provider_accounts", "report_user")
