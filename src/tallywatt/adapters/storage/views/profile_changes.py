"""Views of stations that are moved to a higher security profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from tallywatt.adapters.storage.tables import profile_changes, stations
from tallywatt.adapters.storage.views.asking import Question, Row, columns, joined, mine

if TYPE_CHECKING:
    from tallywatt.adapters.storage.connections import Connection

_changes, _stations = profile_changes.PROFILE_CHANGES.table, stations.STATIONS.table
_CHANGE = Question(
    select(
        *columns(
            _changes, "wanted", "state", "url", "slot", "interface", "command_id", "requested_at", "changed_at",
            "reason", "requested_by", "shown", "shown_at",
        ),
        *columns(_stations, station="identity", least_profile="security_profile"),
    )
    .join(_stations, joined(_changes, _stations, "station_id"))
    .where(mine(_changes), _changes.c.station_id == bindparam("of_station"))
)  # fmt: skip


def profile_change(connection: Connection, operator_id: str, station_id: str) -> Row | None:
    """The last move of a station to another profile, or None."""
    return _CHANGE.first(connection, operator=operator_id, of_station=station_id)
