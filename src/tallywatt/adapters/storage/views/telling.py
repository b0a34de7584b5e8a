"""Views of what stations tell beyond their sessions: what followed a command, how they are configured, their safety."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, text

from tallywatt.adapters.storage.tables import certificates, reports, stations
from tallywatt.adapters.storage.views.asking import Question, Row, columns, joined, mine

if TYPE_CHECKING:
    from sqlalchemy import Select

    from tallywatt.adapters.storage.connections import Connection

_stations = stations.STATIONS.table
_reports = reports.STATION_REPORTS.table
_variables = reports.STATION_VARIABLES.table
_authorities = certificates.AUTHORITIES.table
_certificates = certificates.STATION_CERTIFICATES.table
_events = reports.SECURITY_EVENTS.table
_notices = reports.STATION_NOTICES.table

REPORT: Select[Any] = select(
    *columns(_reports, "message", "number", "is_last", "status", "content", "received_at", "frame_id")
).where(mine(_reports))
_REPORTS_OF = Question(
    REPORT.where(_reports.c.command_id == bindparam("of_command")).order_by(
        _reports.c.received_at, _reports.c.number, _reports.c.report_key
    )
)

MOST_TOLD = 300
_commands = stations.STATION_COMMANDS.table
_TOLD_OF = Question(
    select(
        *columns(
            _commands, "name", "state", "payload", "reason", "answer", "requested_at", "answered_at", "ended_at",
            "requested_by", id="command_id",
        )
    )
    .where(mine(_commands), _commands.c.station_id == bindparam("of_station"), text(stations.TOLD_BY_PERSONS))
    .order_by(_commands.c.command_id.desc())
    .limit(bindparam("most"))
)  # fmt: skip

VARIABLE_ORDER = tuple(
    _variables.c[name]
    for name in ("station_id", "component", "component_instance", "evse", "connector", "name", "instance", "attribute")
)
VARIABLE: Select[Any] = (
    select(
        *columns(
            _variables, "component", "component_instance", "evse", "connector", "name", "instance", "attribute", "value",
            "is_writable", "told_at",
        ),
        *columns(_stations, station="identity"),
    )
    .join(_stations, joined(_variables, _stations, "station_id"))
    .where(mine(_variables))
)  # fmt: skip
_VARIABLES_OF = Question(VARIABLE.where(_variables.c.station_id == bindparam("of_station")).order_by(*VARIABLE_ORDER))

SECURITY_EVENT: Select[Any] = (
    select(
        *columns(_events, "kind", "occurred_at", "received_at", "detail", "frame_id", id="event_key"),
        *columns(_stations, station="identity"),
    )
    .join(_stations, joined(_events, _stations, "station_id"))
    .where(mine(_events))
)

NOTICE: Select[Any] = (
    select(
        *columns(
            _notices, "message", "subject", "kind", "severity", "is_cleared", "evse", "value", "detail", "occurred_at",
            "received_at", "frame_id", id="notice_key",
        ),
        *columns(_stations, station="identity"),
    )
    .join(_stations, joined(_notices, _stations, "station_id"))
    .where(mine(_notices))
)  # fmt: skip

_AUTHORITIES = Question(
    select(
        *columns(
            _authorities,
            "name",
            "certificate",
            "fingerprint",
            "holds_from",
            "holds_until",
            "created_at",
            id="authority_id",
        )
    )
    .where(mine(_authorities))
    .order_by(_authorities.c.created_at.desc(), _authorities.c.authority_id)
)
_CERTIFICATES_OF = Question(
    select(
        *columns(
            _certificates, "state", "requested_at", "serial", "fingerprint", "certificate", "holds_from", "holds_until",
            "command_id", "ended_at", "reason", id="certificate_id",
        )
    )
    .where(mine(_certificates), _certificates.c.station_id == bindparam("of_station"))
    .order_by(_certificates.c.requested_at.desc(), _certificates.c.certificate_id)
)  # fmt: skip


def authorities(connection: Connection, operator_id: str) -> list[Row]:
    """Certification authorities, newest first; never their keys."""
    return _AUTHORITIES.rows(connection, operator=operator_id)


def certificates_of(connection: Connection, operator_id: str, station_id: str) -> list[Row]:
    """A station's certificates and requests, newest first."""
    return _CERTIFICATES_OF.rows(connection, operator=operator_id, of_station=station_id)


def reports_of(connection: Connection, operator_id: str, command_id: str) -> list[Row]:
    """What a station told after its answer to a command, oldest first."""
    return _REPORTS_OF.rows(connection, operator=operator_id, of_command=command_id)


def told_of(connection: Connection, operator_id: str, station_id: str, most: int = MOST_TOLD) -> list[Row]:
    """What a station was told about its power and its display, with its contents, newest first."""
    return _TOLD_OF.rows(connection, operator=operator_id, of_station=station_id, most=most)


def variables_of(connection: Connection, operator_id: str, station_id: str) -> list[Row]:
    """All that is known of a station's configuration."""
    return _VARIABLES_OF.rows(connection, operator=operator_id, of_station=station_id)
