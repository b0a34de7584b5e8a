"""Views of reservations: which EVSE is kept for whom until when, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from tallywatt.adapters.storage.tables import customers, reservations, stations
from tallywatt.adapters.storage.views.asking import Question, Row, columns, joined, mine

if TYPE_CHECKING:
    from sqlalchemy import Select

    from tallywatt.adapters.storage.connections import Connection

_reservations = reservations.RESERVATIONS.table
_cancels = stations.STATION_COMMANDS.table.alias("cancels")
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
        _cancels.c.state.label("cancel_state"),
        _cancels.c.reason.label("cancel_reason"),
    )
    .select_from(
        _reservations.join(_stations, joined(_reservations, _stations, "station_id"))
        .outerjoin(_evses, joined(_reservations, _evses, "evse_id"))
        .outerjoin(_customers, joined(_reservations, _customers, "customer_id"))
        .outerjoin(
            _cancels,
            (_cancels.c.operator_id == _reservations.c.operator_id)
            & (_cancels.c.command_id == _reservations.c.cancel_command_id),
        )
    )
    .where(mine(_reservations))
)  # fmt: skip
_BY_ID = Question(RESERVATION.where(_reservations.c.reservation_id == bindparam("of_reservation")))


def reservation(connection: Connection, operator_id: str, reservation_id: str) -> Row | None:
    """One reservation, or None."""
    return _BY_ID.first(connection, operator=operator_id, of_reservation=reservation_id)
