"""Pure: OCPP-J framing, with the two kinds of frame that 2.1 adds: read strictly in one go, or part by part with patience."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from tallywatt.adapters.ocpp.reading import NOT_STRICT, NoObject, loose

CALL = 2
CALL_RESULT = 3
CALL_ERROR = 4
CALL_RESULT_ERROR = 5
SEND = 6
LARGEST_MESSAGE = 1024 * 1024

UNKNOWN_ID = b'"-1"'
"""What OCPP 2.0.1 writes where the id of a message cannot be read."""

_NUL = b"\\u0000"
_EMPTY = msgspec.Raw(b"{}")
_NOTHING_SAID = msgspec.Raw(b'""')

_encode = msgspec.json.encode


class Call(msgspec.Struct, array_like=True, tag=CALL):
    """A request. Some stations leave an empty payload out."""

    message_id: str
    action: str
    payload: msgspec.Raw = _EMPTY


class CallResult(msgspec.Struct, array_like=True, tag=CALL_RESULT):
    """The answer to a request of ours."""

    message_id: str
    payload: msgspec.Raw = _EMPTY


class CallError(msgspec.Struct, array_like=True, tag=CALL_ERROR):
    """The refusal of a request of ours."""

    message_id: str
    code: str = "GenericError"
    description: msgspec.Raw = _NOTHING_SAID
    details: msgspec.Raw = _EMPTY


class CallResultError(msgspec.Struct, array_like=True, tag=CALL_RESULT_ERROR):
    """OCPP 2.1: our answer to a request could not be used."""

    message_id: str
    code: str = "GenericError"
    description: msgspec.Raw = _NOTHING_SAID
    details: msgspec.Raw = _EMPTY


class Send(msgspec.Struct, array_like=True, tag=SEND):
    """OCPP 2.1: something told for which no answer is wanted, nor allowed."""

    message_id: str
    action: str
    payload: msgspec.Raw = _EMPTY


@dataclass(frozen=True, slots=True)
class Broken:
    """A message that is not well formed, with what could be read of it."""

    kind: int | None
    """The message type id: 2 for a request; None when not even that can be read."""
    id_text: bytes | None
    """The message id as JSON, to be sent back as it came."""
    message_id: str
    action: str | None
    payload: msgspec.Raw | None
    """The payload, when kindness could read it; else the message is not JSON, or holds none."""


Message: TypeAlias = Call | CallResult | CallError | CallResultError | Send | Broken

_decode = msgspec.json.Decoder(Call | CallResult | CallError | CallResultError | Send).decode

# An id is a string of bounded length, or a number as some stations write it; the action is a word.
_BEGINNING = re.compile(
    rb'\s*\[\s*(-?\d{1,9})\s*(?:,\s*("(?:[^"\\]|\\.){0,255}"|-?\d{1,18})\s*(?:,\s*"([A-Za-z0-9]{1,64})")?)?'
)


def read(text: bytes) -> Message:
    """The message of a text; a `Broken` when it is not well formed. Never raises."""
    if _NUL in text:
        # No database keeps it in a text. The text as received is kept with the fact.
        text = text.replace(_NUL, b"")
    try:
        message: Call | CallResult | CallError | CallResultError | Send = _decode(text)
    except NOT_STRICT:
        return _broken(text)
    return message


def _broken(text: bytes) -> Broken:
    beginning = _BEGINNING.match(text)
    if beginning is None:
        return Broken(None, None, "", None, None)
    kind, id_text, action = beginning.groups()
    if id_text is not None:
        id_text = _as_json(id_text)
    payload = _payload_of(text) if int(kind) in (CALL, SEND) and action else None
    return Broken(int(kind), id_text, _readable(id_text), action.decode("ascii") if action else None, payload)


def _as_json(id_text: bytes) -> bytes:
    """An id that can stand in an answer as it came; else its letters: a station closes its socket at what is no JSON."""
    try:
        msgspec.json.decode(id_text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _encode(id_text.decode("utf-8", "replace").strip('"'))
    return id_text


def _payload_of(text: bytes) -> msgspec.Raw | None:
    """The payload of a message that is JSON, but for its letters or its id."""
    try:
        parts = loose(text)
    except NoObject:
        return None
    if not isinstance(parts, list) or len(parts) < 4:
        return None
    # Written again, because the letters were replaced; Decimals go out as texts, which is how the kind reader takes them.
    return msgspec.Raw(_encode(parts[3]))


def _readable(id_text: bytes | None) -> str:
    if id_text is None:
        return ""
    return id_text.decode("utf-8", "replace").strip('"').replace("\0", "")


def answer(message_id: str | bytes, payload: bytes) -> bytes:
    """A CALLRESULT. An id in bytes is JSON already."""
    id_text = message_id if isinstance(message_id, bytes) else _encode(message_id)
    return b"[3,%b,%b]" % (id_text, payload)


def refusal(message_id: str | bytes, code: str, why: str = "") -> bytes:
    """A CALLERROR. An id in bytes is JSON already."""
    id_text = message_id if isinstance(message_id, bytes) else _encode(message_id)
    return b"[4,%b,%b,%b,{}]" % (id_text, _encode(code), _encode(why[:255]))


def bad_result(message_id: str, code: str, why: str = "") -> bytes:
    """A CALLRESULTERROR of ours."""
    return b"[5,%b,%b,%b,{}]" % (_encode(message_id), _encode(code), _encode(why[:255]))


def request(message_id: str, action: str, payload: bytes) -> bytes:
    """A CALL of ours."""
    return b"[2,%b,%b,%b]" % (_encode(message_id), _encode(action), payload)
