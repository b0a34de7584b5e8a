"""Pure: what stations tell, in our words, whatever the OCPP version: the commands of the workflows that take it in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import StationId
    from tallywatt.metering.counted import CountedCost
    from tallywatt.stations.notices import Notice


@dataclass(frozen=True, slots=True)
class Heard:
    """A frame as it came over the wire. It is sealed and stored in the transaction of the fact that it carries."""

    station_id: StationId
    protocol: str
    """The subprotocol: ocpp1.6, ocpp2.0.1, ocpp2.1."""
    action: str
    message_id: str
    payload: bytes
    """The whole text of the message, as received."""
    received_at: Instant
    """Machine time."""
    flags: tuple[str, ...] = ()
    """What the adapter noticed: `schema` (it breaks its schema), `time_without_zone`, `unknown_unit` …"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One sampled moment. What was not reported is None: absent is not zero."""

    at: Instant
    register: int | None
    """Energy.Active.Import.Register of the whole EVSE in milliwatt-hours: the total, never one phase."""
    watts: int | None
    context: str
    """OCPP ReadingContext; Sample.Periodic when the station did not say."""


@dataclass(frozen=True, slots=True)
class SignedSample:
    """A value that the meter has signed, as the station delivered it: to the letter, in whatever encoding."""

    at: Instant
    data: str
    context: str | None
    public_key: str | None = None
    """The key that came beside it."""


@dataclass(frozen=True, slots=True)
class ToldLimit:
    """The most of a transaction, as OCPP 2.1 says it to a station, and as the station says it back; exact figures as text."""

    cost: str | None = None
    """In major units of the tariff's currency."""
    watt_hours: str | None = None
    seconds: int | None = None
    percent: int | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """A transaction has started: StartTransaction, or TransactionEvent(Started)."""

    heard: Heard
    at: Instant
    """The station's clock."""
    evse_number: int | None
    """OCPP 1.6: the connectorId. None: 2.x without evse."""
    connector_number: int | None
    token_uid: str | None
    """As shown; None: the station named nobody (2.x after a remote start)."""
    token_type: str | None
    """OCPP 2.x idToken type; None in 1.6."""
    transaction_id: str | None
    """2.x: the station's own; None in 1.6, where we give it."""
    meter_start: int | None
    """Milliwatt-hours."""
    remote_start_id: int | None = None
    sequence_number: int | None = None
    offline: bool = False
    charging_state: str | None = None
    """2.x: EVConnected, Charging, SuspendedEV, SuspendedEVSE, Idle."""
    samples: tuple[Sample, ...] = ()
    signed: tuple[SignedSample, ...] = ()
    limit: ToldLimit | None = None
    """2.1: what the station keeps."""
    reservation_number: int | None = None
    """The reservation that ends with it, when the station names it."""
    tariff_id: str | None = None
    """2.1: by what the station counts."""
    cost: CountedCost | None = None
    """2.1: what the station has counted."""

    @property
    def names_starter(self) -> bool:
        """Whose token a start names."""
        return True


