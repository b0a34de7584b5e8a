"""The ring of keys under the master key, and secrets of providers that are kept sealed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "keyring",
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("sealed_by", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("purpose", "number", name=op.f("pk_keyring")),
        sqlite_strict=True,
    )
    op.create_table(
        "sealed_secrets",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("secret_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("changed_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "secret_id", name=op.f("pk_sealed_secrets")),
        sa.UniqueConstraint("operator_id", "name", name=op.f("uq_sealed_secrets_operator_id_name")),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("sealed_secrets")
    op.drop_table("keyring")
