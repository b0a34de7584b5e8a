"""Pure: how meters and stations write bytes as text: hex, base64, base32, one inside the other, and DER inside of that."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

LONGEST_TEXT: Final = 2**20
"""No signed meter value is longer than a mebibyte, whatever it is wrapped in."""
_HEX = re.compile(r"[0-9A-Fa-f]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_BASE32 = re.compile(r"[A-Za-z2-7]+=*")
_BLANK = re.compile(r"\s+")
SEQUENCE, INTEGER, BIT_STRING, OBJECT_ID = 0x30, 0x02, 0x03, 0x06


def tight(text: str) -> str:
    """A text without blanks and line ends, as people group long figures with them."""
    return _BLANK.sub("", text)


def from_hex(text: str) -> bytes | None:
    """The bytes of a hexadecimal text; None if it is none."""
    plain = tight(text).removeprefix("0x").replace(":", "")
    return bytes.fromhex(plain) if len(plain) % 2 == 0 and _HEX.fullmatch(plain) else None


def from_base64(text: str) -> bytes | None:
    """The bytes of a base64 text, of either alphabet; None if it is none."""
    plain = tight(text).replace("-", "+").replace("_", "/")
    if not _BASE64.fullmatch(plain):
        return None
    plain = plain.rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def from_base32(text: str) -> bytes | None:
    """The bytes of a base32 text; None if it is none."""
    plain = tight(text)
    if not _BASE32.fullmatch(plain):
        return None
    plain = plain.rstrip("=").upper()
    try:
        return base64.b32decode(plain + "=" * (-len(plain) % 8))
    except (binascii.Error, ValueError):
        return None


class NotDer(ValueError):
    """The bytes are no DER of the expected kind."""


def element(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """The content of the first DER element, and what follows it."""
    if len(data) < 2 or data[0] != tag:
        raise NotDer
    length, start = data[1], 2
    if length & 0x80:
        size = length & 0x7F
        if not 1 <= size <= 3 or len(data) < 2 + size:
            raise NotDer
        length, start = int.from_bytes(data[2 : 2 + size], "big"), 2 + size
    if len(data) < start + length:
        raise NotDer
    return data[start : start + length], data[start + length :]


def object_id(content: bytes) -> str:
    """A DER object identifier as people write it: 1.2.840.10045.2.1."""
    parts, value = [], 0
    for octet in content:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            parts.append(value)
            value = 0
    if not parts or value or len(content) > 32:
        raise NotDer
    first = min(parts[0] // 40, 2)
    return ".".join(str(one) for one in (first, parts[0] - 40 * first, *parts[1:]))
