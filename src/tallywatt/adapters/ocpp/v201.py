"""Pure: OCPP 2.0.1 in our words: its messages as facts, our commands as its messages."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from tallywatt.adapters.ocpp.facts import Dialect, Fact, Incoming, acknowledged, say_boot, unreadable
from tallywatt.adapters.ocpp.following import CHECKED, following, noticing
from tallywatt.adapters.ocpp.meter import first_register, last_register, samples_at, signed_at
from tallywatt.adapters.ocpp.reading import NoObject, Shape, time_of
from tallywatt.adapters.ocpp.saying import Unspeakable, message_of, of_evse
from tallywatt.metering.counted import CountedCost
from tallywatt.metering.facts import Booted, Sampled, Started, StatusChanged, Stopped, TokenShown, ToldLimit
from tallywatt.stations.command import Action, StationCommand
from tallywatt.stations.display import LONGEST_TEXT

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.metering.facts import Sample, SignedSample, TokenAnswer, TransactionAnswer

PROTOCOL = "ocpp2.0.1"

STOPPING = frozenset({"StopAuthorized", "Deauthorized", "RemoteStop"})
"""Triggers of an event that names who stops a transaction."""

LARGEST_PLACE = 12
FINEST_PLACE = -20
Name = Annotated[str, Meta(max_length=255)]
Token = Annotated[str, Meta(max_length=36)]
Number = Annotated[int, Meta(ge=0, le=65_535)]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
PowerOfTen = Annotated[int, Meta(ge=-12, le=12)]


class UnitOfMeasure(msgspec.Struct, rename="camel"):
    """A unit with a power of ten."""

    unit: Name | None = None
    multiplier: PowerOfTen | None = None


class SignedMeterValue(msgspec.Struct, rename="camel"):
    """What the meter signed, beside the figure. What its methods are called is told by the data itself."""

    signed_meter_data: str | None = None
    public_key: str | None = None


class SampledValue(msgspec.Struct, rename="camel"):
    """A figure and what it means."""

    value: Decimal | None = None
    context: Name | None = None
    measurand: Name | None = None
    phase: Name | None = None
    location: Name | None = None
    unit_of_measure: UnitOfMeasure | None = None
    signed_meter_value: SignedMeterValue | None = None

    @property
    def figure(self) -> Decimal | None:
        """The figure, exact."""
        return self.value

    @property
    def in_unit(self) -> str | None:
        """The unit as written."""
        return None if self.unit_of_measure is None else self.unit_of_measure.unit

    @property
    def power_of_ten(self) -> int:
        """The multiplier; 0 when it is not told."""
        return 0 if self.unit_of_measure is None else self.unit_of_measure.multiplier or 0

    @property
    def signed(self) -> str | None:
        """What the meter signed."""
        return None if self.signed_meter_value is None else self.signed_meter_value.signed_meter_data or None

    @property
    def delivered_key(self) -> str | None:
        """The key beside it; many stations leave it empty."""
        return None if self.signed_meter_value is None else self.signed_meter_value.public_key or None


class MeterValue(msgspec.Struct, rename="camel"):
    """What was sampled at one moment."""

    timestamp: Name | None = None
    sampled_value: list[SampledValue] | None = None


class MeterValues(msgspec.Struct, rename="camel"):
    """Readings outside of a transaction."""

    evse_id: Number | None = None
    meter_value: list[MeterValue] | None = None


class IdToken(msgspec.Struct, rename="camel"):
    """Who."""

    id_token: Name | None = None  # 36 characters in 2.0.1, 255 in 2.1: a longer one is the same token in both
    type: Name | None = None


class Evse(msgspec.Struct, rename="camel"):
    """Where: connectors are numbered within their EVSE."""

    id: Number | None = None
    connector_id: Number | None = None


class TransactionLimit(msgspec.Struct, rename="camel"):
    """OCPP 2.1: what the station limits a transaction to."""

    max_cost: Decimal | None = None
    max_energy: Decimal | None = None
    max_time: Count | None = None
    max_soc: Annotated[int, Meta(ge=0, le=100)] | None = msgspec.field(default=None, name="maxSoC")


class Taxed(msgspec.Struct, rename="camel"):
    """OCPP 2.1: a sum, before and after tax."""

    excl_tax: Decimal | None = None
    incl_tax: Decimal | None = None


class TotalCost(msgspec.Struct, rename="camel"):
    """OCPP 2.1: what a station has counted."""

    currency: Annotated[str, Meta(max_length=3)] | None = None
    type_of_cost: Name | None = None
    fixed: Taxed | None = None
    energy: Taxed | None = None
    charging_time: Taxed | None = None
    idle_time: Taxed | None = None
    reservation_time: Taxed | None = None
    reservation_fixed: Taxed | None = None
    total: Taxed | None = None


class TotalUsage(msgspec.Struct, rename="camel"):
    """OCPP 2.1: of how much it has counted that."""

    energy: Decimal | None = None
    charging_time: Decimal | None = None
    idle_time: Decimal | None = None
    reservation_time: Decimal | None = None


class CostPeriod(msgspec.Struct, rename="camel"):
    """OCPP 2.1: by which tariff it has counted for a while."""

    tariff_id: Name | None = None


class CostDetails(msgspec.Struct, rename="camel"):
    """OCPP 2.1: the station's own account."""

    total_cost: TotalCost | None = None
    total_usage: TotalUsage | None = None
    charging_periods: list[CostPeriod] | None = None
    failure_to_calculate: bool | None = None
    failure_reason: Annotated[str, Meta(max_length=500)] | None = None


