"""Tables of the machinery: events and their positions, jobs, cursors of consumers, keys of sealed data, the business clock."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, Text, column

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import (
    WHOLE,
    blob,
    choice,
    index,
    instant,
    json_text,
    operator_free_table,
    partial_index,
    table,
    text,
    unique,
    whole,
)
from tallywatt.workflows.jobs import JobState, StoredJob

EVENTS = table(
    "events",
    text("event_id"),
    # Given by the sequencer, after the commit on PostgreSQL: a position that is drawn before the commit can be overtaken.
    whole("position", null=True),
    text("aggregate"),
    text("aggregate_id"),
    whole("version"),
    text("type"),
    whole("schema_version"),
    json_text("data"),
    text("actor"),
    text("cause"),
    instant("booked_at"),
    instant("recorded_at"),
    unique("aggregate", "aggregate_id", "version"),
    # Positions run through all operators, so that one consumer reads one line: an exception of RULES §9.
    Index("uq_events_position", "position", unique=True),
    partial_index("ix_events_unsequenced", "recorded_at", "event_id", where=column("position").is_(None)),
    key=("event_id",),
)

JOBS = Mapping(
    table(
        "jobs",
        text("job_id"),
        text("kind"),
        text("subject_id"),
        json_text("payload"),
        choice("state", JobState),
        instant("run_at"),
        instant("lease_until", null=True),
        text("leased_by", null=True),
        whole("attempts"),
        text("last_error", null=True),
        instant("created_at"),
        instant("wanted_at", null=True),
        Column("cut_short", WHOLE, nullable=False, server_default="0"),
        unique("kind", "subject_id"),
        index("state", "job_id"),
        # Workers claim across operators: an exception of RULES §9.
        partial_index("ix_jobs_due", "run_at", where=column("state").in_(("ready", "leased"))),
        key=("job_id",),
    ),
    StoredJob,
)

SEQUENCER = operator_free_table(
    "sequencer",
    Column("name", Text, primary_key=True),
    Column("last_position", WHOLE, nullable=False),
    reason="one line of positions runs through the events of all operators",
)

CURSORS = operator_free_table(
    "cursors",
    Column("consumer", Text, primary_key=True),
    Column("position", WHOLE, nullable=False),
    reason="a consumer reads the one line of positions",
)

BUSINESS_CLOCK = operator_free_table(
    "business_clock",
    Column("name", Text, primary_key=True),
    Column("machine", WHOLE, nullable=False),
    Column("business", WHOLE, nullable=False),
    Column("rate_ppm", WHOLE, nullable=False),
    reason="all operators of an installation share its business time",
)

KEYRING = operator_free_table(
    "keyring",
    Column("purpose", Text, primary_key=True),
    Column("number", WHOLE, primary_key=True),
    # By which master key it is wrapped: its fingerprint, which tells nothing about it.
    Column("sealed_by", Text, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_at", WHOLE, nullable=False),
    reason="the master key and what hangs on it belong to the installation",
)

DATA_KEYS = table(
    "data_keys",
    text("key_id"),
    text("class"),
    text("month"),
    # The key, wrapped by the installation's own; NULL once it was dropped, and with it all that it sealed.
    blob("wrapped", null=True),
    instant("created_at"),
    instant("dropped_at", null=True),
    unique("class", "month"),
    key=("key_id",),
)

REVENUE_BY_DAY = table(
    "revenue_by_day",
    text("day"),
    text("currency"),
    whole("sessions"),
    whole("milliwatt_hours"),
    whole("net_minor"),
    whole("tax_minor"),
    whole("gross_minor"),
    key=("day", "currency"),
)

RUNNING_SUMS = table(
    "running_sums",
    text("figure"),
    text("part"),
    text("currency"),
    # Several rows of one figure, for processes that commit at the same time.
    whole("stripe"),
    whole("amount"),
    key=("figure", "part", "currency", "stripe"),
)
