"""Tables of the room `stations`: locations, stations, EVSEs, connectors, roles, commands."""

from __future__ import annotations

from sqlalchemy import Column, Index, Text
from sqlalchemy import text as sql

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import (
    WHOLE,
    check,
    choice,
    index,
    instant,
    json_text,
    partial_index,
    refers,
    table,
    text,
    unique,
    version,
    whole,
)
from tallywatt.stations.command import Action, CommandState, StationCommand
from tallywatt.stations.metrology import Metrology
from tallywatt.stations.station import (
    Connector,
    ConnectorState,
    Current,
    Evse,
    EvseRole,
    Location,
    Role,
    Station,
    StationState,
    TransactionCounter,
)
from tallywatt.stations.web_code import WebCode

LOCATIONS = Mapping(
    table(
        "locations",
        text("location_id"),
        text("reference"),
        text("name"),
        text("address"),
        text("city"),
        text("postal_code"),
        text("country"),
        text("zone"),
        text("latitude", null=True),
        text("longitude", null=True),
        instant("created_at"),
        version(),
        unique("reference"),
        key=("location_id",),
    ),
    Location,
)

STATIONS = Mapping(
    table(
        "stations",
        text("station_id"),
        text("identity"),
        text("location_id", null=True),
        choice("state", StationState),
        text("protocol", null=True),
        text("vendor", null=True),
        text("model", null=True),
        text("serial_number", null=True),
        text("firmware", null=True),
        text("key_hash", null=True),
        instant("booted_at", null=True),
        instant("created_at"),
        Column("security_profile", WHOLE, nullable=False, server_default="0"),
        text("preferred_protocol", null=True),
        version(),
        unique("identity"),
        refers("location_id", "locations"),
        index("state", "identity"),
        index("location_id", "identity"),
        # A station that connects by the short form does not say whose it is: an exception of RULES §9.
        Index("ix_stations_identity", "identity"),
        key=("station_id",),
    ),
    Station,
)

TRANSACTION_COUNTERS = Mapping(
    table(
        "transaction_counters",
        text("station_id"),
        whole("last_transaction_id"),
        version(),
        refers("station_id", "stations"),
        check("last_transaction_id BETWEEN 0 AND 2147483647", "last_transaction_id"),
        key=("station_id",),
    ),
    TransactionCounter,
)

EVSES = Mapping(
    table(
        "evses",
        text("evse_id"),
        text("station_id"),
        whole("number"),
        text("code"),
        choice("current", Current),
        whole("max_watts", null=True),
        text("deployed_on", null=True),
        instant("created_at"),
        Column(
            "metrology", Text, nullable=False, server_default="none", info={"codec": "choice", "choices": Metrology}
        ),
        instant("metrology_since", null=True),
        unique("station_id", "number"),
        unique("code"),
        refers("station_id", "stations"),
        # A driver scans the code before anybody knows the operator: an exception of RULES §9.
        Index("ix_evses_code", "code"),
        key=("evse_id",),
    ),
    Evse,
)

CONNECTORS = Mapping(
    table(
        "connectors",
        text("evse_id"),
        whole("number"),
        text("status"),
        text("error_code", null=True),
        instant("occurred_at"),
        instant("received_at"),
        refers("evse_id", "evses"),
        key=("evse_id", "number"),
    ),
    Connector,
)

CONNECTOR_STATES = Mapping(
    table(
        "connector_states",
        text("evse_id"),
        whole("number"),
        instant("occurred_at"),
        text("status"),
        text("error_code", null=True),
        instant("received_at"),
        text("frame_id", null=True),
        refers("evse_id", "evses"),
        index("evse_id", "occurred_at"),
        key=("evse_id", "number", "occurred_at", "status"),
    ),
    ConnectorState,
)

EVSE_ROLES = Mapping(
    table(
        "evse_roles",
        text("evse_id"),
        choice("role", Role),
        instant("valid_from"),
        text("party_id"),
        instant("valid_to", null=True),
        refers("evse_id", "evses"),
        refers("party_id", "parties"),
        key=("evse_id", "role", "valid_from"),
    ),
    EvseRole,
)

WEB_CODES = Mapping(
    table(
        "web_codes",
        text("evse_id"),
        whole("generation"),
        whole("validity_seconds"),
        whole("length"),
        whole("last_window"),
        instant("created_at"),
        version(),
        refers("evse_id", "evses"),
        key=("evse_id",),
    ),
    WebCode,
)

IS_ROUTINE = (
    "name IN ('CostUpdated', 'DataTransfer', 'GetConfiguration', 'GetVariables', 'GetLocalListVersion', 'GetTariffs')"
)
"""What displays are told, and what every station is asked in every night."""

TOLD_BY_PERSONS = (
    "name IN ('SetChargingProfile', 'ClearChargingProfile', 'GetCompositeSchedule', 'GetChargingProfiles', "
    "'SetDisplayMessage', 'ClearDisplayMessage', 'GetDisplayMessages')"
)
"""What a station was told about its power and its display: what it has now follows from these."""

ABOUT_MONITORS = "name IN ('GetMonitoringReport', 'SetVariableMonitoring')"
"""What an alarm's severity is looked up in."""

STATION_COMMANDS = Mapping(
    table(
        "station_commands",
        text("command_id"),
        text("station_id"),
        choice("action", Action),
        json_text("payload"),
        choice("state", CommandState),
        text("evse_id", null=True),
        text("session_id", null=True),
        text("payment_id", null=True),
        whole("remote_start_id", null=True),
        instant("requested_at"),
        instant("deadline_at"),
        instant("ended_at", null=True),
        text("reason", null=True),
        text("requested_by"),
        text("name", null=True),
        whole("request_number", null=True),
        instant("sent_at", null=True),
        instant("answered_at", null=True),
        json_text("answer", null=True),
        version(),
        refers("station_id", "stations"),
        unique("station_id", "remote_start_id"),
        index("station_id", "request_number"),
        index("station_id", "requested_at"),
        index("station_id", "command_id"),
        index("state", "deadline_at"),
        index("state", "command_id"),
        index("payment_id"),
        # Most commands are of this kind, and only these are thinned out.
        partial_index("ix_station_commands_routine", "operator_id", "command_id", where=sql(IS_ROUTINE)),
        partial_index(
            "ix_station_commands_told", "operator_id", "station_id", "command_id", where=sql(TOLD_BY_PERSONS)
        ),
        partial_index(
            "ix_station_commands_monitors", "operator_id", "station_id", "requested_at", where=sql(ABOUT_MONITORS)
        ),
        key=("command_id",),
    ),
    StationCommand,
)
