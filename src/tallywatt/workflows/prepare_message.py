"""A message by its own name, made ready: known, said in the station's version, without keys, with a number if it needs one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallywatt.kernel.errors import BadInput, Conflict
from tallywatt.stations.configuration import names_secret
from tallywatt.stations.messages import MESSAGES, PROTOCOLS

if TYPE_CHECKING:
    from tallywatt.stations.messages import Message
    from tallywatt.stations.station import Station
    from tallywatt.workflows.ports import UnitOfWork

LARGEST_NUMBER = 2**31 - 1


def message_named(name: str, protocol: str | None) -> Message:
    """The message that may be sent in this version; BadInput with what to do instead. None: the version is not known yet."""
    message = MESSAGES.get(name)
    if message is None:
        msg = f"{name!r} is not a message that a platform sends"
        raise BadInput(msg, code="stations.no_such_message", remedy="list them: tallywatt station messages")
    if message.by_action is not None:
        msg = f"{name} is not sent by its name: a session follows from it"
        raise BadInput(msg, code="stations.use_action", remedy=f"use the action {message.by_action!r}")
    if protocol in PROTOCOLS and protocol not in message.protocols:
        msg = f"{protocol} has no {name}"
        other = MESSAGES.get(message.instead or "")
        does = other is not None and protocol in other.protocols
        remedy = f"use {message.instead}" if does else f"it needs {' or '.join(message.protocols)}"
        raise BadInput(msg, code="stations.not_in_version", remedy=remedy)
    return message


def prepare_message(
    work: UnitOfWork, station: Station, payload: dict[str, Any]
) -> tuple[Message, dict[str, Any], int | None]:
    """The message, what it will say, and the number under which the station reports."""
    name, content = payload.get("name"), payload.get("content", {})
    if not isinstance(name, str) or not isinstance(content, dict):
        msg = "a message needs its name and an object as its content"
        raise BadInput(msg, code="stations.no_such_message", remedy="list them: tallywatt station messages")
    message = message_named(name, station.protocol)
    if names_secret(content):
        msg = f"this {name} would write a key in clear words"
        raise BadInput(
            msg,
            code="stations.key_in_message",
            remedy="for its own key: tallywatt station key --replace; commands are kept and shown",
        )
    if not message.numbered or (station.protocol in PROTOCOLS and station.protocol not in message.numbered):
        return message, {"name": name, "content": content}, None
    number = _number(work, station, content)
    return message, {"name": name, "content": {**content, "requestId": number}}, number


def _number(work: UnitOfWork, station: Station, content: dict[str, Any]) -> int:
    given = content.get("requestId")
    if given is None:
        drawn = int(work.draw.id("request").replace("-", "")[-8:], 16)
        return max(1, drawn & LARGEST_NUMBER)
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= LARGEST_NUMBER:
        msg = "a requestId is a whole number of 31 bits"
        raise BadInput(msg, code="stations.bad_content", remedy="leave it out: one is drawn")
    if work.station_commands.by(station_id=station.station_id, request_number=given):
        msg = f"the requestId {given} was used at this station before"
        raise Conflict(msg, code="stations.request_id_taken", remedy="leave it out: one is drawn")
    return given
