"""Pure: what goes over the control socket: one line of JSON asks, one line of JSON answers."""

from __future__ import annotations

from typing import Any

import msgspec

from tallywatt.kernel import errors
from tallywatt.kernel.errors import BadInput, Broken, TallywattError

LONGEST_LINE = 4 * 1024 * 1024
"""A whole tariff or a bundle of sessions fits; something that never ends does not."""


class Request(msgspec.Struct, frozen=True):
    """A workflow by its name, its command as JSON, and on whose behalf it runs."""

    workflow: str
    command: Any
    operator: str
    actor: str


class Failure(msgspec.Struct, frozen=True):
    """An error as it travels: its class, its code, its sentence, and what to do about it."""

    kind: str
    code: str
    message: str
    remedy: str | None = None


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """The result as JSON, or the failure."""

    result: Any = None
    failure: Failure | None = None


_encoder = msgspec.json.Encoder()
_requests = msgspec.json.Decoder(Request)
_replies = msgspec.json.Decoder(Reply)


def write_line(words: Request | Reply) -> bytes:
    """The words as a line."""
    return _encoder.encode(words) + b"\n"


def read_request(line: bytes) -> Request:
    """The request in a line; BadInput when it is none."""
    try:
        return _requests.decode(line)
    except msgspec.DecodeError as error:
        msg = f"that is no request: {error}"
        raise BadInput(msg, code="control.unreadable") from error


def read_reply(line: bytes) -> Any:
    """The result in a line; what failed over there is raised here."""
    try:
        reply = _replies.decode(line)
    except msgspec.DecodeError as error:
        msg = "the running server gave half an answer; whether it did the work is not known"
        remedy = "look whether it was done, then run the command again: the same thing is never added twice"
        raise Broken(msg, code="control.lost_answer", remedy=remedy) from error
    if reply.failure is not None:
        raise as_error(reply.failure)
    return reply.result


def as_plain(value: Any) -> Any:
    """A workflow's result as it is after it went over the socket: rows as objects, lists as lists."""
    return msgspec.json.decode(_encoder.encode(value))


def as_failure(error: TallywattError) -> Failure:
    """An error, ready to travel."""
    return Failure(type(error).__name__, error.code, error.message, error.remedy)


def as_error(failure: Failure) -> TallywattError:
    """The error that travelled, of its own class where we know it."""
    kind = getattr(errors, failure.kind, Broken)
    known = isinstance(kind, type) and issubclass(kind, TallywattError)
    return (kind if known else Broken)(failure.message, code=failure.code, remedy=failure.remedy)
