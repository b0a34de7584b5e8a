"""Pure: OCPP 1.6 in our words: its messages as facts, our commands as its messages."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from tallywatt.adapters.ocpp.facts import Dialect, Fact, Incoming, acknowledged, say_boot, unreadable
from tallywatt.adapters.ocpp.following import CHECKED, following, noticing
from tallywatt.adapters.ocpp.meter import UNREADABLE_VALUE, samples_at, signed_at
from tallywatt.adapters.ocpp.reading import SCHEMA, NoObject, Shape, time_of
from tallywatt.adapters.ocpp.saying import Unspeakable, message_of, number_of, of_evse
from tallywatt.kernel.energy import LARGEST_FIGURE, MILLIWATT_HOURS_PER_WH, milliwatt_hours
from tallywatt.kernel.errors import BadInput
from tallywatt.metering.facts import Booted, Sampled, Started, StatusChanged, Stopped, TokenShown
from tallywatt.stations.command import Action, StationCommand

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.metering.facts import Sample, SignedSample, TokenAnswer, TransactionAnswer

PROTOCOL = "ocpp1.6"

Name = Annotated[str, Meta(max_length=255)]
Token = Annotated[str, Meta(max_length=20)]
ConnectorId = Annotated[int, Meta(ge=0, le=65_535)]
WattHours = Annotated[int, Meta(ge=1 - LARGEST_FIGURE, le=LARGEST_FIGURE - 1)] | Decimal
"""A register in whole Wh; some stations write a fraction, which is kept and flagged."""
TransactionId = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


class SampledValue(msgspec.Struct, rename="camel"):
    """A figure and what it means; the figure is a text in 1.6."""

    value: str | None = None
    context: Name | None = None
    format: Name | None = None
    measurand: Name | None = None
    phase: Name | None = None
    location: Name | None = None
    unit: Name | None = None

    @property
    def figure(self) -> str | None:
        """What is signed is no figure."""
        return None if self.format == "SignedData" else self.value

    @property
    def in_unit(self) -> str | None:
        """The unit as written."""
        return self.unit

    @property
    def power_of_ten(self) -> int:
        """1.6 knows none."""
        return 0

    @property
    def signed(self) -> str | None:
        """In 1.6 the value itself."""
        return self.value if self.format == "SignedData" else None

    @property
    def delivered_key(self) -> str | None:
        """1.6 has no place for one but in the value."""
        return None


class MeterValue(msgspec.Struct, rename="camel"):
    """What was sampled at one moment."""

    timestamp: Name | None = None
    sampled_value: list[SampledValue] | None = None


class MeterValues(msgspec.Struct, rename="camel"):
    """Readings, within a transaction or not."""

    connector_id: ConnectorId | None = None
    transaction_id: TransactionId | None = None
    meter_value: list[MeterValue] | None = None


class StartTransaction(msgspec.Struct, rename="camel"):
    """A transaction has started."""

    connector_id: ConnectorId | None = None
    id_tag: Token | None = None
    meter_start: WattHours | None = None
    timestamp: Name | None = None
    reservation_id: TransactionId | None = None


class StopTransaction(msgspec.Struct, rename="camel"):
    """A transaction has ended."""

    transaction_id: TransactionId | None = None
    meter_stop: WattHours | None = None
    timestamp: Name | None = None
    id_tag: Token | None = None
    reason: Name | None = None
    transaction_data: list[MeterValue] | None = None


class StatusNotification(msgspec.Struct, rename="camel"):
    """A connector's status."""

    connector_id: ConnectorId | None = None
    error_code: Name | None = None
    status: Name | None = None
    timestamp: Name | None = None


class BootNotification(msgspec.Struct, rename="camel"):
    """The station has started. Too long a serial number is no reason to keep a station out."""

    charge_point_vendor: Name | None = None
    charge_point_model: Name | None = None
    charge_point_serial_number: Name | None = None
    charge_box_serial_number: Name | None = None
    firmware_version: Name | None = None


class Authorize(msgspec.Struct, rename="camel"):
    """May this token charge?"""

    id_tag: Token | None = None


_METER_VALUES = Shape(MeterValues, "connector_id", "meter_value")
_START = Shape(StartTransaction, "connector_id", "id_tag", "meter_start", "timestamp")
_STOP = Shape(StopTransaction, "transaction_id", "meter_stop", "timestamp")
_STATUS = Shape(StatusNotification, "connector_id", "error_code", "status")
_BOOT = Shape(BootNotification, "charge_point_vendor", "charge_point_model")
_AUTHORIZE = Shape(Authorize, "id_tag")