@dataclass(frozen=True, slots=True)
class Sampled:
    """Meter values: MeterValues, or TransactionEvent(Updated)."""

    heard: Heard
    at: Instant
    """The time of the event; of the newest sample in 1.6."""
    evse_number: int | None
    transaction_id: str | None
    """1.6: the number as text when present and above 0."""
    samples: tuple[Sample, ...]
    sequence_number: int | None = None
    offline: bool = False
    charging_state: str | None = None
    token_uid: str | None = None
    """2.x may name the token only now."""
    token_type: str | None = None
    remote_start_id: int | None = None
    connector_number: int | None = None
    names_starter: bool = True
    """False: the token that is named stops the transaction."""
    signed: tuple[SignedSample, ...] = ()
    limit: ToldLimit | None = None
    """2.1: what the station keeps."""
    reservation_number: int | None = None
    """The reservation that ends with it, when the station names it."""
    cost: CountedCost | None = None
    """2.1: what the station has counted."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """A transaction has ended: StopTransaction, or TransactionEvent(Ended)."""

    heard: Heard
    at: Instant
    transaction_id: str
    """As told, also -1, 0 or 999999."""
    meter_stop: int | None
    token_uid: str | None
    """Who stopped it, when the station says."""
    reason: str | None
    samples: tuple[Sample, ...] = ()
    evse_number: int | None = None
    sequence_number: int | None = None
    offline: bool = False
    charging_state: str | None = None
    signed: tuple[SignedSample, ...] = ()
    cost: CountedCost | None = None
    """2.1: what the station has counted in the end."""


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """A connector reports its status: StatusNotification."""

    heard: Heard
    at: Instant
    evse_number: int
    """0 in 1.6: the whole station."""
    connector_number: int
    status: str
    error_code: str | None


@dataclass(frozen=True, slots=True)
class Booted:
    """A station has booted: BootNotification."""

    heard: Heard
    vendor: str
    model: str
    serial_number: str | None
    firmware: str | None


@dataclass(frozen=True, slots=True)
class TokenShown:
    """A station asks whether a token may charge: Authorize."""

    heard: Heard
    token_uid: str
    token_type: str | None


@dataclass(frozen=True, slots=True)
class Reported:
    """What follows the answer to a command of ours: a part of a report, or a step of what was asked for."""

    heard: Heard
    message: str
    """NotifyReport, FirmwareStatusNotification …"""
    request_number: int | None
    """The requestId that was given with the command; None in most of OCPP 1.6."""
    number: int
    """The part's place among all."""
    is_last: bool
    status: str | None
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Noticed:
    """What a station says on the side: NotifyEvent, DataTransfer and their like."""

    heard: Heard
    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class SecurityTold:
    """SecurityEventNotification."""

    heard: Heard
    at: Instant
    kind: str
    detail: str | None


DIRECT_PAYMENT: Final = "DirectPayment"
"""The type of a token that is the provider's reference of a payment at a terminal."""


@dataclass(frozen=True, slots=True)
class TerminalSettled:
    """What a payment terminal at the station has done with a hold of its own: NotifySettlement of OCPP 2.1."""

    heard: Heard
    at: Instant
    psp_ref: str
    """The provider's reference of the payment; it was the token of the transaction."""
    status: str
    """Settled, Canceled, Rejected, Failed."""
    amount: str
    """In major units, exact."""
    transaction_id: str | None
    """None when it was cancelled before a transaction began."""


@dataclass(frozen=True, slots=True)
class ReservationTold:
    """ReservationStatusUpdate: how a reservation ended."""

    heard: Heard
    number: int
    status: str
    """Expired, Removed; NoTransaction in 2.1."""


@dataclass(frozen=True, slots=True)
class SigningAsked:
    """SignCertificate: a station has made a key, and asks for a certificate of it."""

    heard: Heard
    request: str
    """PEM."""
    kind: str
    """ChargingStationCertificate; V2GCertificate is another authority's."""
    request_number: int | None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message that carries money or energy, and of which station and action can be read but not the rest."""

    heard: Heard
    transaction_id: str | None
    problem: str


@dataclass(frozen=True, slots=True)
class TransactionAnswer:
    """What a station is told about a transaction."""

    transaction_id: str
    """1.6: a number above 0 as text, also for a token that is refused."""
    authorization: str
    """OCPP AuthorizationStatus: Accepted, Blocked, Expired, Invalid, ConcurrentTx. 2.x says Unknown for Invalid."""
    total_cost: str | None = None
    """2.x Ended: the price in major units, when it is known already."""
    group: str | None = None
    """The group of the token, whose other members may stop what it has started."""
    words: str | None = None
    """2.x: what the station's display may show: the prices with which it begins, or what it has cost in the end."""
    limit: ToldLimit | None = None
    """2.1: what the transaction is to be limited to."""


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What a station is told about a token."""

    authorization: str
    """OCPP AuthorizationStatus."""
    group: str | None = None
    words: str | None = None
    """2.x: the prices that hold for it at that station, for its display."""
    tariff: dict[str, Any] | None = None
    """2.1: by what the station is to count for it, where that is not what it counts by for everybody."""


@dataclass(frozen=True, slots=True)
class BootAnswer:
    """What a station is told about its boot."""

    registration: str
    """OCPP RegistrationStatus: Accepted, Pending, Rejected."""
    interval_seconds: int
