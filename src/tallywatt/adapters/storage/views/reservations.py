"""Views of reservations: which EVSE is kept for whom until when, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from tallywatt.adapters.storage.tables import customers, reservations, stations
from tallywatt.adapters.storage.views.asking import MOST_ROWS, Question, Row, columns, joined, mine

if TYPE_CHECKING:
    from sqlalchemy import Select

    from tallywatt.adapters.storage.connections import Connection

_reservations = reservations.RESERVATIONS.table
_stations, _evses, _customers = stations.STATIONS.table, stations.EVSES.table, customers.CUSTOMERS.table

RESERVATION: Select[Any] = (
    select(
        *columns(
            _reservations,
            "number", "connector_type", "state", "requested_at", "reserved_at", "expires_at", "ended_at",
            "session_id", "reason", "command_id", "cancel_command_id",
            id="reservation_id",
        ),
        *columns(_stations, station="identity"),
        *columns(_evses, evse="code"),
        *columns(_customers, customer="reference"),
    )
    .select_from(
        _reservations.join(_stations, joined(_reservations, _stations, "station_id"))
        .outerjoin(_evses, joined(_reservations, _evses, "evse_id"))
        .outerjoin(_customers, joined(_reservations, _customers, "customer_id"))
    )
    .where(mine(_reservations))
)  # fmt: skip
_ALL = Question(RESERVATION.order_by(_reservations.c.reservation_id.desc()).limit(bindparam("most")))
_BY_ID = Question(RESERVATION.where(_reservations.c.reservation_id == bindparam("of_reservation")))


def reservations_of(connection: Connection, operator_id: str) -> list[Row]:
    """Reservations, the newest first."""
    return _ALL.rows(connection, operator=operator_id, most=MOST_ROWS)


def reservation(connection: Connection, operator_id: str, reservation_id: str) -> Row | None:
    """One reservation, or None."""
    return _BY_ID.first(connection, operator=operator_id, of_reservation=reservation_id)