def _samples(values: list[MeterValue] | None, received_at: Instant, flags: list[str]) -> tuple[Sample, ...]:
    found: list[Sample] = []
    for one in values or ():
        at = time_of(one.timestamp or "", received_at, flags)
        found += samples_at(at, one.sampled_value or (), flags)
    return tuple(found)


def _signed(values: list[MeterValue] | None, received_at: Instant) -> tuple[SignedSample, ...]:
    found: list[SignedSample] = []
    for one in values or ():
        found += signed_at(time_of(one.timestamp or "", received_at, []), one.sampled_value or ())
    return tuple(found)


def _register(told: int | Decimal | None, flags: list[str]) -> int | None:
    """The register of a start or stop in milliwatt-hours."""
    if told is None or isinstance(told, int):
        return None if told is None else told * MILLIWATT_HOURS_PER_WH
    flags.append(SCHEMA)
    try:
        return milliwatt_hours(told, "Wh")
    except BadInput:
        flags.append(UNREADABLE_VALUE)
        return None


def meter_values(incoming: Incoming, payload: msgspec.Raw) -> Fact:
    """MeterValues."""
    flags: list[str] = []
    try:
        told = _METER_VALUES.read(payload, flags)
    except NoObject:
        return _unreadable(incoming, "the payload is not an object", None)
    samples = _samples(told.meter_value, incoming.received_at, flags)
    transaction_id = told.transaction_id
    command = Sampled(
        incoming.heard(flags),
        max(one.at for one in samples) if samples else incoming.received_at,
        told.connector_id,
        str(transaction_id) if transaction_id is not None and transaction_id > 0 else None,
        samples,
        signed=_signed(told.meter_value, incoming.received_at),
    )
    return Fact("sample", command, acknowledged)


def start_transaction(incoming: Incoming, payload: msgspec.Raw) -> Fact:
    """StartTransaction."""
    flags: list[str] = []
    try:
        told = _START.read(payload, flags)
    except NoObject:
        return _unreadable(incoming, "the payload is not an object", None)
    at = time_of(told.timestamp or "", incoming.received_at, flags)
    meter_start = _register(told.meter_start, flags)
    command = Started(
        heard=incoming.heard(flags),
        at=at,
        evse_number=told.connector_id,
        connector_number=1,  # what 1.6 calls a connector is an EVSE with one
        token_uid=told.id_tag,
        token_type=None,
        transaction_id=None,
        meter_start=meter_start,
        reservation_number=told.reservation_id,
    )
    return Fact("start", command, _say_start)


def stop_transaction(incoming: Incoming, payload: msgspec.Raw) -> Fact:
    """StopTransaction."""
    flags: list[str] = []
    try:
        told = _STOP.read(payload, flags)
    except NoObject:
        return _unreadable(incoming, "the payload is not an object", None)
    if told.transaction_id is None:
        return _unreadable(incoming, "it names no transaction", None)
    at = time_of(told.timestamp or "", incoming.received_at, flags)
    meter_stop = _register(told.meter_stop, flags)
    samples = _samples(told.transaction_data, incoming.received_at, flags)
    command = Stopped(
        heard=incoming.heard(flags),
        at=at,
        transaction_id=str(told.transaction_id),
        meter_stop=meter_stop,
        token_uid=told.id_tag,
        reason=told.reason,
        samples=samples,
        signed=_signed(told.transaction_data, incoming.received_at),
    )
    return Fact("stop", command, acknowledged if told.id_tag is None else _say_stop)


def status_notification(incoming: Incoming, payload: msgspec.Raw) -> Fact:
    """StatusNotification."""
    flags: list[str] = []
    told = _STATUS.read(payload, flags)
    if told.connector_id is None or told.status is None:
        raise NoObject
    at = incoming.received_at if told.timestamp is None else time_of(told.timestamp, incoming.received_at, flags)
    error = None if told.error_code == "NoError" else told.error_code
    command = StatusChanged(incoming.heard(flags), at, told.connector_id, 1, told.status, error)
    return Fact("status", command, acknowledged)


def boot_notification(incoming: Incoming, payload: msgspec.Raw) -> Fact:
    """BootNotification."""
    flags: list[str] = []
    told = _BOOT.read(payload, flags)
    serial = told.charge_point_serial_number or told.charge_box_serial_number
    command = Booted(
        incoming.heard(flags),
        told.charge_point_vendor or "",
        told.charge_point_model or "",
        serial,
        told.firmware_version,
    )
    return Fact("boot", command, say_boot)


