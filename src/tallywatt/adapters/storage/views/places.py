"""Views of locations, stations, EVSEs, connectors, and commands to stations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select

from tallywatt.adapters.storage.tables import customers, stations
from tallywatt.adapters.storage.views.asking import MOST_ROWS, Question, Row, columns, joined, mine

if TYPE_CHECKING:
    from sqlalchemy import Select

    from tallywatt.adapters.storage.connections import Connection

_operators = customers.OPERATORS.table
_locations = stations.LOCATIONS.table
_stations = stations.STATIONS.table
_evses = stations.EVSES.table
_codes = stations.WEB_CODES.table
_connectors = stations.CONNECTORS.table
_commands = stations.STATION_COMMANDS.table

_count = (
    select(func.count())
    .where(_stations.c.operator_id == _locations.c.operator_id, _stations.c.location_id == _locations.c.location_id)
    .scalar_subquery()
)
LOCATION: Select[Any] = select(
    *columns(
        _locations, "reference", "name", "address", "city", "postal_code", "country", "zone", "latitude", "longitude",
        "created_at", id="location_id",
    ),
    _count.label("stations"),
).where(mine(_locations))  # fmt: skip
_LOCATIONS = Question(LOCATION.order_by(_locations.c.reference))
_LOCATION_BY_REFERENCE = Question(
    LOCATION.add_columns(_locations.c.version).where(_locations.c.reference == bindparam("of_reference"))
)

STATION: Select[Any] = (
    select(
        *columns(
            _stations, "identity", "state", "protocol", "vendor", "model", "serial_number", "firmware", "booted_at",
            "created_at", "security_profile", "preferred_protocol", id="station_id", last_seen_at="booted_at",
        ),
        (_stations.c.key_hash.is_not(None)).label("has_key"),
        *columns(_locations, location="reference", location_name="name"),
    )
    .select_from(_stations.outerjoin(_locations, joined(_stations, _locations, "location_id")))
    .where(mine(_stations))
)  # fmt: skip
_STATIONS = Question(
    STATION.where(_stations.c.identity > bindparam("after")).order_by(_stations.c.identity).limit(bindparam("most"))
)
_STATIONS_IN_STATE = Question(
    STATION.where(_stations.c.state == bindparam("of_state"), _stations.c.identity > bindparam("after"))
    .order_by(_stations.c.identity)
    .limit(bindparam("most"))
)
_STATION_BY_IDENTITY = Question(
    STATION.add_columns(_stations.c.version).where(_stations.c.identity == bindparam("of_identity"))
)

_EVSE = (
    select(
        *columns(
            _evses, "station_id", "number", "code", "current", "max_watts", "deployed_on", "metrology", id="evse_id"
        ),
    )
    .where(mine(_evses))
    .order_by(_evses.c.station_id, _evses.c.number)
)
_EVSES = Question(_EVSE)
_EVSES_OF = Question(_EVSE.where(_evses.c.station_id == bindparam("of_station")))
_CONNECTOR = (
    select(*columns(_connectors, "evse_id", "number", "status", "error_code", "occurred_at", "received_at"))
    .where(mine(_connectors))
    .order_by(_connectors.c.evse_id, _connectors.c.number)
)
_CONNECTORS = Question(_CONNECTOR)
_CONNECTORS_OF = Question(
    _CONNECTOR.join(_evses, joined(_connectors, _evses, "evse_id")).where(
        _evses.c.station_id == bindparam("of_station")
    )
)

# A page's own EVSEs and connectors: those of the stations, or EVSEs, between its first and its last.
_between_stations = (_stations.c.identity >= bindparam("first"), _stations.c.identity <= bindparam("last"))
_EVSES_BETWEEN = Question(_EVSE.join(_stations, joined(_evses, _stations, "station_id")).where(*_between_stations))
_CONNECTORS_BETWEEN_STATIONS = Question(
    _CONNECTOR.join(_evses, joined(_connectors, _evses, "evse_id"))
    .join(_stations, joined(_evses, _stations, "station_id"))
    .where(*_between_stations)
)
_CONNECTORS_BETWEEN_EVSES = Question(
    _CONNECTOR.join(_evses, joined(_connectors, _evses, "evse_id")).where(
        _evses.c.code >= bindparam("first"), _evses.c.code <= bindparam("last")
    )
)

_EVSE_BY_CODE = Question(
    select(
        *columns(_evses, "operator_id", "evse_id", "number", "code", "current", "max_watts"),
        *columns(_stations, "station_id", "identity", "state", "location_id"),
        *columns(_locations, "zone", "address", "city", location="reference", location_name="name"),
        *columns(_operators, "slug", operator_name="name", operator_zone="zone", operator_country="country"),
        *columns(_operators, "currency", "hold_minor", "policy_version_id"),
        _codes.c.generation.label("code_generation"),
    )
    .select_from(
        _evses.join(_stations, joined(_evses, _stations, "station_id"))
        .outerjoin(_locations, joined(_stations, _locations, "location_id"))
        .join(_operators, _operators.c.operator_id == _evses.c.operator_id)
        .outerjoin(_codes, joined(_evses, _codes, "evse_id"))
    )
    .where(_evses.c.code == bindparam("of_code"))
    .order_by(_evses.c.operator_id)
)

_CREDENTIALS = Question(
    select(
        *columns(_stations, "operator_id", "station_id", "identity", "state", "key_hash"),
        _operators.c.slug.label("operator_slug"),
    )
    .join(_operators, _operators.c.operator_id == _stations.c.operator_id)
    .where(_stations.c.identity == bindparam("of_identity"))
)

COMMAND: Select[Any] = (
    select(
        *columns(
            _commands, "station_id", "action", "state", "evse_id", "session_id", "payment_id", "remote_start_id",
            "requested_at", "deadline_at", "ended_at", "reason", "requested_by", "name", "request_number", "sent_at",
            "answered_at", "answer", id="command_id",
        ),
        *columns(_stations, station="identity"),
        *columns(_evses, evse="code"),
    )
    .select_from(
        _commands.join(_stations, joined(_commands, _stations, "station_id")).outerjoin(
            _evses, joined(_commands, _evses, "evse_id")
        )
    )
    .where(mine(_commands))
)  # fmt: skip
_newest = (_commands.c.requested_at.desc(), _commands.c.command_id.desc())
_COMMANDS = Question(COMMAND.order_by(_commands.c.command_id.desc()).limit(bindparam("most")))
_COMMANDS_OF = Question(
    COMMAND.where(_commands.c.station_id == bindparam("of_station")).order_by(*_newest).limit(bindparam("most"))
)
_COMMAND_BY_ID = Question(COMMAND.where(_commands.c.command_id == bindparam("of_command")))


def locations(connection: Connection, operator_id: str) -> list[Row]:
    """Locations by reference, each with its number of stations."""
    return _LOCATIONS.rows(connection, operator=operator_id)


def location(connection: Connection, operator_id: str, reference: str) -> Row | None:
    """A location by its reference with the `version` of its row, or None."""
    return _LOCATION_BY_REFERENCE.first(connection, operator=operator_id, of_reference=reference)


def stations_of(
    connection: Connection, operator_id: str, state: str | None = None, after: str = "", most: int = MOST_ROWS
) -> list[Row]:
    """Stations by identity, behind `after`, each with `evses`, and each of those with its `connectors`."""
    if state is None:
        found = _STATIONS.rows(connection, operator=operator_id, after=after, most=most)
    else:
        found = _STATIONS_IN_STATE.rows(connection, operator=operator_id, of_state=state, after=after, most=most)
    evses = _EVSES.rows(connection, operator=operator_id)
    return _with_evses(found, evses, _CONNECTORS.rows(connection, operator=operator_id))


def station(connection: Connection, operator_id: str, identity: str, *, versioned: bool = False) -> Row | None:
    """A station by its identity, with EVSEs, connectors and its last commands; with its row's `version` if asked for."""
    found = _STATION_BY_IDENTITY.first(connection, operator=operator_id, of_identity=identity)
    if found is None:
        return None
    if not versioned:
        del found["version"]
    place = {"operator": operator_id, "of_station": found["id"]}
    [shown] = _with_evses([found], _EVSES_OF.rows(connection, **place), _CONNECTORS_OF.rows(connection, **place))
    return {**shown, "commands": _COMMANDS_OF.rows(connection, **place, most=20)}


