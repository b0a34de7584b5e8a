"""Prices of markets; tariff versions that were frozen for offers; sessions that wait for a price."""

from __future__ import annotations

from importlib import import_module

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_before = import_module("tallywatt.adapters.storage.migrations.versions.0019_signed_values")
REASONS = _before.MORE_REASONS
MORE_REASONS = REASONS.replace("'written_off'", "'price_awaited', 'written_off'")


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "market_prices",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("minutes", whole, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("starts_at", whole, nullable=False),
        sa.Column("per_mwh", sa.Text(), nullable=False),
        sa.Column("created_at", whole, nullable=False),
        sa.Column("changed_at", whole, nullable=True),
        sa.Column("version", whole, nullable=False),
        sa.PrimaryKeyConstraint(
            "operator_id", "market", "minutes", "currency", "starts_at", name=op.f("pk_market_prices")
        ),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_market_prices_operator_id_starts_at_market_minutes_currency"),
        "market_prices",
        ["operator_id", "starts_at", "market", "minutes", "currency"],
    )
    op.add_column("tariff_versions", sa.Column("frozen_of", sa.Text(), nullable=True))
    _before._allow(MORE_REASONS)  # noqa: SLF001  # the way in which that list grew before


def downgrade() -> None:
    _before._allow(REASONS)  # noqa: SLF001  # as above
    op.drop_column("tariff_versions", "frozen_of")
    op.drop_table("market_prices")
