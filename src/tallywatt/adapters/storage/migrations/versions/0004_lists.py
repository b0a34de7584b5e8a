"""Indexes behind every filter of the API's lists, so that a page reads no more than the page."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NEW: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("sessions", ("source", "session_id")),
    ("sessions", ("payer", "session_id")),
    ("sessions", ("started_at", "session_id")),
    ("explanations", ("reason", "explanation_id")),
    ("inbox", ("state", "kind", "item_id")),
    ("payments", ("kind", "payment_id")),
    ("payments", ("created_at", "payment_id")),
    ("invoices", ("payer_id", "invoice_id")),
    ("invoices", ("issued_at", "invoice_id")),
    ("customer_details", ("email",)),
    ("tokens", ("state", "token_id")),
    ("actions", ("recorded_at", "action_id")),
    ("actions", ("subject_id", "recorded_at", "action_id")),
    ("jobs", ("state", "job_id")),
    ("stations", ("state", "identity")),
    ("stations", ("location_id", "identity")),
    ("station_commands", ("station_id", "command_id")),
    ("station_commands", ("state", "command_id")),
)
REPLACED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("invoices", ("issued_at",)),
    ("actions", ("recorded_at",)),
    ("jobs", ("state",)),
    ("tariff_versions", ("reference", "created_at")),
)
"""Each is the beginning of a new one, which finds all that it found."""
TARIFFS = "ix_tariff_versions_page"


def _name(table: str, columns: tuple[str, ...]) -> str:
    return f"ix_{table}_operator_id_{'_'.join(columns)}"


def upgrade() -> None:
    """Make the new ones, then let go of those that they replace."""
    for table, columns in NEW:
        op.create_index(_name(table, columns), table, ["operator_id", *columns])
    op.create_index(TARIFFS, "tariff_versions", ["operator_id", "reference", "created_at", "tariff_version_id"])
    for table, columns in REPLACED:
        op.drop_index(_name(table, columns), table_name=table)


def downgrade() -> None:
    """The other way round."""
    for table, columns in REPLACED:
        op.create_index(_name(table, columns), table, ["operator_id", *columns])
    op.drop_index(TARIFFS, table_name="tariff_versions")
    for table, columns in NEW:
        op.drop_index(_name(table, columns), table_name=table)
