"""Pure: messages of stations that follow what they were asked for, and those about their safety, in all versions alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallywatt.adapters.ocpp.facts import Fact, acknowledged
from tallywatt.adapters.ocpp.reading import LONGEST_TEXT, SCHEMA, NoObject, loose, time_of
from tallywatt.metering.facts import Noticed, Reported, ReservationTold, SecurityTold, SigningAsked
from tallywatt.stations.certificates import OWN_KIND
from tallywatt.stations.messages import FOLLOWING, MESSAGES
from tallywatt.stations.notices import NOTICES, notices_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import msgspec

    from tallywatt.adapters.ocpp.facts import Incoming

LARGEST_PART = 9_999
"""A station that counts further is not believed."""
LARGEST_NUMBER = 2**31 - 1
_REPORTS = frozenset(one.report for one in MESSAGES.values() if one.report is not None)
SIGN = "SignCertificate"
RESERVATION = "ReservationStatusUpdate"
SECURITY_EVENT = "SecurityEventNotification"
CHECKED = (FOLLOWING - _REPORTS) | {SECURITY_EVENT, SIGN, RESERVATION} | NOTICES.keys()
"""Refused when they break their schema. A report is taken: one value that is too long is no reason to lose all others."""


def following(*names: str) -> dict[str, Callable[[Incoming, msgspec.Raw], Fact]]:
    """The readers of these messages, by their names."""
    known = {
        **dict.fromkeys(FOLLOWING, reported),
        SECURITY_EVENT: security_event,
        SIGN: sign_certificate,
        RESERVATION: reservation,
    }
    return {name: known[name] for name in names}


def reported(incoming: Incoming, payload: msgspec.Raw) -> Fact:
    """A part of a report, or a step of what the station was asked for."""
    told, flags = _object(payload), list[str]()
    is_report = incoming.action in _REPORTS
    status = told.get("status")
    if not is_report and not isinstance(status, str):
        raise NoObject
    number = _whole(told.get("seqNo"), LARGEST_PART) if is_report else 0
    request = _whole(told.get("requestId"), LARGEST_NUMBER)
    if is_report and (number is None or request is None):
        flags.append(SCHEMA)
    fact = Reported(
        incoming.heard(flags),
        incoming.action,
        request,
        number or 0,
        is_last=is_report and told.get("tbc") is not True,
        status=None if is_report else str(status)[:64],
        content=told,
    )
    return Fact("report", fact, acknowledged)


def noticing(answer: bytes, *names: str) -> dict[str, Callable[[Incoming, msgspec.Raw], Fact]]:
    """The readers of messages that are only said, with what all of them are answered."""

    def noticed(incoming: Incoming, payload: msgspec.Raw) -> Fact:
        fact = Noticed(incoming.heard([]), tuple(notices_of(incoming.action, _object(payload))))
        return Fact("notice", fact, lambda _, __: answer)

    return dict.fromkeys(names, noticed)


def security_event(incoming: Incoming, payload: msgspec.Raw) -> Fact:
    """SecurityEventNotification; the same in all versions."""
    told, flags = _object(payload), list[str]()
    kind, detail = told.get("type"), told.get("techInfo")
    if not isinstance(kind, str) or not kind:
        raise NoObject
    at = time_of(str(told.get("timestamp") or ""), incoming.received_at, flags)
    fact = SecurityTold(
        incoming.heard(flags), at, kind[:50], detail[:LONGEST_TEXT] if isinstance(detail, str) else None
    )
    return Fact("security", fact, acknowledged)


def sign_certificate(incoming: Incoming, payload: msgspec.Raw) -> Fact:
    """SignCertificate; 1.6 knows one kind of it."""
    told, flags = _object(payload), list[str]()
    request, kind = told.get("csr"), told.get("certificateType") or OWN_KIND
    if not isinstance(request, str) or not isinstance(kind, str):
        raise NoObject
    number = _whole(told.get("requestId"), LARGEST_NUMBER)
    fact = SigningAsked(incoming.heard(flags), request, kind[:50], number)
    return Fact("sign", fact, lambda taken, _: b'{"status":"%b"}' % (b"Accepted" if taken else b"Rejected"))


def reservation(incoming: Incoming, payload: msgspec.Raw) -> Fact:
    """ReservationStatusUpdate of OCPP 2.x."""
    told = _object(payload)
    number, status = _whole(told.get("reservationId"), LARGEST_NUMBER), told.get("reservationUpdateStatus")
    if number is None or not isinstance(status, str):
        raise NoObject
    return Fact("reservation", ReservationTold(incoming.heard([]), number, status[:50]), acknowledged)


def _object(payload: msgspec.Raw) -> dict[str, Any]:
    """The payload as plain JSON: exact fractions as texts, for none of them is counted with."""
    told = _plain(loose(bytes(payload)))
    if not isinstance(told, dict):
        raise NoObject
    return told


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {name: _plain(one) for name, one in value.items()}
        case list():
            return [_plain(one) for one in value]
        case str():
            return value.replace("\0", "").encode("utf-8", "replace").decode()
        case bool() | int() | None:
            return value
        case _:
            return str(value)


def _whole(value: Any, most: int) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most else None
