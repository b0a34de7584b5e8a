"""What stations of OCPP 2.1 were told to count by, EVSE by EVSE, and where what they have counted is not what is charged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, text

from tallywatt.adapters.storage.tables import metering as metering_tables
from tallywatt.adapters.storage.tables import rating, station_tariffs, stations
from tallywatt.adapters.storage.views.asking import Question, columns, joined, mine

if TYPE_CHECKING:
    from sqlalchemy import Select

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.views.asking import Row

_told, _stations = station_tariffs.TOLD_TARIFFS.table, stations.STATIONS.table
_versions = rating.TARIFF_VERSIONS.table
_costs, _sessions = station_tariffs.TOLD_COSTS.table, metering_tables.SESSIONS.table
_rated, _evses = rating.RATED_RESULTS.table, stations.EVSES.table

_TOLD: Select[Any] = (
    select(
        *columns(_stations, station="identity"),
        *columns(
            _told, "evse_number", "state", "reason", "tariff_id", "tariff_version_id", "changed_at", "verified_at",
            "is_cleared", "older", "named",
        ),
        *columns(_versions, tariff="reference"),
    )
    .select_from(
        _told.join(_stations, joined(_told, _stations, "station_id")).outerjoin(
            _versions, joined(_told, _versions, "tariff_version_id")
        )
    )
    .where(mine(_told), _told.c.session_id.is_(None))
    .order_by(_stations.c.identity, _told.c.evse_number)
)  # fmt: skip
_TARIFFS = Question(_TOLD)
_OF_STATION = Question(_TOLD.where(_told.c.station_id == bindparam("of_station")))


def station_tariffs_told(connection: Connection, operator_id: str) -> list[Row]:
    """Every EVSE of a station that counts for itself: by what, and if not, why not."""
    return [_shown(one) for one in _TARIFFS.rows(connection, operator=operator_id)]


def tariffs_of_station(connection: Connection, operator_id: str, station_id: str) -> list[Row]:
    """The same of one station."""
    return [_shown(one) for one in _OF_STATION.rows(connection, operator=operator_id, of_station=station_id)]


def _shown(row: Row) -> Row:
    """With the names that the station has for this EVSE and that none of ours was told by: somebody else's tariffs."""
    ours = {row["tariff_id"], *row["older"]}
    named = row.pop("named")
    return {**row, "strangers": [one for one in named if one not in ours]}


COUNTED: Select[Any] = (
    select(
        *columns(
            _costs, "session_id", "currency", "before_taxes", "after_taxes", "kind", "failure", "tariff_id",
            "difference_minor", "received_at",
        ),
        *columns(_rated, charged_currency="currency", net_minor="net_minor", gross_minor="gross_minor"),
        *columns(_stations, station="identity"),
        *columns(_evses, evse="code"),
        *columns(_sessions, "started_at", "state"),
    )
    .select_from(
        _costs.join(_sessions, joined(_costs, _sessions, "session_id"))
        .join(_rated, joined(_costs, _rated, "rated_id"))
        .outerjoin(_stations, joined(_sessions, _stations, "station_id"))
        .outerjoin(_evses, joined(_sessions, _evses, "evse_id"))
    )
    .where(mine(_costs), text(station_tariffs.DIFFERS_HERE))
)  # fmt: skip
COUNTED_ORDER = (_costs.c.session_id,)
_OF_SESSION = Question(
    select(
        *columns(
            _costs, "session_id", "currency", "before_taxes", "after_taxes", "kind", "failure", "tariff_id", "parts",
            "is_final", "difference_minor", "received_at", "frame_id", "rated_id",
        ),
        *columns(_rated, charged_currency="currency", net_minor="net_minor", gross_minor="gross_minor"),
    )
    .select_from(_costs.outerjoin(_rated, joined(_costs, _rated, "rated_id")))
    .where(mine(_costs), _costs.c.session_id == bindparam("of_session"))
)  # fmt: skip


def counted_of(connection: Connection, operator_id: str, session_id: str) -> Row | None:
    """What the station of a session has counted itself, beside the price that is charged; None: it has told nothing."""
    return _OF_SESSION.first(connection, operator=operator_id, of_session=session_id)
