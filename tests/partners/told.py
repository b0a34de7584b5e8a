"""Whether events that really happened are told as the catalogue says."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from tallywatt.adapters.storage.sequencer import events_after
from tallywatt.partners.catalogue import EVENT_TYPES, INTERNAL, EventType, body_of, told_as

if TYPE_CHECKING:
    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.kernel.events import RecordedEvent


@cache
def schema_of(type_: str, schema_version: int) -> Any:
    """The validator of a message."""
    [kind] = [one for one in EVENT_TYPES if (one.type, one.schema_version) == (type_, schema_version)]
    return jsonschema_rs.validator_for(kind.schema, validate_formats=True)


def misfits(recorded: RecordedEvent) -> list[str]:
    """What is wrong with how an event is told."""
    event = recorded.event
    if event.type in INTERNAL:
        return []
    kind = told_as(event)
    if kind is None:
        return [f"{event.type} {event.schema_version} is neither in the catalogue nor in its list of internal events"]
    wrong = [f"{kind.type}: {key} is neither told nor withheld" for key in unknown_keys(kind, event.data)]
    if kind.aggregate != event.aggregate:
        wrong.append(f"{kind.type} is about a {kind.aggregate}, and {event.aggregate} was written")
    message = json.loads(body_of(recorded, kind))
    errors = schema_of(kind.type, kind.schema_version).iter_errors(message)
    return wrong + [f"{kind.type} {error.instance_path}: {error.message}" for error in errors]


def unknown_keys(kind: EventType, data: Any) -> set[str]:
    """Keys of an event that the catalogue says nothing about."""
    return set(data) - {field.key for field in kind.fields} - set(kind.withheld)


def told_wrongly(connection: Connection) -> list[str]:
    """What is wrong with how the events of a database are told."""
    found: list[str] = []
    position = 0
    while events := events_after(connection, position):
        position = events[-1].position
        for one in events:
            found += misfits(one)
    return found
