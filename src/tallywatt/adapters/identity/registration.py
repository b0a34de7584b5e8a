"""What is agreed with an identity provider, and what goes out to it. Apart, so that a door can hold it without the protocol."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Registration:
    """Ourselves, as the provider knows us."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What goes out with a browser and must come back with it."""

    state: str
    nonce: str
    verifier: str = field(repr=False)
