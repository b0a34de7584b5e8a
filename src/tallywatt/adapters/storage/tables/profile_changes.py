"""Table of stations that are moved to a higher security profile: how far each has come, and what it has said."""

from __future__ import annotations

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import choice, instant, refers, table, text, version, whole
from tallywatt.stations.profile_change import ProfileChange, ProfileState

PROFILE_CHANGES = Mapping(
    table(
        "profile_changes",
        text("station_id"),
        whole("wanted"),
        choice("state", ProfileState),
        text("url", null=True),
        whole("slot", null=True),
        text("interface", null=True),
        text("priority", null=True),
        text("command_id"),
        instant("requested_at"),
        instant("changed_at"),
        text("reason", null=True),
        text("requested_by"),
        whole("shown", null=True),
        instant("shown_at", null=True),
        version(),
        refers("station_id", "stations"),
        key=("station_id",),
    ),
    ProfileChange,
)
