"""Certification authorities of operators, certificates of stations, and how a station must connect."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("stations", sa.Column("security_profile", WHOLE, nullable=False, server_default="0"))
    op.add_column("stations", sa.Column("preferred_protocol", sa.Text(), nullable=True))
    op.create_table(
        "authorities",
        sa.Column("operator_id", sa.Text(), nullable=False),
        *[
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("authority_id", "name", "certificate", "fingerprint", "secret_id")
        ],
        *[sa.Column(name, WHOLE, nullable=False) for name in ("holds_from", "holds_until", "created_at")],
        sa.PrimaryKeyConstraint("operator_id", "authority_id", name=op.f("pk_authorities")),
        sa.UniqueConstraint("operator_id", "fingerprint", name=op.f("uq_authorities_operator_id_fingerprint")),
        sqlite_strict=True,
    )
    op.create_table(
        "station_certificates",
        sa.Column("operator_id", sa.Text(), nullable=False),
        *[
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("certificate_id", "station_id", "request_key", "request")
        ],
        sa.Column("request_number", WHOLE, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("requested_at", WHOLE, nullable=False),
        *[sa.Column(name, sa.Text(), nullable=True) for name in ("serial", "fingerprint", "certificate")],
        *[sa.Column(name, WHOLE, nullable=True) for name in ("holds_from", "holds_until")],
        sa.Column("command_id", sa.Text(), nullable=True),
        sa.Column("ended_at", WHOLE, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint(
            "state IN ('requested', 'issued', 'refused', 'revoked')", name=op.f("ck_station_certificates_state")
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "station_id"],
            ["stations.operator_id", "stations.station_id"],
            name=op.f("fk_station_certificates_operator_id_station_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "certificate_id", name=op.f("pk_station_certificates")),
        sa.UniqueConstraint(
            "operator_id",
            "station_id",
            "request_key",
            name=op.f("uq_station_certificates_operator_id_station_id_request_key"),
        ),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_station_certificates_operator_id_station_id_requested_at"),
        "station_certificates",
        ["operator_id", "station_id", "requested_at"],
    )


def downgrade() -> None:
    op.drop_table("station_certificates")
    op.drop_table("authorities")
    op.drop_column("stations", "preferred_protocol")
    op.drop_column("stations", "security_profile")
