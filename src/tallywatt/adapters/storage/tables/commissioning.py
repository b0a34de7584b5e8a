"""Tables of commissioning: when stations were asked how they are configured, and where values may be written."""

from __future__ import annotations

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import choice, flag, instant, refers, table, text, texts, version, whole
from tallywatt.stations.commissioning import CommissioningRule, StationCheck
from tallywatt.stations.offline import OfflineRule, Starts

STATION_CHECKS = Mapping(
    table(
        "station_checks",
        text("station_id"),
        instant("asked_at"),
        instant("answered_at", null=True),
        instant("set_at", null=True),
        texts("off"),
        instant("next_at", null=True),
        flag("is_billable", null=True),
        version(),
        refers("station_id", "stations"),
        key=("station_id",),
    ),
    StationCheck,
)

COMMISSIONING_RULES = Mapping(
    table(
        "commissioning_rules",
        text("scope"),
        flag("sets_values"),
        instant("changed_at"),
        version(),
        key=("scope",),
    ),
    CommissioningRule,
)

OFFLINE_RULES = Mapping(
    table(
        "offline_rules",
        text("scope"),
        choice("starts", Starts),
        whole("refused_wh"),
        instant("changed_at"),
        instant("removed_at", null=True),
        version(),
        key=("scope",),
    ),
    OfflineRule,
)
