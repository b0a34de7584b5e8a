"""Pure: what stations say on the side: events of monitors, a maker's own words, limits from elsewhere.

None of it is money or energy. It is kept for whoever looks after stations, hidden like the message log, until its days end.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.card_numbers import hide_card_numbers
from tallywatt.kernel.identity import natural_key
from tallywatt.stations.traffic import without_what_opens

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import FrameId, StationId

MOST: Final = 100
"""Of one message; the others are in its sealed frame."""
LONGEST_SUBJECT: Final = 200
LONGEST_VALUE: Final = 500
LONGEST_DETAIL: Final = 2000
LARGEST_EVSE: Final = 65_535
ALARM: Final = "Alerting"
"""The word of OCPP for a value that has left its bounds."""
WORST: Final = 4
"""Severities from 0 (danger) to 4 (error) come before a person; 5 (alert) to 9 (debug) are listed."""
LEAST: Final = 9
MINUTE_MS: Final = 60_000
ASK_MONITORS: Final = "GetMonitoringReport"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that a station has said."""

    message: str
    """NotifyEvent, DataTransfer …"""
    subject: str
    """What it is about: Component.Variable, vendor and message of a data transfer, who limits."""
    kind: str | None
    """Alerting, Delta, Periodic; None: a message that knows no such word."""
    at: str | None
    """As the station says it; None: it says none."""
    severity: int | None
    is_cleared: bool
    evse: int
    """0: the whole station."""
    value: str | None
    detail: str | None
    number: int | None = None
    """The station's number of the event."""
    monitor: int | None = None
    """The monitor that has seen it, by the station's number: it knows how bad that is where the event does not say."""

    @property
    def is_alarm(self) -> bool:
        """Whether a person should look. In 2.0.1 only the monitor knows how bad it is."""
        return self.kind == ALARM and not self.is_cleared and (self.severity is None or self.severity <= WORST)

    def key(self, received_at: Instant) -> str:
        """The same notice again is the same row; what names no time of its own is the same within a minute."""
        when = self.at if self.at is not None else received_at // MINUTE_MS
        return natural_key(self.message, self.subject, self.kind, when, self.number, self.value, self.detail, self.evse)


@dataclass(frozen=True, slots=True)
class StationNotice:
    """A notice as it is kept."""

    station_id: StationId
    notice_key: str
    message: str
    subject: str
    kind: str | None
    severity: int | None
    is_cleared: bool
    evse: int
    value: str | None
    detail: str | None
    occurred_at: Instant
    """The station's clock; when it was received, where the station names no time."""
    received_at: Instant
    frame_id: FrameId


NOTICES: Final = {
    "ClearedChargingLimit": "chargingLimitSource",
    "ClosePeriodicEventStream": "id",
    "DataTransfer": "vendorId",
    "NotifyChargingLimit": "chargingLimit",
    "NotifyDERAlarm": "controlType",
    "NotifyDERStartStop": "controlId",
    "NotifyEVChargingNeeds": "chargingNeeds",
    "NotifyEVChargingSchedule": "timeBase",
    "NotifyEvent": "eventData",
    "NotifyPriorityCharging": "transactionId",
}
"""Messages that are notices, each with the field that says what it is about."""


def notices_of(message: str, told: Mapping[str, Any]) -> list[Notice]:
    """What a message says; nothing where it says nothing that can be read."""
    found = _events(told) if message == "NotifyEvent" else _one(message, told)
    return [one for one, _ in zip(found, range(MOST), strict=False)]


def _events(told: Mapping[str, Any]) -> Iterator[Notice]:
    events = told.get("eventData")
    for one in events if isinstance(events, list) else ():
        if not isinstance(one, dict):
            continue
        component, variable = _object(one.get("component")), _object(one.get("variable"))
        names = [_text(component.get("name")), _text(component.get("instance"))]
        names += [_text(variable.get("name")), _text(variable.get("instance"))]
        code, info = _text(one.get("techCode")), _text(one.get("techInfo"))
        yield Notice(
            message="NotifyEvent",
            subject=".".join(each for each in names if each)[:LONGEST_SUBJECT] or "?",
            kind=_text(one.get("trigger"))[:20] or None,
            at=_text(one.get("timestamp")) or None,
            severity=_whole(one.get("severity"), LEAST),
            is_cleared=one.get("cleared") is True,
            evse=_whole(_object(component.get("evse")).get("id"), LARGEST_EVSE) or 0,
            value=_shown(one.get("actualValue"), LONGEST_VALUE),
            detail=_shown(" ".join(each for each in (code, info) if each), LONGEST_DETAIL),
            number=_whole(one.get("eventId"), 2**31 - 1),
            monitor=_whole(one.get("variableMonitoringId"), 2**31 - 1),
        )


def severities_of(told: Mapping[str, Any]) -> dict[int, int]:
    """How bad it is what each monitor watches for, by a part of NotifyMonitoringReport or SetVariableMonitoring's answer."""
    found: list[Any] = []
    for one in _objects(told.get("monitor")):
        found += _objects(one.get("variableMonitoring"))
    found += _objects(told.get("setMonitoringResult"))
    known = ((one.get("id"), _whole(one.get("severity"), LEAST)) for one in found)
    return {monitor: severity for monitor, severity in known if isinstance(monitor, int) and severity is not None}


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _one(message: str, told: Mapping[str, Any]) -> Iterator[Notice]:
    about = told.get(NOTICES[message])
    if isinstance(about, dict):
        about = about.get("chargingLimitSource") or about.get("requestedEnergyTransfer")
    subject = _plain(about)
    if message == "DataTransfer":
        subject = f"{subject} {_plain(told.get('messageId'))}".strip()
    is_alarm = message == "NotifyDERAlarm"
    rest = {name: value for name, value in told.items() if name not in {NOTICES[message], "timestamp", "messageId"}}
    if isinstance(told.get(NOTICES[message]), dict):
        rest = {**rest, NOTICES[message]: told[NOTICES[message]]}
    data = rest.pop("data", None) if message == "DataTransfer" else None
    yield Notice(
        message=message,
        subject=subject[:LONGEST_SUBJECT] or "?",
        kind=ALARM if is_alarm else None,
        at=_text(told.get("timestamp")) or None,
        severity=None,
        is_cleared=is_alarm and told.get("alarmEnded") is True,
        evse=_whole(told.get("evseId"), LARGEST_EVSE) or 0,
        value=_shown(data, LONGEST_DETAIL),
        detail=_shown(rest, LONGEST_DETAIL) if rest else None,
    )


def _shown(value: Any, longest: int) -> str | None:
    """A value as it may be kept: cards, keys and passwords hidden, in JSON and in JSON within a text."""
    if value is None or value == "":
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
    return without_what_opens(text.encode("utf-8", "replace"))[:longest]


def _plain(value: Any) -> str:
    return "" if value is None or isinstance(value, (dict, list)) else str(value)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    """Each by itself: two that are joined afterwards would make a number that nobody knows."""
    return hide_card_numbers(value)[0] if isinstance(value, str) else ""


def _whole(value: Any, most: int) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most else None
