"""Tables of what stations count: the tariffs that they were told, and the costs that they have told."""

from __future__ import annotations

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import (
    choice,
    decimal_text,
    flag,
    index,
    instant,
    json_text,
    refers,
    table,
    text,
    version,
    whole,
)
from tallywatt.metering.counted import ToldCost
from tallywatt.stations.told_tariff import TariffState, ToldTariff

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
        key=("session_id",),
    ),
    ToldCost,
)
