"""Table of reservations: which EVSE is kept for whom until when, and what became of it."""

from __future__ import annotations

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import (
    choice,
    flag,
    index,
    instant,
    refers,
    table,
    text,
    unique,
    version,
    whole,
)
from tallywatt.stations.reservation import Reservation, ReservationState

RESERVATIONS = Mapping(
    table(
        "reservations",
        text("reservation_id"),
        text("station_id"),
        whole("number"),
        text("evse_id", null=True),
        text("connector_type", null=True),
        text("token_id"),
        text("customer_id", null=True),
        choice("state", ReservationState),
        flag("is_watched"),
        text("command_id"),
        text("cancel_command_id", null=True),
        instant("requested_at"),
        instant("reserved_at", null=True),
        instant("expires_at"),
        instant("ended_at", null=True),
        instant("kept_from", null=True),
        text("session_id", null=True),
        text("reason", null=True),
        text("requested_by"),
        version(),
        refers("station_id", "stations"),
        unique("station_id", "number"),
        index("station_id", "is_watched"),
        index("command_id"),
        index("cancel_command_id"),
        index("customer_id", "reservation_id"),
        index("station_id", "reservation_id"),
        index("state", "reservation_id"),
        key=("reservation_id",),
    ),
    Reservation,
)
