"""Pure: codes on a station's display that change with time, so that a picture of an old one pays nothing (OCPP 2.1, C25).

The station and we share a secret, and each works out the code of the present window of time. How it is worked out is read from
independent implementations: HMAC-SHA256 of the window's number, and from it one letter or digit for each place.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant

ALPHABET: Final = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
SKEW: Final = 1
"""So many windows a station's clock may be off, either way."""
SHORTEST_SECONDS: Final = 6
LONGEST_SECONDS: Final = 3600
SHORTEST_CODE: Final = 6
LONGEST_CODE: Final = 32


@dataclass(frozen=True, slots=True)
class WebCode:
    """How the code of an EVSE is made. The secret itself is worked out from a key of the operator, and stored nowhere."""

    evse_id: str
    generation: int
    """Counted up when the secret is changed."""
    validity_seconds: int
    length: int
    last_window: int
    """The newest window whose code has paid: it and those before it pay no more."""
    created_at: Instant
    version: int = 1


def code_in(secret: str, window: int, length: int) -> str:
    """The code of a window of time."""
    digest = hmac.new(secret.encode(), window.to_bytes(8, "big"), hashlib.sha256).digest()
    offset = digest[-1] & 0x0F
    return "".join(ALPHABET[digest[(offset + place) % len(digest)] % len(ALPHABET)] for place in range(length))


def window_at(at: Instant, validity_seconds: int) -> int:
    """The number of the window of a moment."""
    return at // 1000 // validity_seconds


def window_of(code: str, secret: str, how: WebCode, at: Instant) -> int | None:
    """The window that a code is of, as far as it is near enough; None: it is no code of this EVSE, or of another time."""
    now = window_at(at, how.validity_seconds)
    for window in (now, *(now + sign * step for step in range(1, SKEW + 1) for sign in (-1, 1))):
        if hmac.compare_digest(code_in(secret, window, how.length).encode(), code.encode()):
            return window
    return None


def message_to_station(secret: str, url_template: str, how: WebCode, evse_number: int) -> dict[str, Any]:
    """What tells a station of OCPP 2.1 to show codes: a message by its own name."""
    values = {
        "SharedSecret": secret,
        "URLTemplate": url_template,
        "ValidityTime": str(how.validity_seconds),
        "Length": str(how.length),
        "TOTPVersion": "v1",
        "Enabled": "true",
    }
    component = {"name": "WebPaymentsCtrlr", "evse": {"id": evse_number}}
    told = [
        {"component": component, "variable": {"name": name}, "attributeValue": value} for name, value in values.items()
    ]
    return {"name": "SetVariables", "content": {"setVariableData": told}}
