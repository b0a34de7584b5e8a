"""Signed meter values: the law at an EVSE, keys of meters, what was signed, verdicts, pages, and two reasons more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

REASONS = (
    "'lost_stop', 'start_missing', 'meter_reset', 'implausible', 'missing_energy', 'meter_corrected', 'unknown_payer', "
    "'no_tariff', 'written_off'"
)
PROFILES = "'none', 'de_calibration_law', 'mid', 'us_ctep'"
MORE_REASONS = (
    "'lost_stop', 'start_missing', 'meter_reset', 'implausible', 'missing_energy', 'meter_corrected', 'unknown_payer', "
    "'no_tariff', 'not_signed', 'signed_differs', 'written_off'"
)


def upgrade() -> None:
    _profiles()
    op.add_column("evses", sa.Column("metrology_since", WHOLE, nullable=True))
    _keys()
    _values()
    _verdicts()
    _pages()
    _allow(MORE_REASONS)


def _profiles() -> None:
    column = sa.Column("metrology", sa.Text(), nullable=False, server_default="none")
    if op.get_bind().dialect.name == "sqlite":
        # A check can be added there with its column alone.
        check = f"CONSTRAINT ck_evses_metrology CHECK (metrology IN ({PROFILES}))"
        op.execute(f"ALTER TABLE evses ADD COLUMN metrology TEXT NOT NULL DEFAULT 'none' {check}")
        return
    op.add_column("evses", column)
    op.create_check_constraint(op.f("ck_evses_metrology"), "evses", f"metrology IN ({PROFILES})")


def _keys() -> None:
    op.create_table(
        "meter_keys",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("meter_serial", sa.Text(), nullable=False),
        sa.Column("serial_folded", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("curve", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("evse_id", sa.Text(), nullable=True),
        sa.Column("valid_from", WHOLE, nullable=False),
        sa.Column("valid_until", WHOLE, nullable=True),
        sa.Column("added_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.UniqueConstraint(
            "operator_id",
            "serial_folded",
            "fingerprint",
            name=op.f("uq_meter_keys_operator_id_serial_folded_fingerprint"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "evse_id"],
            ["evses.operator_id", "evses.evse_id"],
            name=op.f("fk_meter_keys_operator_id_evse_id"),
        ),
        sa.PrimaryKeyConstraint("operator_id", "key_id", name=op.f("pk_meter_keys")),
        sqlite_strict=True,
    )


def _of_session(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["operator_id", "session_id"],
        ["sessions.operator_id", "sessions.session_id"],
        name=op.f(f"fk_{table}_operator_id_session_id"),
    )


def _values() -> None:
    op.create_table(
        "signed_values",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("value_key", sa.Text(), nullable=False),
        sa.Column("occurred_at", WHOLE, nullable=False),
        sa.Column("received_at", WHOLE, nullable=False),
        sa.Column("frame_id", sa.Text(), nullable=True),
        sa.Column("context", sa.Text(), nullable=True),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("delivered_key", sa.Text(), nullable=True),
        _of_session("signed_values"),
        sa.PrimaryKeyConstraint("operator_id", "session_id", "value_key", name=op.f("pk_signed_values")),
        sqlite_strict=True,
    )


def _verdicts() -> None:
    op.create_table(
        "signature_verdicts",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("judged_at", WHOLE, nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("energy_is_billable", WHOLE, nullable=False),
        sa.Column("time_is_billable", WHOLE, nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("warnings", sa.Text(), nullable=False),
        sa.Column("milliwatt_hours", WHOLE, nullable=True),
        sa.Column("register_start", WHOLE, nullable=True),
        sa.Column("register_stop", WHOLE, nullable=True),
        sa.Column("began_at", WHOLE, nullable=True),
        sa.Column("ended_at", WHOLE, nullable=True),
        sa.Column("meter_serial", sa.Text(), nullable=True),
        sa.Column("gateway_serial", sa.Text(), nullable=True),
        sa.Column("serial_folded", sa.Text(), nullable=True),
        sa.Column("gateway_folded", sa.Text(), nullable=True),
        sa.Column("pages", sa.Text(), nullable=True),
        sa.Column("curve", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "signature IN ('valid', 'invalid', 'unverifiable')", name=op.f("ck_signature_verdicts_signature")
        ),
        _of_session("signature_verdicts"),
        sa.PrimaryKeyConstraint("operator_id", "session_id", "number", name=op.f("pk_signature_verdicts")),
        sqlite_strict=True,
    )
    for name in ("serial_folded", "gateway_folded"):
        op.create_index(
            op.f(f"ix_signature_verdicts_operator_id_{name}_energy_is_billable"),
            "signature_verdicts",
            ["operator_id", name, "energy_is_billable"],
        )


def _pages() -> None:
    op.create_table(
        "meter_pages",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("natural_key", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("noted_at", WHOLE, nullable=False),
        _of_session("meter_pages"),
        sa.PrimaryKeyConstraint("operator_id", "natural_key", name=op.f("pk_meter_pages")),
        sqlite_strict=True,
    )


def _allow(values: str) -> None:
    """Check the reasons of explanations against another list. No table refers to them, so SQLite's may be made anew."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        op.drop_constraint(op.f("ck_explanations_reason"), "explanations", type_="check")
        op.create_check_constraint(op.f("ck_explanations_reason"), "explanations", f"reason IN ({values})")
        return
    made = connection.exec_driver_sql("SELECT type, sql FROM sqlite_master WHERE tbl_name = 'explanations'").all()
    [whole] = [sql for kind, sql in made if kind == "table"]
    begin, found, rest = whole.partition("CHECK (reason IN (")
    assert found, "the reasons of explanations are checked"
    anew = f"{begin}CHECK (reason IN ({values}){rest[rest.index(')') + 1 :]}"
    columns = ", ".join(row[1] for row in connection.exec_driver_sql("PRAGMA table_info(explanations)"))
    connection.exec_driver_sql("ALTER TABLE explanations RENAME TO explanations_before")
    for kind, sql in made:
        if kind == "index" and sql:
            name = sql.split()[2]
            connection.exec_driver_sql(f"DROP INDEX {name}")
    connection.exec_driver_sql(anew)
    connection.exec_driver_sql(f"INSERT INTO explanations ({columns}) SELECT {columns} FROM explanations_before")
    connection.exec_driver_sql("DROP TABLE explanations_before")
    for kind, sql in made:
        if kind == "index" and sql:
            connection.exec_driver_sql(sql)


def downgrade() -> None:
    _allow(REASONS)
    op.drop_table("meter_pages")
    for name in ("gateway_folded", "serial_folded"):
        op.drop_index(
            op.f(f"ix_signature_verdicts_operator_id_{name}_energy_is_billable"), table_name="signature_verdicts"
        )
    op.drop_table("signature_verdicts")
    op.drop_table("signed_values")
    op.drop_table("meter_keys")
    op.drop_column("evses", "metrology_since")
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(op.f("ck_evses_metrology"), "evses", type_="check")
    op.drop_column("evses", "metrology")