def evse_by_code(connection: Connection, code: str) -> Row | None:
    """The EVSE whose code a driver scanned, with station, location and operator; of whichever operator has it first."""
    return _EVSE_BY_CODE.first(connection, of_code=code)


def station_credentials(connection: Connection, identity: str) -> list[Row]:
    """Stations of an identity, of all operators, with the hash of their key: for the gateway's door."""
    return _CREDENTIALS.rows(connection, of_identity=identity)


def commands(connection: Connection, operator_id: str, most: int = 100) -> list[Row]:
    """Commands to stations, newest first. What they carry is not shown: a one-time tag is a credential."""
    return _COMMANDS.rows(connection, operator=operator_id, most=most)


def command(connection: Connection, operator_id: str, command_id: str) -> Row | None:
    """One command, or None."""
    return _COMMAND_BY_ID.first(connection, operator=operator_id, of_command=command_id)


def with_evses(connection: Connection, operator_id: str, found: list[Row]) -> list[Row]:
    """A page of stations in the order of their identities, each with `evses` and their `connectors`."""
    if not found:
        return found
    place = {"operator": operator_id, "first": found[0]["identity"], "last": found[-1]["identity"]}
    evses = _EVSES_BETWEEN.rows(connection, **place)
    return _with_evses(found, evses, _CONNECTORS_BETWEEN_STATIONS.rows(connection, **place))


def with_connectors(connection: Connection, operator_id: str, found: list[Row]) -> list[Row]:
    """A page of EVSEs in the order of their codes, each with `connectors` and `status`."""
    if found:
        place = {"operator": operator_id, "first": found[0]["code"], "last": found[-1]["code"]}
        _plug(found, _CONNECTORS_BETWEEN_EVSES.rows(connection, **place))
    return found


def _plug(evses: list[Row], connectors: list[Row]) -> None:
    plugs: dict[str, list[Row]] = {}
    for connector in connectors:
        plugs.setdefault(connector.pop("evse_id"), []).append(connector)
    for evse in evses:
        evse["connectors"] = plugs.get(evse["id"], [])
        evse["status"] = next((one["status"] for one in evse["connectors"] if one["status"] != "Available"), None) or (
            "Available" if evse["connectors"] else None
        )


def _with_evses(found: list[Row], evses: list[Row], connectors: list[Row]) -> list[Row]:
    _plug(evses, connectors)
    places: dict[str, list[Row]] = {}
    for evse in evses:
        places.setdefault(evse.pop("station_id"), []).append(evse)
    for one in found:
        one["has_key"] = bool(one["has_key"])
        one["evses"] = places.get(one["id"], [])
    return found
