"""Pure: the HTTP request with which a station opens its WebSocket: which station, with which key, in which version."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

ROOT = b"ocpp"
LONGEST_IDENTITY = 128


@dataclass(frozen=True, slots=True)
class Address:
    """Which station a URL names: `/ocpp/{operator}/{station id}`, or `/ocpp/{station id}` while that id is unique."""

    operator_slug: str | None
    identity: str


def address_of(target: bytes) -> Address | None:
    """The address in a request target; None for any other page. Ids are percent-decoded, idle slashes do not count."""
    parts = [part for part in target.partition(b"?")[0].split(b"/") if part]
    if len(parts) not in {2, 3} or parts[0] != ROOT:
        return None
    try:
        names = [unquote_to_bytes(part).decode() for part in parts[1:]]
    except UnicodeDecodeError:
        return None
    # An identity is shown on pages and in logs: nothing in it may be invisible.
    if not all(name.isprintable() and len(name) <= LONGEST_IDENTITY for name in names):
        return None
    return Address(names[0] if len(names) == 2 else None, names[-1])


def basic_key(header: str | None, identity: str) -> bytes | None:
    """The key that Basic auth shows for this station; None when there is none, or it is another station's.

    The user is taken off as a whole, so that an id with a colon in it, or a key of raw bytes, can be told apart.
    """
    scheme, _, credentials = (header or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        shown = base64.b64decode(credentials.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    user = identity.encode() + b":"
    return shown[len(user) :] if shown.startswith(user) else None


def chosen_protocol(offers: Iterable[str], spoken: Iterable[str]) -> tuple[str, str] | None:
    """Of what a station offers, in its order, the first that we speak: our name of it, and its own spelling for the answer."""
    known = {name.lower(): name for name in spoken}
    for header in offers:
        for offer in header.split(","):
            name = known.get(offer.strip().lower())
            if name is not None:
                return name, offer.strip()
    return None


def put_right(headers: MutableMapping[str, str]) -> None:
    """Make the upgrade headers what the library expects: it wants `upgrade` alone, while `keep-alive, Upgrade` is as valid.

    Some stations leave `Upgrade` out; one that sends a WebSocket key means it all the same.
    """
    tokens = {token.strip().lower() for token in headers.get("Connection", "").split(",")}
    if "upgrade" in tokens or "Sec-WebSocket-Key" in headers:
        headers["Connection"] = "upgrade"
    if "Sec-WebSocket-Key" in headers:
        headers["Upgrade"] = "websocket"
