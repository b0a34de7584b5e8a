"""Views of keys that are being replaced: where that stands, and never what is sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from tallywatt.adapters.storage.tables import key_changes, stations
from tallywatt.adapters.storage.views.asking import Question, Row, columns, joined, mine

if TYPE_CHECKING:
    from tallywatt.adapters.storage.connections import Connection

_changes, _stations = key_changes.KEY_CHANGES.table, stations.STATIONS.table
_CHANGE = Question(
    select(
        *columns(_changes, "state", "command_id", "requested_at", "changed_at", "reason", "requested_by"),
        *columns(_stations, station="identity"),
    )
    .join(_stations, joined(_changes, _stations, "station_id"))
    .where(mine(_changes), _changes.c.station_id == bindparam("of_station"))
)


def key_change(connection: Connection, operator_id: str, station_id: str) -> Row | None:
    """The last replacement of a station's key, or None."""
    return _CHANGE.first(connection, operator=operator_id, of_station=station_id)
