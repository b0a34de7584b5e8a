"""Passkeys, challenges, identity providers, and who a person is there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ROLES = "'owner', 'operations', 'support', 'finance', 'read_only', 'fleet_manager', 'driver'"

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "passkeys",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("passkey_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("credential_id", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", WHOLE, nullable=False),
        sa.Column("transports", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("backed_up", WHOLE, nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("last_used_at", WHOLE, nullable=True),
        sa.Column("removed_at", WHOLE, nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id", "person_id"],
            ["people.operator_id", "people.person_id"],
            name=op.f("fk_passkeys_operator_id_person_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "passkey_id", name=op.f("pk_passkeys")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_passkeys_operator_id_person_id"), "passkeys", ["operator_id", "person_id"], unique=False)
    op.create_index("uq_passkeys_credential_id", "passkeys", ["credential_id"], unique=True)
    op.create_table(
        "challenges",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("challenge_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=True),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("expires_at", WHOLE, nullable=False),
        sa.Column("used_at", WHOLE, nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint(
            "kind IN ('make_passkey', 'use_passkey', 'single_sign_on')", name=op.f("ck_challenges_kind")
        ),
        sa.PrimaryKeyConstraint("operator_id", "challenge_id", name=op.f("pk_challenges")),
        sqlite_strict=True,
    )
    op.create_index("ix_challenges_expires_at", "challenges", ["expires_at"], unique=False)
    op.create_table(
        "identity_providers",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("secret_key_id", sa.Text(), nullable=False),
        sa.Column("client_secret", sa.LargeBinary(), nullable=False),
        sa.Column("allowed_domains", sa.Text(), nullable=False),
        sa.Column("role_claim", sa.Text(), nullable=True),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("default_role", sa.Text(), nullable=True),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("ended_at", WHOLE, nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint(f"default_role IN ({ROLES})", name=op.f("ck_identity_providers_default_role")),
        sa.PrimaryKeyConstraint("operator_id", "provider_id", name=op.f("pk_identity_providers")),
        sqlite_strict=True,
    )
    op.create_table(
        "linked_identities",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("identity_id", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("last_used_at", WHOLE, nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id", "person_id"],
            ["people.operator_id", "people.person_id"],
            name=op.f("fk_linked_identities_operator_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "provider_id"],
            ["identity_providers.operator_id", "identity_providers.provider_id"],
            name=op.f("fk_linked_identities_operator_id_provider_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "identity_id", name=op.f("pk_linked_identities")),
        sa.UniqueConstraint(
            "operator_id", "issuer", "subject", name=op.f("uq_linked_identities_operator_id_issuer_subject")
        ),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_linked_identities_operator_id_person_id"),
        "linked_identities",
        ["operator_id", "person_id"],
        unique=False,
    )


def downgrade() -> None:
    for name in ("linked_identities", "identity_providers", "challenges", "passkeys"):
        op.drop_table(name)
