"""What stations of OCPP 2.1 were told to count by, EVSE by EVSE, and what they may do offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from tallywatt.adapters.storage.tables import rating, station_tariffs, stations
from tallywatt.adapters.storage.views.asking import Question, columns, joined, mine

if TYPE_CHECKING:
    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.views.asking import Row

_told, _stations = station_tariffs.TOLD_TARIFFS.table, stations.STATIONS.table
_versions = rating.TARIFF_VERSIONS.table
_TARIFFS = Question(
    select(
        *columns(_stations, station="identity"),
        *columns(_told, "evse_number", "state", "reason", "tariff_id", "tariff_version_id", "changed_at"),
        *columns(_versions, tariff="reference"),
    )
    .select_from(
        _told.join(_stations, joined(_told, _stations, "station_id")).outerjoin(
            _versions, joined(_told, _versions, "tariff_version_id")
        )
    )
    .where(mine(_told), _told.c.session_id.is_(None))
    .order_by(_stations.c.identity, _told.c.evse_number)
)


def station_tariffs_told(connection: Connection, operator_id: str) -> list[Row]:
    """Every EVSE of a station that counts for itself: by what, and if not, why not."""
    return _TARIFFS.rows(connection, operator=operator_id)
