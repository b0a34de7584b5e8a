"""Pure: how a station proves who it is: Basic auth, user = station id, key as text or as hex.

A keyed BLAKE2b is enough for keys of 16–40 random bytes, and a reconnect storm of 10,000 stations costs milliseconds; a slow
password hash would cost minutes.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import OperatorId, StationId
    from tallywatt.stations.station import StationState

MINIMUM_KEY_BYTES = 8
_HEX_CHARACTERS = 32
"""OCPP 1.6 AuthorizationKey: hex of 16–20 bytes; shorter texts of hex digits are taken as they are."""


@dataclass(frozen=True, slots=True)
class StationCredential:
    """What the gateway must know to let a station in."""

    operator_id: OperatorId
    operator_slug: str
    station_id: StationId
    identity: str
    state: StationState
    key_hash: str | None
    security_profile: int = 0
    """The least with which it may connect; 0: any."""
    preferred_protocol: str | None = None
    certificates: frozenset[str] = frozenset()
    """Fingerprints of the certificates that it may show."""
    next_key_hash: str | None = None
    """Of a key that was sent to it, and that it has not shown yet."""
    next_profile: int | None = None
    """The security profile to which it is being moved; with which one it comes is told then."""


class Directory(Protocol):
    """Who may connect, answered from memory, kept current by events; on a miss one short read."""

    def find(self, operator_slug: str | None, identity: str) -> StationCredential | None:
        """The station of an operator; without operator the only station of that id, else None."""
        ...

    def operator_for_unknown(self, operator_slug: str | None) -> OperatorId | None:
        """Whose quarantine an unknown station enters: the named operator, or the only one there is."""
        ...


def key_bytes(key: str | bytes) -> bytes:
    """A key in the form that is compared: hex of 16 bytes and more is read as bytes, any other text as UTF-8."""
    raw = key.encode() if isinstance(key, str) else key
    if len(raw) >= _HEX_CHARACTERS and len(raw) % 2 == 0:
        try:
            return bytes.fromhex(raw.decode("ascii"))
        except (ValueError, UnicodeDecodeError):
            return raw
    return raw


def hash_key(key: str | bytes, pepper: bytes) -> str:
    """The keyed hash under which a key is stored; BadInput for one that can be guessed."""
    raw = key_bytes(key)
    if len(raw) < MINIMUM_KEY_BYTES:
        msg = f"a station key needs at least {MINIMUM_KEY_BYTES} characters"
        raise BadInput(msg, code="stations.key_too_short", remedy="OCPP recommends 16 to 40")
    return hashlib.blake2b(raw, key=pepper, digest_size=32).hexdigest()


def opens(key: str | bytes, key_hash: str | None, pepper: bytes) -> bool:
    """Whether a shown key is the stored one, in constant time."""
    if key_hash is None:
        return False
    shown = hashlib.blake2b(key_bytes(key), key=pepper, digest_size=32).hexdigest()
    return hmac.compare_digest(shown, key_hash)


@dataclass(frozen=True, slots=True)
class Knocked:
    """A station that nobody knows, or nobody has adopted yet, stands at the door: it enters the quarantine."""

    identity: str
    key_hash: str | None
    """Keyed hash of the key that it showed; None when it showed none, or one that can be guessed."""
    received_at: Instant
    """Machine time."""
