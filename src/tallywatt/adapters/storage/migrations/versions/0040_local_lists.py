"""The lists of tokens that stations know by heart: where they are kept in step, and what each station has."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "list_rules",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("is_on", WHOLE, nullable=False),
        sa.Column("changed_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "scope", name=op.f("pk_list_rules")),
        sqlite_strict=True,
    )
    op.create_table(
        "local_lists",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("sent", sa.Text(), nullable=False),
        sa.Column("is_known", WHOLE, nullable=False),
        sa.Column("command_id", sa.Text(), nullable=True),
        sa.Column("pending", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", WHOLE, nullable=False),
        sa.Column("entries", WHOLE, nullable=False),
        sa.Column("changed_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'in_step', 'unsupported', 'failed')", name=op.f("ck_local_lists_state")
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "station_id"],
            ["stations.operator_id", "stations.station_id"],
            name=op.f("fk_local_lists_operator_id_station_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "station_id", name=op.f("pk_local_lists")),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("local_lists")
    op.drop_table("list_rules")
