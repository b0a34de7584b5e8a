"""Tables of prices on stations' displays: whether they are told, and what a running session's was told last."""

from __future__ import annotations

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import choice, flag, index, instant, refers, table, text, version, whole
from tallywatt.stations.display import DisplayRule, Shows, ToldPrice

DISPLAY_RULES = Mapping(
    table(
        "display_rules",
        text("scope"),
        choice("shows", Shows),
        whole("every_seconds"),
        instant("changed_at"),
        whole("tolerance_minor", null=True),
        version(),
        key=("scope",),
    ),
    DisplayRule,
)

TOLD_PRICES = Mapping(
    table(
        "told_prices",
        text("session_id"),
        whole("gross_minor", null=True),
        instant("told_at", null=True),
        text("command_id", null=True),
        whole("silences"),
        flag("is_refused"),
        flag("is_final"),
        version(),
        refers("session_id", "sessions"),
        refers("command_id", "station_commands"),
        index("command_id"),
        key=("session_id",),
    ),
    ToldPrice,
)
