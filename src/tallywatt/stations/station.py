"""Pure: locations, stations, EVSEs and connectors, as OCPI and OCPP name them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from tallywatt.stations.metrology import Metrology

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import EvseId, FrameId, LocationId, StationId

LARGEST_TRANSACTION_ID: Final = 2**31 - 1
SAFE_DISTANCE: Final = 100_000
"""More transactions than one station can begin in any time that a backup may be old."""


class StationState(StrEnum):
    """Whether a station belongs to us yet."""

    QUARANTINED = "quarantined"
    """It knocked and nobody knows it: its boot is answered Pending until a person adopts it."""
    ADOPTED = "adopted"
    RETIRED = "retired"


class Current(StrEnum):
    """What flows: OCPI PowerType without the phases."""

    AC = "ac"
    DC = "dc"


class Role(StrEnum):
    """Parts that a party plays at an EVSE."""

    MERCHANT = "merchant"
    """Merchant of record: who sells to the driver."""
    OWNER = "owner"
    PAYEE = "payee"


@dataclass(frozen=True, slots=True)
class Location:
    """A place with stations. Its zone is the zone of every tariff and receipt there."""

    location_id: LocationId
    reference: str
    name: str
    address: str
    city: str
    postal_code: str
    country: str
    zone: str
    latitude: str | None
    longitude: str | None
    created_at: Instant
    version: int = 1


@dataclass(frozen=True, slots=True)
class Station:
    """A charging station: one OCPP identity, one socket."""

    station_id: StationId
    identity: str
    """The id in the station's OCPP URL, unique per operator."""
    location_id: LocationId | None
    state: StationState
    protocol: str | None
    """The subprotocol it last spoke: ocpp1.6, ocpp2.0.1 or ocpp2.1."""
    vendor: str | None
    model: str | None
    serial_number: str | None
    firmware: str | None
    key_hash: str | None
    """Keyed hash of the Basic auth key; None: adopted without one, so nobody gets in."""
    booted_at: Instant | None
    created_at: Instant
    security_profile: int = 0
    """The least of OCPP's security profiles with which it may connect; 0: any."""
    preferred_protocol: str | None = None
    """Spoken when it offers several versions, or names none."""
    version: int = 1


@dataclass(frozen=True, slots=True)
class TransactionCounter:
    """The last transaction id that was given to a station over OCPP 1.6: positive, 32 bits, never used again."""

    station_id: StationId
    last_transaction_id: int
    version: int = 1

    def moved_on(self) -> TransactionCounter:
        """The counter behind every id that a lost time can have used: the station may still speak of those."""
        far = min(self.last_transaction_id + SAFE_DISTANCE, LARGEST_TRANSACTION_ID - SAFE_DISTANCE)
        return replace(self, last_transaction_id=max(self.last_transaction_id, far))


@dataclass(frozen=True, slots=True)
class Evse:
    """One place to charge one vehicle. OCPP 1.6 calls it a connector."""

    evse_id: EvseId
    station_id: StationId
    number: int
    code: str
    """The EVSE id that drivers and partners see: GB*TWA*E50914*1 (ISO 15118, eMI3)."""
    current: Current
    max_watts: int | None
    deployed_on: str | None
    created_at: Instant
    metrology: Metrology = Metrology.NONE
    """Which law of measurement holds there."""
    metrology_since: Instant | None = None
    """Machine time: sessions whose start was told earlier are under no such law."""

    def metrology_at(self, told_at: Instant) -> Metrology:
        """The law for a session whose start was told at that machine time."""
        since = self.metrology_since
        return self.metrology if since is None or told_at >= since else Metrology.NONE


@dataclass(frozen=True, slots=True)
class Connector:
    """The plug or socket of an EVSE, and what it last reported."""

    evse_id: EvseId
    number: int
    status: str
    """OCPP 1.6 ChargePointStatus, the finer of the two vocabularies; 2.0.1 adds Occupied."""
    error_code: str | None
    occurred_at: Instant
    received_at: Instant


@dataclass(frozen=True, slots=True)
class ConnectorState:
    """One change of a connector's status, kept: idle time and the third end of a session are told by these."""

    evse_id: EvseId
    number: int
    occurred_at: Instant
    status: str
    error_code: str | None
    received_at: Instant
    frame_id: FrameId | None


@dataclass(frozen=True, slots=True)
class EvseRole:
    """Which party plays a part at an EVSE, from when to when."""

    evse_id: EvseId
    role: Role
    valid_from: Instant
    party_id: str
    valid_to: Instant | None
