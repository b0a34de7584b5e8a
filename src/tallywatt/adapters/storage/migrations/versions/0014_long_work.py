"""Long work that is followed: bulk uploads with a report for each row, and audits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _imports()
    _audits()


def _imports() -> None:
    op.create_table(
        "imports",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("import_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("user_is", sa.Text(), nullable=False),
        sa.Column("dry_run", WHOLE, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("shape", sa.Text(), nullable=True),
        sa.Column("bytes", WHOLE, nullable=False),
        sa.Column("parts", WHOLE, nullable=False),
        sa.Column("rows", WHOLE, nullable=True),
        sa.Column("read", WHOLE, nullable=False),
        sa.Column("taken", WHOLE, nullable=False),
        sa.Column("already_there", WHOLE, nullable=False),
        sa.Column("held", WHOLE, nullable=False),
        sa.Column("refused", WHOLE, nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("received_at", WHOLE, nullable=False),
        sa.Column("began_at", WHOLE, nullable=True),
        sa.Column("ended_at", WHOLE, nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("kind IN ('sessions', 'customers', 'tokens', 'stations')", name=op.f("ck_imports_kind")),
        sa.CheckConstraint("user_is IN ('token', 'customer')", name=op.f("ck_imports_user_is")),
        sa.CheckConstraint(
            "state IN ('receiving', 'reading', 'running', 'done', 'failed', 'cancelled')",
            name=op.f("ck_imports_state"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "import_id", name=op.f("pk_imports")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_imports_operator_id_state_import_id"), "imports", ["operator_id", "state", "import_id"])
    op.create_index(op.f("ix_imports_operator_id_kind_import_id"), "imports", ["operator_id", "kind", "import_id"])
    op.create_table(
        "import_parts",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("import_id", sa.Text(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id", "import_id"],
            ["imports.operator_id", "imports.import_id"],
            name=op.f("fk_import_parts_operator_id_import_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "import_id", "number", name=op.f("pk_import_parts")),
        sqlite_strict=True,
    )
    op.create_table(
        "import_rows",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("import_id", sa.Text(), nullable=False),
        sa.Column("line", WHOLE, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("subject_kind", sa.Text(), nullable=True),
        sa.Column("subject_id", sa.Text(), nullable=True),
        sa.Column("key_id", sa.Text(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('waiting', 'taken', 'already_there', 'held', 'refused', 'cancelled')",
            name=op.f("ck_import_rows_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "import_id"],
            ["imports.operator_id", "imports.import_id"],
            name=op.f("fk_import_rows_operator_id_import_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "import_id", "line", name=op.f("pk_import_rows")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_import_rows_operator_id_import_id_outcome_line"),
        "import_rows",
        ["operator_id", "import_id", "outcome", "line"],
    )


def _audits() -> None:
    op.create_table(
        "audits",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("audit_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", WHOLE, nullable=False),
        sa.Column("began_at", WHOLE, nullable=True),
        sa.Column("ended_at", WHOLE, nullable=True),
        sa.Column("is_clean", WHOLE, nullable=True),
        sa.Column("findings", WHOLE, nullable=True),
        sa.Column("figures", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'running', 'done', 'failed')", name=op.f("ck_audits_state")),
        sa.PrimaryKeyConstraint("operator_id", "audit_id", name=op.f("pk_audits")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_audits_operator_id_state_audit_id"), "audits", ["operator_id", "state", "audit_id"])
    op.create_table(
        "audit_findings",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("audit_id", sa.Text(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("says", sa.Text(), nullable=False),
        sa.Column("expected", sa.Text(), nullable=True),
        sa.Column("found", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["operator_id", "audit_id"],
            ["audits.operator_id", "audits.audit_id"],
            name=op.f("fk_audit_findings_operator_id_audit_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "audit_id", "number", name=op.f("pk_audit_findings")),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("audit_findings")
    op.drop_index(op.f("ix_audits_operator_id_state_audit_id"), table_name="audits")
    op.drop_table("audits")
    op.drop_index(op.f("ix_import_rows_operator_id_import_id_outcome_line"), table_name="import_rows")
    op.drop_table("import_rows")
    op.drop_table("import_parts")
    op.drop_index(op.f("ix_imports_operator_id_kind_import_id"), table_name="imports")
    op.drop_index(op.f("ix_imports_operator_id_state_import_id"), table_name="imports")
    op.drop_table("imports")