class Transaction(msgspec.Struct, rename="camel"):
    """Which transaction, and how it stands."""

    transaction_id: Token | None = None
    charging_state: Name | None = None
    stopped_reason: Name | None = None
    remote_start_id: Count | None = None
    transaction_limit: TransactionLimit | None = None
    tariff_id: Name | None = None


class TransactionEvent(msgspec.Struct, rename="camel"):
    """A transaction has started, gone on or ended."""

    event_type: Name | None = None
    timestamp: Name | None = None
    trigger_reason: Name | None = None
    seq_no: Count | None = None
    transaction_info: Transaction | None = None
    offline: bool | None = None
    evse: Evse | None = None
    id_token: IdToken | None = None
    meter_value: list[MeterValue] | None = None
    reservation_id: Count | None = None
    cost_details: CostDetails | None = None


class StatusNotification(msgspec.Struct, rename="camel"):
    """A connector's status."""

    timestamp: Name | None = None
    connector_status: Name | None = None
    evse_id: Number | None = None
    connector_id: Number | None = None


class ChargingStation(msgspec.Struct, rename="camel"):
    """What booted."""

    model: Name | None = None
    vendor_name: Name | None = None
    serial_number: Name | None = None
    firmware_version: Name | None = None


class BootNotification(msgspec.Struct, rename="camel"):
    """The station has started."""

    charging_station: ChargingStation | None = None
    reason: Name | None = None


class Authorize(msgspec.Struct, rename="camel"):
    """May this token charge?"""

    id_token: IdToken | None = None


_EVENT = Shape(TransactionEvent, "event_type", "timestamp", "trigger_reason", "seq_no", "transaction_info")
_METER_VALUES = Shape(MeterValues, "evse_id", "meter_value")
_STATUS = Shape(StatusNotification, "timestamp", "connector_status", "evse_id", "connector_id")
_BOOT = Shape(BootNotification, "charging_station", "reason")
_AUTHORIZE = Shape(Authorize, "id_token")


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


def transaction_event(incoming: Incoming, payload: msgspec.Raw) -> Fact:
    """TransactionEvent, which is three facts under one name."""
    flags: list[str] = []
    try:
        told = _EVENT.read(payload, flags)
    except NoObject:
        return _unreadable(incoming, "the payload is not an object", None)
    info = told.transaction_info
    transaction_id = None if info is None else info.transaction_id
    if info is None or not transaction_id:
        return _unreadable(incoming, "it names no transaction", None)
    at = time_of(told.timestamp or "", incoming.received_at, flags)
    samples = _samples(told.meter_value, incoming.received_at, flags)
    match told.event_type:
        case "Started":
            return _started(incoming, told, info, at, samples, flags)
        case "Updated":
            return _updated(incoming, told, info, at, samples, flags)
        case "Ended":
            return _ended(incoming, told, info, at, samples, flags)
        case _:
            return _unreadable(incoming, "its eventType is unknown", transaction_id)


