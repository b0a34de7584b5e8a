"""Where lists of tokens are kept in step, and how each station's list stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from tallywatt.adapters.storage.tables import local_lists as tables
from tallywatt.adapters.storage.tables import stations
from tallywatt.adapters.storage.views.asking import Question, columns, joined, mine

if TYPE_CHECKING:
    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.views.asking import Row

_rules, _lists, _stations = tables.LIST_RULES.table, tables.LOCAL_LISTS.table, stations.STATIONS.table
_RULES = Question(select(*columns(_rules, "scope", "is_on")).where(mine(_rules)))
_LISTS = Question(
    select(
        *columns(_stations, "station_id", station="identity"),
        *columns(_lists, "state", "number", "entries", "changed_at", "told_number", "told_at"),
    )
    .select_from(_stations.outerjoin(_lists, joined(_stations, _lists, "station_id")))
    .where(mine(_stations), _stations.c.state == "adopted")
    .order_by(_stations.c.identity)
)


def local_lists(connection: Connection, operator_id: str) -> Row:
    """`everywhere`: whether lists are kept where nothing is said of a station; `items`: every adopted station's."""
    rules = {one["scope"]: one["is_on"] for one in _RULES.rows(connection, operator=operator_id)}
    everywhere = rules.get("", False)
    items = _LISTS.rows(connection, operator=operator_id)
    for one in items:
        one["is_on"] = rules.get(one.pop("station_id"), everywhere)
    return {"everywhere": everywhere, "items": items, "next": None}
