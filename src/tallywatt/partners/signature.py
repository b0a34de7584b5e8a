"""Pure: messages signed after the Standard Webhooks specification, and the secrets they are signed with."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING

from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tallywatt.kernel.clock import Instant

SECRET_START = "whsec_"
SECRET_BYTES = 32
LEAST_BYTES, MOST_BYTES = 24, 64
"""What the specification allows."""


def new_secret(seed: bytes, name: str) -> bytes:
    """A secret from the chance that a command has drawn: run again, the command makes the same one."""
    return hashlib.blake2b(name.encode(), key=seed, digest_size=SECRET_BYTES, person=b"webhook").digest()


def shown(secret: bytes) -> str:
    """A secret as a receiver is given it: `whsec_` and base64."""
    return SECRET_START + base64.b64encode(secret).decode()


def read_secret(text: str) -> bytes:
    """The bytes of a secret that somebody brings along, or BadInput."""
    try:
        secret = base64.b64decode(text.removeprefix(SECRET_START), validate=True)
    except ValueError as error:
        msg = "a secret is whsec_ and base64"
        raise BadInput(msg, code="webhooks.bad_secret") from error
    if not LEAST_BYTES <= len(secret) <= MOST_BYTES:
        msg = f"a secret has {LEAST_BYTES} to {MOST_BYTES} bytes, and this one has {len(secret)}"
        raise BadInput(msg, code="webhooks.bad_secret")
    return secret


def headers(message_id: str, body: bytes, sent_at: Instant, secrets: Iterable[bytes]) -> dict[str, str]:
    """The three headers of a message: its id, when it is sent, and a signature with each secret that still holds."""
    seconds = sent_at // 1000
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(sign(secret, message_id, seconds, body) for secret in secrets),
    }


def sign(secret: bytes, message_id: str, seconds: int, body: bytes) -> str:
    """One signature: v1 is HMAC-SHA256 over id, time and the very bytes of the body."""
    signed = b"%s.%d.%s" % (message_id.encode(), seconds, body)
    return "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()
