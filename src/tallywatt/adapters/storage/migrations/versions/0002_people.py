"""People, what they are to an operator, invitations; sessions and links belong to somebody."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ROLES = "'owner', 'operations', 'support', 'finance', 'read_only', 'fleet_manager', 'driver'"

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "people",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("email_folded", sa.Text(), nullable=True),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "person_id", name=op.f("pk_people")),
        sa.UniqueConstraint("operator_id", "email_folded", name=op.f("uq_people_operator_id_email_folded")),
        sqlite_strict=True,
    )
    op.create_index("ix_people_email_folded", "people", ["email_folded"], unique=False)
    op.create_table(
        "memberships",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("membership_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("customer_ids", sa.Text(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("ended_at", WHOLE, nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint(f"role IN ({ROLES})", name=op.f("ck_memberships_role")),
        sa.ForeignKeyConstraint(
            ["operator_id", "person_id"],
            ["people.operator_id", "people.person_id"],
            name=op.f("fk_memberships_operator_id_person_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "membership_id", name=op.f("pk_memberships")),
        sa.UniqueConstraint("operator_id", "person_id", "role", name=op.f("uq_memberships_operator_id_person_id_role")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_memberships_operator_id_role"), "memberships", ["operator_id", "role"], unique=False)
    op.create_table(
        "invitations",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("invitation_id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_folded", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("customer_ids", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("expires_at", WHOLE, nullable=False),
        sa.Column("accepted_at", WHOLE, nullable=True),
        sa.Column("revoked_at", WHOLE, nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint(f"role IN ({ROLES})", name=op.f("ck_invitations_role")),
        sa.PrimaryKeyConstraint("operator_id", "invitation_id", name=op.f("pk_invitations")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_invitations_operator_id_email_folded"), "invitations", ["operator_id", "email_folded"], unique=False
    )
    op.create_index("uq_invitations_secret_hash", "invitations", ["secret_hash"], unique=True)
    op.add_column("console_links", sa.Column("membership_id", sa.Text(), nullable=True))
    op.add_column("console_links", sa.Column("browser_hash", sa.Text(), nullable=True))
    op.add_column("console_links", sa.Column("tries", WHOLE, nullable=False, server_default="0"))
    for name in ("membership_id", "person_id", "way", "label"):
        op.add_column("console_sessions", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("console_sessions", sa.Column("seen_at", WHOLE, nullable=True))
    for name in ("person_id", "membership_id"):
        op.create_index(
            op.f(f"ix_console_sessions_operator_id_{name}"), "console_sessions", ["operator_id", name], unique=False
        )


def downgrade() -> None:
    for name in ("person_id", "membership_id"):
        op.drop_index(op.f(f"ix_console_sessions_operator_id_{name}"), table_name="console_sessions")
    for name in ("seen_at", "label", "way", "person_id", "membership_id"):
        op.drop_column("console_sessions", name)
    for name in ("tries", "browser_hash", "membership_id"):
        op.drop_column("console_links", name)
    op.drop_table("invitations")
    op.drop_table("memberships")
    op.drop_table("people")