def _started(
    incoming: Incoming,
    told: TransactionEvent,
    info: Transaction,
    at: Instant,
    samples: tuple[Sample, ...],
    flags: list[str],
) -> Fact:
    token_uid, token_type = _token(told.id_token)
    command = Started(
        heard=incoming.heard(flags),
        at=at,
        evse_number=told.evse.id if told.evse else None,
        connector_number=told.evse.connector_id if told.evse else None,
        token_uid=token_uid,
        token_type=token_type,
        transaction_id=info.transaction_id,
        meter_start=first_register(samples),
        remote_start_id=info.remote_start_id,
        sequence_number=told.seq_no,
        offline=bool(told.offline),
        charging_state=info.charging_state,
        samples=samples,
        signed=_signed(told.meter_value, incoming.received_at),
        limit=_limit(info.transaction_limit),
        reservation_number=told.reservation_id,
        tariff_id=info.tariff_id,
        cost=_cost(told.cost_details),
    )
    return Fact("start", command, _conclusion(told))


def _updated(
    incoming: Incoming,
    told: TransactionEvent,
    info: Transaction,
    at: Instant,
    samples: tuple[Sample, ...],
    flags: list[str],
) -> Fact:
    token_uid, token_type = _token(told.id_token)
    command = Sampled(
        heard=incoming.heard(flags),
        at=at,
        evse_number=told.evse.id if told.evse else None,
        transaction_id=info.transaction_id,
        samples=samples,
        signed=_signed(told.meter_value, incoming.received_at),
        sequence_number=told.seq_no,
        offline=bool(told.offline),
        charging_state=info.charging_state,
        token_uid=token_uid,
        token_type=token_type,
        remote_start_id=info.remote_start_id,
        connector_number=told.evse.connector_id if told.evse else None,
        names_starter=told.trigger_reason not in STOPPING,
        limit=_limit(info.transaction_limit),
        reservation_number=told.reservation_id,
        cost=_cost(told.cost_details),
    )
    return Fact("sample", command, _conclusion(told))


def _ended(
    incoming: Incoming,
    told: TransactionEvent,
    info: Transaction,
    at: Instant,
    samples: tuple[Sample, ...],
    flags: list[str],
) -> Fact:
    token_uid, _ = _token(told.id_token)
    command = Stopped(
        heard=incoming.heard(flags),
        at=at,
        transaction_id=info.transaction_id or "",
        meter_stop=last_register(samples),
        token_uid=token_uid,
        reason=info.stopped_reason,
        samples=samples,
        signed=_signed(told.meter_value, incoming.received_at),
        evse_number=told.evse.id if told.evse else None,
        sequence_number=told.seq_no,
        offline=bool(told.offline),
        charging_state=info.charging_state,
        cost=_cost(told.cost_details),
    )
    return Fact("stop", command, _say_ended if told.id_token is None else _say_ended_to_token)


def _cost(told: CostDetails | None) -> CountedCost | None:
    """What the station has counted; a part without a figure that can be one is absent."""
    if told is None:
        return None
    cost, usage = told.total_cost or TotalCost(), told.total_usage or TotalUsage()
    parts: dict[str, Any] = {}
    for name in ("fixed", "energy", "charging_time", "idle_time", "reservation_time", "reservation_fixed"):
        sums = getattr(cost, name) or Taxed()
        found = {"before_taxes": sums.excl_tax, "after_taxes": sums.incl_tax, "quantity": getattr(usage, name, None)}
        if said := {kind: f"{one:f}" for kind, one in found.items() if one is not None and _is_figure(one)}:
            parts[name] = said
    total = cost.total or Taxed()
    before, after = (None if one is None or not _is_figure(one) else one for one in (total.excl_tax, total.incl_tax))
    failure = (told.failure_reason or "it could not count") if told.failure_to_calculate else None
    tariffs = [one.tariff_id for one in told.charging_periods or () if one.tariff_id]
    return CountedCost(
        cost.currency, before, after, cost.type_of_cost, failure, tariffs[-1] if tariffs else None, parts
    )


def _is_figure(one: Decimal) -> bool:
    """Whether it can be a sum or a quantity: more digits than any of them has are a broken station's."""
    exponent = one.as_tuple().exponent
    return (
        one.is_finite()
        and abs(one.adjusted()) <= LARGEST_PLACE
        and isinstance(exponent, int)
        and exponent >= FINEST_PLACE
    )


def _limit(told: TransactionLimit | None) -> ToldLimit | None:
    """What the station keeps; a figure with more digits than any money has is a broken station's."""
    if told is None:
        return None
    figures = (told.max_cost, told.max_energy)
    if any(one is not None and not _is_figure(one) for one in figures):
        return None
    cost, energy = (None if one is None else f"{one:f}" for one in figures)
    return ToldLimit(cost, energy, told.max_time, told.max_soc)


