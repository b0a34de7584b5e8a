"""Pure: the charging session, as it is stored: where it came from, its three ends, who owes, and how good the evidence is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import EvseId, FrameId, InvoiceId, OfferId, PaymentId, RatedId, SessionId, StationId


class Source(StrEnum):
    """By which door a session came in."""

    OCPP = "ocpp"
    OCPP_TAP = "ocpp-tap"
    OCPI = "ocpi"
    API = "api"
    CSV = "csv"


class Evidence(StrEnum):
    """How well the energy can be defended."""

    SIGNED = "signed"
    METERED = "metered"
    """A register reported by the station itself."""
    REPORTED = "reported"
    """A figure told by somebody else: an API caller, a CSV export."""


class SessionState(StrEnum):
    """Where a session stands on its way to money."""

    ACTIVE = "active"
    ENDED = "ended"
    """The transaction has ended; the price waits for the end of the occupancy."""
    HELD = "held"
    """It will not be billed before a person has looked; the reason is among its flags and in the inbox."""
    BILLED = "billed"
    EXPLAINED = "explained"
    """It ends without a bill, and every milliwatt-hour of it has an explanation."""


class PayerKind(StrEnum):
    """The party who owes."""

    CUSTOMER = "customer"
    AD_HOC = "ad_hoc"
    PARTNER = "partner"
    EMPLOYER = "employer"
    OPERATOR = "operator"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Session:
    """A charging session from plug-in to invoice."""

    session_id: SessionId
    source: Source
    upstream_id: str | None
    """The session's id at its source; unique per source."""
    start_key: str
    """Natural key of the start (RULES §1); unique."""
    evidence: Evidence
    station_id: StationId | None
    evse_id: EvseId | None
    connector_number: int | None
    transaction_id: str | None
    """OCPP 1.6: our number as text; 2.x: the station's own id."""
    token_uid: str | None
    """Case-folded."""
    payer: PayerKind
    payer_id: str | None
    payment_id: PaymentId | None
    """The ad hoc payment that stands behind it."""
    merchant_party_id: str | None
    owner_party_id: str | None
    payee_party_id: str | None
    offer_id: OfferId | None
    state: SessionState
    zone: str
    started_at: Instant
    energy_ended_at: Instant | None
    transaction_ended_at: Instant | None
    occupancy_ended_at: Instant | None
    meter_start: int | None
    """Register at the start, in milliwatt-hours; None when the station did not say."""
    meter_stop: int | None
    milliwatt_hours: int
    """Energy delivered so far, and in the end; what is billed or explained."""
    last_register: int | None
    last_reading_at: Instant | None
    sequence_number: int | None
    """OCPP 2.x: the highest seqNo seen."""
    stop_reason: str | None
    stopped_by: str | None
    """The tag that stopped it, when it was another one."""
    rated_id: RatedId | None
    invoice_id: InvoiceId | None
    flags: tuple[str, ...]
    driver_secret: str | None
    """The unguessable part of the driver's link."""
    start_frame_id: FrameId | None
    stop_frame_id: FrameId | None
    received_at: Instant
    booked_at: Instant
    missing_events: str | None = None
    """OCPP 2.x: seqNos that were skipped and may still come (`3-5,8`); None: nothing is missed."""
    reservation_id: str | None = None
    """The reservation that it has used."""
    version: int = 1

    @property
    def is_open(self) -> bool:
        """Whether the station may still report energy for it."""
        return self.transaction_ended_at is None and self.state is SessionState.ACTIVE


@dataclass(frozen=True, slots=True)
class MeterReading:
    """The energy register at one moment of a session, as the station reported it."""

    session_id: SessionId
    reading_key: str
    """Natural key of its content, so that a resend adds nothing."""
    occurred_at: Instant
    register: int
    """Energy.Active.Import.Register in milliwatt-hours."""
    watts: int | None
    context: str
    """OCPP ReadingContext: Transaction.Begin, Sample.Periodic, Sample.Clock, Transaction.End …"""
    received_at: Instant
    frame_id: FrameId | None


@dataclass(frozen=True, slots=True)
class Frame:
    """What a station sent, sealed with the key of its month and class: the source of the audit."""

    frame_id: FrameId
    station_id: StationId
    received_at: Instant
    protocol: str
    action: str
    message_id: str
    key_id: str
    sealed: bytes
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StationFact:
    """A fact that a station told, by the natural key of its content, with the answer that it got and gets again."""

    fact_key: str
    station_id: StationId
    kind: str
    session_id: SessionId | None
    frame_id: FrameId | None
    answer: str
    """The transaction id of a start; empty for the others."""
    occurred_at: Instant
    received_at: Instant


class InboxState(StrEnum):
    """Whether somebody has looked."""

    OPEN = "open"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class InboxItem:
    """Something that matches nothing, or that only a person can decide. Nothing is only logged."""

    item_id: str
    kind: str
    natural_key: str
    station_id: StationId | None
    session_id: SessionId | None
    payment_id: PaymentId | None
    frame_id: FrameId | None
    summary: str
    state: InboxState
    created_at: Instant
    resolved_at: Instant | None
    resolved_by: str | None
    resolution: str | None
    detail: dict[str, Any] | None = None
    """What is known about it for whoever decides: the suggested match, the rule that was broken, the proposed value."""
    version: int = 1


class Reason(StrEnum):
    """Why metered energy is not on a bill: the closed list of RULES §10."""

    LOST_STOP = "lost_stop"
    """The station never said how the transaction ended; what its register shows later is held for a person."""
    START_MISSING = "start_missing"
    """The station never said how the transaction began: what it took before is not known."""
    METER_RESET = "meter_reset"
    """The register fell within the session."""
    IMPLAUSIBLE = "implausible"
    """More than the EVSE can deliver in the time."""
    MISSING_ENERGY = "missing_energy"
    """The station has told no register where one was needed: what flowed is not known, or only its lower bound."""
    METER_CORRECTED = "meter_corrected"
    """The station is known to write its registers in another way than it says: what its own figures would make too much."""
    UNKNOWN_PAYER = "unknown_payer"
    """Energy flowed for a token that nobody owns."""
    NO_TARIFF = "no_tariff"
    """No tariff was assigned when it started."""
    NOT_SIGNED = "not_signed"
    """The law there asks for a signature of the meter, and there is none that holds."""
    SIGNED_DIFFERS = "signed_differs"
    """The register that the station told shows another amount than the one that the meter signed, which is billed."""
    PRICE_AWAITED = "price_awaited"
    """Its tariff follows a market whose price was not known, and asks that a person looks at it first."""
    WRITTEN_OFF = "written_off"
    """A person looked and decided not to bill it."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Energy that was metered and not billed, with its reason and what caused it."""

    explanation_id: str
    session_id: SessionId | None
    evse_id: EvseId | None
    milliwatt_hours: int
    reason: Reason
    cause: str
    created_at: Instant


@dataclass(frozen=True, slots=True)
class MeterProfile:
    """How a model of stations writes its registers, as it is kept. The patterns are of what stations say at boot."""

    profile_id: str
    name: str
    vendor: str
    model: str
    firmware: str
    habits: dict[str, Any]
    """Fields of `habits.Habits`; what is left out is as the specification says."""
    created_at: Instant
    version: int = 1


@dataclass(frozen=True, slots=True)
class ResolutionRule:
    """What is decided about items of a kind without a person, up to a sum of money."""

    rule_id: str
    name: str
    kind: str
    decision: str
    most_minor: int
    """No more than this is decided on, in the currency of the session's price."""
    is_on: bool
    created_at: Instant
    version: int = 1
