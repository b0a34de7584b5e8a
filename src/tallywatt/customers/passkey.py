"""Pure: passkeys, and the challenges of ways to sign in that go out to somebody and come back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant


@dataclass(frozen=True, slots=True)
class Passkey:
    """A key pair of a person's device; we hold the public half."""

    passkey_id: str
    person_id: str
    credential_id: str
    """As the authenticator names it, base64url."""
    public_key: bytes
    """COSE."""
    sign_count: int
    """How often the authenticator says it was used; many always say 0."""
    transports: tuple[str, ...]
    name: str
    """What the person calls it."""
    backed_up: bool
    """Whether it is kept in a person's cloud, and so survives the device."""
    created_at: Instant
    last_used_at: Instant | None
    removed_at: Instant | None
    version: int = 1


class ChallengeKind(StrEnum):
    """What a challenge was handed out for."""

    MAKE_PASSKEY = "make_passkey"
    USE_PASSKEY = "use_passkey"
    SINGLE_SIGN_ON = "single_sign_on"


@dataclass(frozen=True, slots=True)
class Challenge:
    """Something that went out and must come back, once, soon. Its secrets are made from its id, and kept nowhere."""

    challenge_id: str
    kind: ChallengeKind
    about: str | None
    """The person who makes a passkey, or the provider that was asked; None when it is not known who comes."""
    created_at: Instant
    expires_at: Instant
    used_at: Instant | None
    version: int = 1