def authorize(incoming: Incoming, payload: msgspec.Raw) -> Fact:
    """Authorize."""
    flags: list[str] = []
    told = _AUTHORIZE.read(payload, flags)
    if told.id_tag is None:
        raise NoObject
    return Fact("authorize", TokenShown(incoming.heard(flags), told.id_tag, None), _say_authorize)


LONGEST_GROUP = 20
"""CiString20: a longer name of a group is not told."""


def _say_start(told: TransactionAnswer | None, _: Instant) -> bytes | None:
    if told is None:
        return None
    number = int(told.transaction_id)
    assert number > 0, "a station would take 0 for no transaction at all"
    return b'{"transactionId":%d,"idTagInfo":%b}' % (number, _tag_info(told))


def _say_stop(told: TransactionAnswer | None, _: Instant) -> bytes:
    return b"{}" if told is None else b'{"idTagInfo":%b}' % _tag_info(told)


def _say_authorize(told: TokenAnswer, _: Instant) -> bytes:
    return b'{"idTagInfo":%b}' % _tag_info(told)


def _tag_info(told: TransactionAnswer | TokenAnswer) -> bytes:
    """What is said of a token; with its group, so that a card of the same group may stop the transaction."""
    # Version 1.6 has no word for a customer whose balance does not suffice.
    status = b"Blocked" if told.authorization == "NoCredit" else told.authorization.encode()
    if told.group is None or len(told.group) > LONGEST_GROUP:
        return b'{"status":"%b"}' % status
    return b'{"status":"%b","parentIdTag":%b}' % (status, msgspec.json.encode(told.group))


def _unreadable(incoming: Incoming, problem: str, transaction_id: str | None) -> Fact:
    # A StartTransaction cannot be acknowledged without a number; all others can.
    conclude = _say_start if incoming.action == "StartTransaction" else acknowledged
    return unreadable(incoming, problem, transaction_id, conclude)


def say(command: StationCommand) -> tuple[str, dict[str, Any]]:  # one case a command
    """A command as OCPP 1.6 says it."""
    told = command.payload
    match command.action:
        case Action.START:
            payload = {"idTag": str(told["tag"])}
            evse = of_evse(told)
            return "RemoteStartTransaction", payload if evse is None else {"connectorId": evse, **payload}
        case Action.STOP:
            number = number_of(told.get("transaction_id"))
            if number is None:
                msg = "OCPP 1.6 stops transactions by number"
                raise Unspeakable(msg)
            return "RemoteStopTransaction", {"transactionId": number}
        case Action.RESET:
            return "Reset", {
                "type": "Hard" if str(told.get("type", "soft")).lower() in {"hard", "immediate"} else "Soft"
            }
        case Action.UNLOCK:
            return "UnlockConnector", {"connectorId": of_evse(told) or 1}
        case Action.AVAILABILITY:
            kind = "Operative" if told.get("operative", True) else "Inoperative"
            return "ChangeAvailability", {"connectorId": of_evse(told) or 0, "type": kind}
        case Action.TRANSACTION_STATUS:
            msg = "OCPP 1.6 cannot be asked about a transaction"
            raise Unspeakable(msg)
        case Action.MESSAGE:
            return message_of(told)


DIALECT = Dialect(
    protocol=PROTOCOL,
    schemas="v16",
    schema_suffix="",
    facts={
        "Authorize": authorize,
        "BootNotification": boot_notification,
        "MeterValues": meter_values,
        "StartTransaction": start_transaction,
        "StatusNotification": status_notification,
        "StopTransaction": stop_transaction,
        **following(
            "DiagnosticsStatusNotification",
            "FirmwareStatusNotification",
            "LogStatusNotification",
            "SecurityEventNotification",
            "SignCertificate",
            "SignedFirmwareStatusNotification",
        ),
        **noticing(b'{"status":"UnknownVendorId"}', "DataTransfer"),
    },
    checked=CHECKED,
    weighty=frozenset({"MeterValues", "StartTransaction", "StopTransaction"}),
    at_once={},
    unreadable=_unreadable,
    say=say,
    malformed="FormationViolation",
    no_message="FormationViolation",
    occurrence="OccurenceConstraintViolation",
    answers_unknown_id=False,
)
