"""Table of keys that are being replaced over a station's own line: the new one sealed, a digest while it opens the door."""

from __future__ import annotations

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import blob, choice, instant, refers, table, text, version
from tallywatt.stations.key_change import KeyChange, KeyState

KEY_CHANGES = Mapping(
    table(
        "key_changes",
        text("station_id"),
        choice("state", KeyState),
        text("key_id", null=True),
        blob("sealed_key", null=True),
        text("key_hash", null=True),
        text("command_id"),
        instant("requested_at"),
        instant("changed_at"),
        text("reason", null=True),
        text("requested_by"),
        version(),
        refers("station_id", "stations"),
        key=("station_id",),
    ),
    KeyChange,
)