def _token(told: IdToken | None) -> tuple[str | None, str | None]:
    """Who was named: NoAuthorization with an empty id names nobody."""
    if told is None or not told.id_token:
        return None, None
    return told.id_token, told.type


def meter_values(incoming: Incoming, payload: msgspec.Raw) -> Fact:
    """MeterValues, which 2.0.1 sends outside of transactions."""
    flags: list[str] = []
    try:
        told = _METER_VALUES.read(payload, flags)
    except NoObject:
        return _unreadable(incoming, "the payload is not an object", None)
    samples = _samples(told.meter_value, incoming.received_at, flags)
    at = max(one.at for one in samples) if samples else incoming.received_at
    signed = _signed(told.meter_value, incoming.received_at)
    return Fact("sample", Sampled(incoming.heard(flags), at, told.evse_id, None, samples, signed=signed), acknowledged)


def status_notification(incoming: Incoming, payload: msgspec.Raw) -> Fact:
    """StatusNotification."""
    flags: list[str] = []
    told = _STATUS.read(payload, flags)
    if told.evse_id is None or told.connector_id is None or told.connector_status is None:
        raise NoObject
    at = time_of(told.timestamp or "", incoming.received_at, flags)
    command = StatusChanged(incoming.heard(flags), at, told.evse_id, told.connector_id, told.connector_status, None)
    return Fact("status", command, acknowledged)


def boot_notification(incoming: Incoming, payload: msgspec.Raw) -> Fact:
    """BootNotification."""
    flags: list[str] = []
    told = _BOOT.read(payload, flags)
    station = told.charging_station or ChargingStation()
    command = Booted(
        incoming.heard(flags),
        station.vendor_name or "",
        station.model or "",
        station.serial_number,
        station.firmware_version,
    )
    return Fact("boot", command, say_boot)


def authorize(incoming: Incoming, payload: msgspec.Raw) -> Fact:
    """Authorize."""
    flags: list[str] = []
    told = _AUTHORIZE.read(payload, flags)
    token_uid, token_type = _token(told.id_token)
    if token_uid is None:
        raise NoObject
    return Fact("authorize", TokenShown(incoming.heard(flags), token_uid, token_type), _say_authorize)


def _status_word(authorization: str) -> bytes:
    """2.x tells a token that nobody knows from one that is not valid; ours that nobody owns are of the first kind."""
    return b"Unknown" if authorization == "Invalid" else authorization.encode()


def _say_authorize(told: TokenAnswer, _: Instant) -> bytes:
    if told.tariff is not None:
        # Only stations of OCPP 2.1 are ever told one: earlier versions have no place for it.
        return b'{"idTokenInfo":%b,"tariff":%b}' % (_token_info(told), msgspec.json.encode(told.tariff))
    return b'{"idTokenInfo":%b}' % _token_info(told)


def _token_info(told: TransactionAnswer | TokenAnswer, *, words: bool = True) -> bytes:
    """What is said of a token; with its group, so that a card of the same group may stop the transaction."""
    info: dict[str, Any] = {"status": _status_word(told.authorization).decode()}
    if told.group is not None:
        info["groupIdToken"] = {"idToken": told.group, "type": "Central"}
    if words and told.words:
        info["personalMessage"] = _shown(told.words)
    return msgspec.json.encode(info)


def _shown(words: str) -> dict[str, str]:
    """A text for a display."""
    return {"format": "UTF8", "content": words[:LONGEST_TEXT]}


def _conclusion(told: TransactionEvent) -> Any:
    return _say_event if told.id_token is None else _say_token


def _say_event(told: TransactionAnswer | None, _: Instant) -> bytes:
    return b"{}" if told is None or told.limit is None else b"{%b}" % _say_limit(told.limit)


def _say_token(told: TransactionAnswer | None, _: Instant) -> bytes:
    if told is None:
        return b"{}"
    limit = b"" if told.limit is None else b"," + _say_limit(told.limit)
    return b'{"idTokenInfo":%b%b}' % (_token_info(told), limit)


def _say_limit(limit: ToldLimit) -> bytes:
    """What the transaction is limited to, digit by digit."""
    parts = []
    if limit.cost is not None:
        parts.append(b'"maxCost":%b' % _number(limit.cost))
    if limit.watt_hours is not None:
        parts.append(b'"maxEnergy":%b' % _number(limit.watt_hours))
    if limit.seconds is not None:
        parts.append(b'"maxTime":%d' % limit.seconds)
    if limit.percent is not None:
        parts.append(b'"maxSoC":%d' % limit.percent)
    return b'"transactionLimit":{%b}' % b",".join(parts)


