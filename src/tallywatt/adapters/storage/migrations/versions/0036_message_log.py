"""The message log: what went over the sockets of stations, in sealed chunks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "message_chunks",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("chunk_id", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("first_at", WHOLE, nullable=False),
        sa.Column("last_at", WHOLE, nullable=False),
        sa.Column("messages", WHOLE, nullable=False),
        sa.Column("actions", sa.Text(), nullable=False),
        sa.Column("transactions", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id", "station_id"],
            ["stations.operator_id", "stations.station_id"],
            name=op.f("fk_message_chunks_operator_id_station_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "chunk_id", name=op.f("pk_message_chunks")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_message_chunks_operator_id_station_id_last_at_chunk_id"),
        "message_chunks",
        ["operator_id", "station_id", "last_at", "chunk_id"],
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_message_chunks_operator_id_station_id_last_at_chunk_id"), table_name="message_chunks")
    op.drop_table("message_chunks")
