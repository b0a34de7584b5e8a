"""Tables of the lists of tokens that stations know by heart: where they are kept in step, and what each station has."""

from __future__ import annotations

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import (
    choice,
    flag,
    instant,
    json_text,
    refers,
    table,
    text,
    version,
    whole,
)
from tallywatt.stations.local_list import ListRule, ListState, LocalList

LIST_RULES = Mapping(
    table("list_rules", text("scope"), flag("is_on"), instant("changed_at"), version(), key=("scope",)), ListRule
)

LOCAL_LISTS = Mapping(
    table(
        "local_lists",
        text("station_id"),
        whole("number"),
        # Ids of tokens and digests: nothing in it tells who charges.
        json_text("sent"),
        flag("is_known"),
        text("command_id", null=True),
        json_text("pending"),
        choice("state", ListState),
        whole("tries"),
        whole("entries"),
        instant("changed_at"),
        whole("told_number", null=True),
        instant("told_at", null=True),
        version(),
        refers("station_id", "stations"),
        key=("station_id",),
    ),
    LocalList,
)