def _say_ended(told: TransactionAnswer | None, _: Instant) -> bytes:
    return b"{}" if told is None or told.total_cost is None else b"{%b}" % _total(told)


def _say_ended_to_token(told: TransactionAnswer | None, now: Instant) -> bytes:
    if told is None or told.total_cost is None:
        return _say_token(told, now)
    return b'{%b,"idTokenInfo":%b}' % (_total(told), _token_info(told, words=False))


def _total(told: TransactionAnswer) -> bytes:
    """What a session has cost: as a figure, and in words for the display."""
    assert told.total_cost is not None, "only called with a cost"
    cost = b'"totalCost":%b' % _number(told.total_cost)
    if not told.words:
        return cost
    return b'%b,"updatedPersonalMessage":%b' % (cost, msgspec.json.encode(_shown(told.words)))


def _number(exact: str) -> bytes:
    """A sum as a JSON number, digit by digit: 12.40 stays 12.40."""
    return f"{Decimal(exact):f}".encode()


def _unreadable(incoming: Incoming, problem: str, transaction_id: str | None) -> Fact:
    return unreadable(incoming, problem, transaction_id, acknowledged)


def say(command: StationCommand) -> tuple[str, dict[str, Any]]:  # noqa: PLR0911  # one case a command
    """A command as OCPP 2.0.1 says it."""
    told = command.payload
    evse = of_evse(told)
    match command.action:
        case Action.START:
            if command.remote_start_id is None:
                msg = "OCPP 2.0.1 starts need a remoteStartId"
                raise Unspeakable(msg)
            # A one-time tag is ours alone: the specification calls such an identifier Central.
            token = {"idToken": str(told["tag"]), "type": str(told.get("tag_type") or "Central")}
            payload = {"idToken": token, "remoteStartId": command.remote_start_id}
            return "RequestStartTransaction", payload if not evse else {"evseId": evse, **payload}
        case Action.STOP:
            return "RequestStopTransaction", {"transactionId": str(told["transaction_id"])}
        case Action.RESET:
            kind = "Immediate" if str(told.get("type", "soft")).lower() in {"hard", "immediate"} else "OnIdle"
            return "Reset", {"type": kind} if not evse else {"type": kind, "evseId": evse}
        case Action.UNLOCK:
            connector = told.get("connector") if "evse_number" in told else None
            return "UnlockConnector", {"evseId": evse or 1, "connectorId": int(connector or 1)}
        case Action.AVAILABILITY:
            status = "Operative" if told.get("operative", True) else "Inoperative"
            payload = {"operationalStatus": status}
            return "ChangeAvailability", payload if not evse else {**payload, "evse": {"id": evse}}
        case Action.TRANSACTION_STATUS:
            return "GetTransactionStatus", {"transactionId": str(told["transaction_id"])}
        case Action.MESSAGE:
            return message_of(told)


DIALECT = Dialect(
    protocol=PROTOCOL,
    schemas="v201",
    schema_suffix="Request",
    facts={
        "Authorize": authorize,
        "BootNotification": boot_notification,
        "MeterValues": meter_values,
        "StatusNotification": status_notification,
        "TransactionEvent": transaction_event,
        **following(
            "FirmwareStatusNotification",
            "LogStatusNotification",
            "NotifyCustomerInformation",
            "NotifyDisplayMessages",
            "NotifyMonitoringReport",
            "NotifyReport",
            "PublishFirmwareStatusNotification",
            "ReportChargingProfiles",
            "ReservationStatusUpdate",
            "SecurityEventNotification",
            "SignCertificate",
        ),
        **noticing(b'{"status":"UnknownVendorId"}', "DataTransfer"),
        **noticing(b'{"status":"Rejected"}', "NotifyEVChargingNeeds", "NotifyEVChargingSchedule"),
        **noticing(b"{}", "ClearedChargingLimit", "NotifyChargingLimit", "NotifyEvent"),
    },
    checked=CHECKED,
    weighty=frozenset({"MeterValues", "TransactionEvent"}),
    at_once={},
    unreadable=_unreadable,
    say=say,
    malformed="FormatViolation",
    no_message="RpcFrameworkError",
    occurrence="OccurrenceConstraintViolation",
    answers_unknown_id=True,
)
