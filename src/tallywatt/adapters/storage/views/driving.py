"""Views that only drivers ask for: the EVSE that is printed on a post, its neighbours, what a customer has charged."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, func, or_, select

from tallywatt.adapters.storage.tables import customers, invoicing, metering, rating, stations
from tallywatt.adapters.storage.views.asking import Question, Row, columns, joined, mine

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from tallywatt.adapters.storage.connections import Connection

_operators = customers.OPERATORS.table
_evses = stations.EVSES.table
_stations = stations.STATIONS.table
_connectors = stations.CONNECTORS.table
_commands = stations.STATION_COMMANDS.table
_locations = stations.LOCATIONS.table
_sessions = metering.SESSIONS.table
_results = rating.RATED_RESULTS.table
_invoices = invoicing.INVOICES.table

FEWEST_CHARACTERS: Final = 3
"""Of what is typed. Two would be found at every station."""
MOST_FOUND: Final = 20


def folded(typed: str) -> str:
    """A number as it is compared: people leave out stars, hyphens and spaces, and write small letters."""
    return re.sub(r"[^A-Z0-9]", "", typed.upper())


def _folded(column: ColumnElement[str]) -> ColumnElement[str]:
    bare = func.upper(column)
    for sign in "*- /._":
        bare = func.replace(bare, sign, "")
    return bare


_typed: Any = bindparam("typed")
_PRINTED = Question(
    select(
        *columns(_evses, "code", "number", "current", "max_watts"),
        *columns(_stations, station="identity"),
        *columns(_locations, "address", "city", location="name"),
        *columns(_operators, operator="name"),
    )
    .select_from(
        _evses.join(_stations, joined(_evses, _stations, "station_id"))
        .outerjoin(_locations, joined(_stations, _locations, "location_id"))
        .join(_operators, _operators.c.operator_id == _evses.c.operator_id)
    )
    .where(
        _stations.c.state == "adopted",
        or_(_folded(_evses.c.code).like(_typed), _folded(_stations.c.identity).like(_typed)),
    )
    .order_by(_evses.c.code)
    .limit(bindparam("most"))
)


def evses_printed(connection: Connection, typed: str) -> list[Row]:
    """The EVSEs that somebody may mean who types the number on a post: its whole code, its end, or its station's name.

    Where a whole code or a whole name is meant, nothing that merely ends alike is found.
    """
    text = folded(typed)
    if len(text) < FEWEST_CHARACTERS:
        return []
    # Folded text holds no sign that LIKE reads as its own.
    return _PRINTED.rows(connection, typed=text, most=MOST_FOUND) or _PRINTED.rows(
        connection, typed=f"%{text}", most=MOST_FOUND
    )


_NEIGHBOURS = Question(
    select(
        *columns(_evses, "code", "current", "max_watts", id="evse_id"),
        *columns(_stations, "station_id", station="identity"),
        *columns(_connectors, "status"),
    )
    .select_from(
        _evses.join(_stations, joined(_evses, _stations, "station_id")).outerjoin(
            _connectors, joined(_evses, _connectors, "evse_id")
        )
    )
    .where(
        mine(_evses),
        _stations.c.state == "adopted",
        or_(_stations.c.location_id == bindparam("of_location"), _stations.c.station_id == bindparam("of_station")),
    )
    .order_by(_evses.c.code, _connectors.c.number)
    .limit(100)
)


def neighbours(connection: Connection, operator_id: str, station_id: str, location_id: str | None) -> list[Row]:
    """The EVSEs of a station and its location, each with the status of its connector that is least free; None: unheard of."""
    found: dict[str, Row] = {}
    for row in _NEIGHBOURS.rows(connection, operator=operator_id, of_station=station_id, of_location=location_id or ""):
        known = found.setdefault(row["id"], row)
        if row["status"] not in {None, "Available"}:
            known["status"] = row["status"]
    return list(found.values())


_of_customer: Any = bindparam("of_customer")
_CHARGED = Question(
    select(
        *columns(
            _sessions, "state", "driver_secret", "started_at", "transaction_ended_at", "occupancy_ended_at", "zone",
            id="session_id", energy_wh="milliwatt_hours",
        ),
        *columns(_evses, evse="code"),
        *columns(_stations, station="identity"),
        *columns(_locations, "city", location="name"),
        *columns(_results, "currency", total_minor="gross_minor"),
        *columns(_invoices, invoice="number"),
    )
    .select_from(
        _sessions.outerjoin(_stations, joined(_sessions, _stations, "station_id"))
        .outerjoin(_evses, joined(_sessions, _evses, "evse_id"))
        .outerjoin(_locations, joined(_stations, _locations, "location_id"))
        .outerjoin(_results, joined(_sessions, _results, "rated_id"))
        .outerjoin(_invoices, joined(_sessions, _invoices, "invoice_id"))
    )
    .where(
        mine(_sessions),
        _sessions.c.payer == "customer",
        _sessions.c.payer_id == _of_customer,
        _sessions.c.session_id < bindparam("before"),
    )
    .order_by(_sessions.c.session_id.desc())
    .limit(bindparam("most"))
)  # fmt: skip


def charged_by(
    connection: Connection, operator_id: str, customer_id: str, before: str = "~", most: int = 50
) -> list[Row]:
    """The sessions of a customer, newest first, older than `before`, as its driver's history shows them."""
    return _CHARGED.rows(connection, operator=operator_id, of_customer=customer_id, before=before, most=most)


_COMMAND = select(
    *columns(_commands, "action", "state", "requested_at", "deadline_at", "ended_at", id="command_id")
).where(mine(_commands))
_STOP = Question(
    _COMMAND.where(
        _commands.c.station_id == bindparam("of_station"),
        _commands.c.session_id == bindparam("of_session"),
        _commands.c.action == "stop",
    )
    .order_by(_commands.c.requested_at.desc(), _commands.c.command_id.desc())
    .limit(1)
)
_START = Question(
    _COMMAND.where(_commands.c.payment_id == bindparam("of_payment"), _commands.c.action == "start")
    .order_by(_commands.c.requested_at.desc(), _commands.c.command_id.desc())
    .limit(1)
)
_PLUG = Question(
    select(
        *columns(_evses, "code", "number", "current", "max_watts"),
        *columns(_stations, station="identity"),
        *columns(_locations, "address", "city", "zone", location="name"),
        *columns(_operators, operator="name", operator_zone="zone", country="country"),
    )
    .select_from(
        _evses.join(_stations, joined(_evses, _stations, "station_id"))
        .outerjoin(_locations, joined(_stations, _locations, "location_id"))
        .join(_operators, _operators.c.operator_id == _evses.c.operator_id)
    )
    .where(mine(_evses), _evses.c.evse_id == bindparam("of_evse"))
)


def stop_of(connection: Connection, operator_id: str, station_id: str | None, session_id: str) -> Row | None:
    """The last stop that was asked for a session, or None."""
    return _STOP.first(connection, operator=operator_id, of_station=station_id or "", of_session=session_id)


def start_of(connection: Connection, operator_id: str, payment_id: str) -> Row | None:
    """The last start that was asked for a payment, or None: its deadline is how long the driver has to plug in."""
    return _START.first(connection, operator=operator_id, of_payment=payment_id)


def plug(connection: Connection, operator_id: str, evse_id: str | None) -> Row | None:
    """Where a payment is to be used: EVSE, station, place and operator; None when it is not known."""
    return None if evse_id is None else _PLUG.first(connection, operator=operator_id, of_evse=evse_id)
