"""Tables of what stations tell beyond their sessions: parts of reports, their configuration, events of security."""

from __future__ import annotations

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import (
    blob,
    flag,
    index,
    instant,
    json_text,
    refers,
    table,
    text,
    texts,
    version,
    whole,
)
from tallywatt.stations.notices import StationNotice
from tallywatt.stations.reports import SecurityEvent, StationReport, Variable
from tallywatt.stations.traffic import MessageChunk

STATION_REPORTS = Mapping(
    table(
        "station_reports",
        text("command_id"),
        text("report_key"),
        text("message"),
        whole("number"),
        flag("is_last"),
        text("status", null=True),
        json_text("content", null=True),
        instant("received_at"),
        text("frame_id"),
        refers("command_id", "station_commands"),
        key=("command_id", "report_key"),
        # A profile or a display text may name a card.
        personal="command",
    ),
    StationReport,
)

STATION_VARIABLES = Mapping(
    table(
        "station_variables",
        text("station_id"),
        text("component"),
        text("component_instance"),
        whole("evse"),
        whole("connector"),
        text("name"),
        text("instance"),
        text("attribute"),
        text("value", null=True),
        flag("is_writable", null=True),
        instant("told_at"),
        version(),
        refers("station_id", "stations"),
        key=("station_id", "component", "component_instance", "evse", "connector", "name", "instance", "attribute"),
    ),
    Variable,
)

SECURITY_EVENTS = Mapping(
    table(
        "security_events",
        text("station_id"),
        text("event_key"),
        text("kind"),
        instant("occurred_at"),
        instant("received_at"),
        text("detail", null=True),
        text("frame_id"),
        refers("station_id", "stations"),
        index("received_at", "event_key"),
        index("station_id", "received_at", "event_key"),
        key=("station_id", "event_key"),
    ),
    SecurityEvent,
)

STATION_NOTICES = Mapping(
    table(
        "station_notices",
        text("station_id"),
        text("notice_key"),
        text("message"),
        text("subject"),
        text("kind", null=True),
        whole("severity", null=True),
        flag("is_cleared"),
        whole("evse"),
        text("value", null=True),
        text("detail", null=True),
        instant("occurred_at"),
        instant("received_at"),
        text("frame_id"),
        refers("station_id", "stations"),
        index("received_at", "notice_key"),
        index("station_id", "received_at", "notice_key"),
        key=("station_id", "notice_key"),
        # Cards and keys are hidden before it is written; a maker's own words may still name somebody.
        personal="traffic",
    ),
    StationNotice,
)

MESSAGE_CHUNKS = Mapping(
    table(
        "message_chunks",
        text("chunk_id"),
        text("station_id"),
        instant("first_at"),
        instant("last_at"),
        whole("messages"),
        texts("actions"),
        texts("transactions"),
        text("key_id"),
        blob("sealed"),
        refers("station_id", "stations"),
        index("station_id", "last_at", "chunk_id"),
        key=("chunk_id",),
        # Cards and keys are hidden before it is written; a maker's own words may still name somebody.
        personal="traffic",
    ),
    MessageChunk,
)
