"""Pure: certificates with which stations prove who they are, and the authority of an operator that signs them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.card_numbers import card_number_in
from tallywatt.stations.messages import NEWEST, OLD

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import CommandId, StationId

OWN_KIND: Final = "ChargingStationCertificate"
"""With which a station proves who it is; other kinds are other authorities' business."""
LARGEST_REQUEST: Final = 5500
"""OCPP's longest certificate signing request."""
_REQUEST = re.compile(
    r"\s*-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----[A-Za-z0-9+/=\s]+-----END (?:NEW )?CERTIFICATE REQUEST-----\s*"
)
RENEWED_BEFORE_DAYS: Final = 30
DAY_MILLISECONDS: Final = 24 * 3600 * 1000
BASIC, TLS, MUTUAL_TLS = 1, 2, 3
PROFILES: Final = (0, BASIC, TLS, MUTUAL_TLS)
"""OCPP's security profiles: Basic authentication; the same within TLS; TLS with a certificate of the station. 0: any."""


def is_request(text: str) -> bool:
    """Whether a text has the form of a certificate signing request. Anything else is kept nowhere."""
    return len(text) <= LARGEST_REQUEST and bool(_REQUEST.fullmatch(text)) and not card_number_in(text)


@dataclass(frozen=True, slots=True)
class Authority:
    """The certification authority of an operator. Its key is sealed; the newest one signs, all that hold are trusted."""

    authority_id: str
    name: str
    certificate: str
    """PEM."""
    fingerprint: str
    secret_id: str
    """Under which its key is sealed."""
    holds_from: Instant
    holds_until: Instant
    created_at: Instant


class CertificateState(StrEnum):
    """Where a certificate stands."""

    REQUESTED = "requested"
    ISSUED = "issued"
    REFUSED = "refused"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class StationCertificate:
    """A request of a station to sign its key, and what came of it."""

    certificate_id: str
    station_id: StationId
    request_key: str
    """A digest of the request: the same one again is not signed again."""
    request: str
    """PEM, without a private key."""
    request_number: int | None
    state: CertificateState
    requested_at: Instant
    serial: str | None = None
    fingerprint: str | None = None
    """SHA-256 of the certificate: by it a connection is known."""
    certificate: str | None = None
    holds_from: Instant | None = None
    holds_until: Instant | None = None
    command_id: CommandId | None = None
    """The message that brought it to the station."""
    ended_at: Instant | None = None
    reason: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate that has just been signed."""

    certificate: str
    chain: str
    """With that of its authority behind it."""
    serial: str
    fingerprint: str
    holds_from: Instant
    holds_until: Instant


def signed_message(protocol: str, chain: str, request_number: int | None) -> dict[str, Any]:
    """The message that brings a certificate to its station."""
    content: dict[str, Any] = {"certificateChain": chain}
    if protocol != OLD:
        content["certificateType"] = OWN_KIND
    if protocol == NEWEST and request_number is not None:
        content["requestId"] = request_number
    return {"name": "CertificateSigned", "content": content}


def renewal_message(protocol: str) -> dict[str, Any]:
    """The message that asks a station for a new request."""
    if protocol == OLD:
        return {"name": "ExtendedTriggerMessage", "content": {"requestedMessage": "SignChargePointCertificate"}}
    return {"name": "TriggerMessage", "content": {"requestedMessage": "SignChargingStationCertificate"}}
