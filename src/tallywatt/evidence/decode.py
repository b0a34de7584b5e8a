"""Pure: an auditor's own reading of raw OCPP-J frames: what a meter said, and nothing else.

It shares no code with the adapter that reads the same frames for billing: a mistake there is meant to be found here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from tallywatt.kernel.clock import Instant, parse_instant
from tallywatt.kernel.energy import LARGEST_FIGURE
from tallywatt.kernel.errors import BadInput

BEGIN, END = "Transaction.Begin", "Transaction.End"
MILLIWATT_HOURS = {"wh": 1000, "kwh": 1_000_000}
LONGEST_FIGURE = 32
"""Characters of a figure: a register has a dozen, and a text can name a number that fills the memory."""


class Kind(StrEnum):
    """What a frame is about, as far as energy goes."""

    START = "start"
    VALUES = "values"
    STOP = "stop"


class Point(NamedTuple):
    """A register at a moment, in milliwatt-hours."""

    at: Instant
    register: int
    context: str


@dataclass(frozen=True, slots=True)
class RawFrame:
    """A frame as it was received, opened."""

    frame_id: str
    station_id: str
    protocol: str
    action: str
    received_at: Instant
    text: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """What a frame says about energy."""

    frame_id: str
    station_id: str
    received_at: Instant
    kind: Kind
    at: Instant
    transaction: str | None
    """None for a start of OCPP 1.6, which does not know its number yet, and for values outside of a transaction."""
    evse: int | None
    token: str | None
    register: int | None
    """What a start or a stop gives as its own register."""
    points: tuple[Point, ...]

    @property
    def content(self) -> tuple[object, ...]:
        """What is the same in a resend, whatever its message id."""
        if self.transaction is not None:
            return (self.station_id, self.kind, self.transaction)
        return (self.station_id, self.kind, self.evse, self.token, self.at, self.register)


ENERGY_ACTIONS = ("StartTransaction", "StopTransaction", "MeterValues", "TransactionEvent")
"""Actions that carry energy; others are no business of the audit."""


def decode(frame: RawFrame, clock_floor: Instant) -> Told | None:
    """What the frame says, or None when it cannot be read. Times before the floor come from a clock that is not set."""
    try:
        text = frame.text.decode("utf-8", "replace")
        payload = json.loads(text, parse_float=Decimal, parse_constant=str, strict=False)[3]
    except (ValueError, LookupError, TypeError, RecursionError, ArithmeticError):
        return None
    if not isinstance(payload, dict):
        return None
    reading = _Reading(frame, clock_floor)
    read = {
        "StartTransaction": reading.start,
        "StopTransaction": reading.stop,
        "MeterValues": reading.values,
        "TransactionEvent": reading.event,
    }[frame.action]
    return read(payload)


class _Reading:
    """One frame while it is read."""

    def __init__(self, frame: RawFrame, clock_floor: Instant) -> None:
        self._frame = frame
        self._floor = clock_floor

    def start(self, payload: dict[str, Any]) -> Told:
        told = self._time(payload.get("timestamp"))
        token = payload.get("idTag")
        register = _figure(payload.get("meterStart"), 1000)
        return self._told(
            Kind.START, told, None, _whole(payload.get("connectorId")), _token(token), register, (),
        )  # fmt: skip

    def stop(self, payload: dict[str, Any]) -> Told | None:
        transaction = payload.get("transactionId")
        if _whole(transaction) is None:
            return None
        at = self._time(payload.get("timestamp"))
        points = self._points(payload.get("transactionData"), received=at < self._floor)
        register = _figure(payload.get("meterStop"), 1000)
        return self._told(Kind.STOP, at, str(_whole(transaction)), None, None, register, points)

    def values(self, payload: dict[str, Any]) -> Told:
        transaction = _whole(payload.get("transactionId"))
        place = _whole(payload.get("connectorId", payload.get("evseId")))
        points = self._points(payload.get("meterValue"))
        at = max((one.at for one in points), default=self._frame.received_at)
        known = str(transaction) if transaction is not None and transaction > 0 else None
        return self._told(Kind.VALUES, at, known, place, None, None, points)

    def event(self, payload: dict[str, Any]) -> Told | None:
        info = payload.get("transactionInfo")
        kind = {"Started": Kind.START, "Updated": Kind.VALUES, "Ended": Kind.STOP}.get(str(payload.get("eventType")))
        if kind is None or not isinstance(info, dict) or not info.get("transactionId"):
            return None
        at = self._time(payload.get("timestamp"))
        points = self._points(payload.get("meterValue"), received=kind is Kind.STOP and at < self._floor)
        evse, token = payload.get("evse"), payload.get("idToken")
        return self._told(
            kind,
            at,
            str(info["transactionId"]),
            _whole(evse.get("id")) if isinstance(evse, dict) else None,
            _token(token.get("idToken")) if isinstance(token, dict) else None,
            _own_register(kind, points),
            points,
        )

    def _told(  # one argument a field
        self,
        kind: Kind,
        at: Instant,
        transaction: str | None,
        evse: int | None,
        token: str | None,
        register: int | None,
        points: tuple[Point, ...],
    ) -> Told:
        frame = self._frame
        return Told(
            frame.frame_id, frame.station_id, frame.received_at, kind, at, transaction, evse, token, register, points
        )

    def _time(self, text: object) -> Instant:
        try:
            return parse_instant(str(text))
        except BadInput:
            return self._frame.received_at

    def _points(self, told: object, *, received: bool = False) -> tuple[Point, ...]:
        found: list[Point] = []
        for one in told if isinstance(told, list) else []:
            if not isinstance(one, dict):
                continue
            at = self._time(one.get("timestamp"))
            if received or at < self._floor:
                at = self._frame.received_at
            found += [Point(at, register, context) for context, register in _registers(one.get("sampledValue")).items()]
        return tuple(found)


def _registers(told: object) -> dict[str, int]:
    """The register of each context: at the outlet if it is told there, before the charger only where nothing else is."""
    at_outlet: dict[str, int] = {}
    before_charger: dict[str, int] = {}
    for value in told if isinstance(told, list) else []:
        if not isinstance(value, dict) or value.get("phase") is not None or value.get("format") == "SignedData":
            continue
        if value.get("measurand", "Energy.Active.Import.Register") != "Energy.Active.Import.Register":
            continue
        where = value.get("location")
        register = _sampled(value)
        if register is None or where == "EV":
            continue
        (before_charger if where in {"Inlet", "Upstream"} else at_outlet).setdefault(
            str(value.get("context", "Sample.Periodic")), register
        )
    return {**before_charger, **at_outlet}


def _sampled(value: dict[str, Any]) -> int | None:
    unit, shift = value.get("unit"), 0
    described = value.get("unitOfMeasure")
    if isinstance(described, dict):
        unit, shift = described.get("unit"), _whole(described.get("multiplier")) or 0
    size = MILLIWATT_HOURS.get(str(unit or "Wh").lower())
    if size is None or abs(shift) > LONGEST_FIGURE:
        return None
    return _figure(value.get("value"), Decimal(size).scaleb(shift))


def _figure(told: object, size: int | Decimal) -> int | None:
    if isinstance(told, bool) or not isinstance(told, (int, str, Decimal)) or len(str(told)) > LONGEST_FIGURE:
        return None
    try:
        exact = Decimal(told)
        if not exact.is_finite() or abs(exact) >= LARGEST_FIGURE:
            return None
        return int((exact * size).to_integral_value(ROUND_HALF_EVEN))
    except ArithmeticError:
        return None


def _whole(told: object) -> int | None:
    if isinstance(told, bool) or not isinstance(told, (int, str, Decimal)) or len(str(told)) > LONGEST_FIGURE:
        return None
    try:
        return int(told)
    except (ValueError, ArithmeticError):
        return None


def _token(told: object) -> str | None:
    return str(told).strip().casefold() if told else None


def _own_register(kind: Kind, points: tuple[Point, ...]) -> int | None:
    """The register of an event of OCPP 2.x: the sample that says so itself, else the first of a start, the last of an end."""
    if kind is Kind.VALUES or not points:
        return None
    mine, other = (BEGIN, END) if kind is Kind.START else (END, BEGIN)
    said = [one for one in points if one.context == mine]
    left = [one for one in points if one.context != other]
    if said:
        return (said[0] if kind is Kind.START else said[-1]).register
    if not left:
        return None
    by_time = sorted(left, key=lambda one: one.at)
    return (by_time[0] if kind is Kind.START else by_time[-1]).register
