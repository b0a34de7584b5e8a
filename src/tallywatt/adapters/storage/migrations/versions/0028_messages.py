"""Messages of every kind to stations: their names and answers, what follows them, configurations, events of security."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COMMANDS = "station_commands"
NUMBERED = "ix_station_commands_operator_id_station_id_request_number"


def upgrade() -> None:
    op.add_column(COMMANDS, sa.Column("name", sa.Text(), nullable=True))
    op.add_column(COMMANDS, sa.Column("request_number", WHOLE, nullable=True))
    op.add_column(COMMANDS, sa.Column("sent_at", WHOLE, nullable=True))
    op.add_column(COMMANDS, sa.Column("answered_at", WHOLE, nullable=True))
    op.add_column(COMMANDS, sa.Column("answer", sa.Text(), nullable=True))
    op.create_index(NUMBERED, COMMANDS, ["operator_id", "station_id", "request_number"])
    op.create_table(
        "station_reports",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("command_id", sa.Text(), nullable=False),
        sa.Column("report_key", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("is_last", WHOLE, nullable=False),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("received_at", WHOLE, nullable=False),
        sa.Column("frame_id", sa.Text(), nullable=False),
        _refers("station_reports", "command_id", COMMANDS),
        sa.PrimaryKeyConstraint("operator_id", "command_id", "report_key", name=op.f("pk_station_reports")),
        sqlite_strict=True,
    )
    place = ("component", "component_instance", "evse", "connector", "name", "instance", "attribute")
    op.create_table(
        "station_variables",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        *[sa.Column(name, WHOLE if name in {"evse", "connector"} else sa.Text(), nullable=False) for name in place],
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("is_writable", WHOLE, nullable=True),
        sa.Column("told_at", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        _refers("station_variables", "station_id", "stations"),
        sa.PrimaryKeyConstraint("operator_id", "station_id", *place, name=op.f("pk_station_variables")),
        sqlite_strict=True,
    )
    op.create_table(
        "security_events",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("occurred_at", WHOLE, nullable=False),
        sa.Column("received_at", WHOLE, nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("frame_id", sa.Text(), nullable=False),
        _refers("security_events", "station_id", "stations"),
        sa.PrimaryKeyConstraint("operator_id", "station_id", "event_key", name=op.f("pk_security_events")),
        sqlite_strict=True,
    )
    for columns in (["received_at", "event_key"], ["station_id", "received_at", "event_key"]):
        name = "_".join(["ix_security_events_operator_id", *columns])
        op.create_index(op.f(name), "security_events", ["operator_id", *columns])


def downgrade() -> None:
    op.drop_table("security_events")
    op.drop_table("station_variables")
    op.drop_table("station_reports")
    op.drop_index(NUMBERED, COMMANDS)
    for name in ("answer", "answered_at", "sent_at", "request_number", "name"):
        op.drop_column(COMMANDS, name)


def _refers(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["operator_id", column],
        [f"{other}.operator_id", f"{other}.{column}"],
        name=op.f(f"fk_{table}_operator_id_{column}"),
    )
