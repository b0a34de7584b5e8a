"""Tables of what stations count: the tariffs that they were told, and the costs that they have told."""

from __future__ import annotations

from sqlalchemy import Column, Text
from sqlalchemy import text as sql

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import (
    WHOLE,
    choice,
    decimal_text,
    flag,
    index,
    instant,
    json_text,
    partial_index,
    refers,
    table,
    text,
    version,
    whole,
)
from tallywatt.metering.counted import ToldCost
from tallywatt.stations.told_tariff import TariffState, ToldTariff

_DIFFERS = "{0}rated_id IS NOT NULL AND ({0}difference_minor IS NULL OR {0}difference_minor <> 0)"
DIFFERS = _DIFFERS.format("")
"""A cost that was laid beside a price and is another one, or cannot be compared with it."""
DIFFERS_HERE = _DIFFERS.format("told_costs.")
"""The same where tables are joined: word by word, or SQLite does not see that the index is meant."""

TOLD_TARIFFS = Mapping(
    table(
        "told_tariffs",
        text("subject_id"),
        text("station_id"),
        whole("evse_number", null=True),
        text("session_id", null=True),
        text("tariff_version_id", null=True),
        text("tariff_id", null=True),
        choice("state", TariffState),
        text("reason", null=True),
        text("command_id", null=True),
        whole("silences"),
        instant("changed_at"),
        Column("older", Text, nullable=False, server_default=sql("'[]'"), info={"codec": "texts"}),
        Column("named", Text, nullable=False, server_default=sql("'[]'"), info={"codec": "texts"}),
        instant("verified_at", null=True),
        Column("is_cleared", WHOLE, nullable=False, server_default="0", info={"codec": "flag"}),
        version(),
        refers("station_id", "stations"),
        refers("session_id", "sessions"),
        refers("command_id", "station_commands"),
        index("station_id", "session_id"),
        index("command_id"),
        index("session_id"),
        key=("subject_id",),
    ),
    ToldTariff,
)

TOLD_COSTS = Mapping(
    table(
        "told_costs",
        text("session_id"),
        text("currency", null=True),
        decimal_text("before_taxes", null=True),
        decimal_text("after_taxes", null=True),
        text("kind", null=True),
        text("failure", null=True),
        text("tariff_id", null=True),
        json_text("parts"),
        whole("sequence_number", null=True),
        flag("is_final"),
        instant("received_at"),
        text("frame_id"),
        text("rated_id", null=True),
        whole("difference_minor", null=True),
        version(),
        refers("session_id", "sessions"),
        # Most stations count alike; those that do not are looked at by a person.
        partial_index("ix_told_costs_differ", "operator_id", "session_id", where=sql(DIFFERS)),
        key=("session_id",),
    ),
    ToldCost,
)
