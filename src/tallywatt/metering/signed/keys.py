"""Pure: public keys of meters, in whatever way they are written: on a plate, in a QR code, in a message."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from tallywatt.metering.signed import octets
from tallywatt.metering.signed.curves import BY_OBJECT_ID, CURVES, Curve, Point

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_KEY: Final = 10_000
"""OCPP 2.1 allows 2,500 characters; nothing longer is a key."""
_EC_KEY: Final = "1.2.840.10045.2.1"
_DEEPEST: Final = 4
_ARMOUR = re.compile(r"-----BEGIN (?:EC )?PUBLIC KEY-----(.*?)-----END (?:EC )?PUBLIC KEY-----", re.DOTALL)
_OCA = re.compile(r"oca:(base16|base64)(?::asn1)?:(.*)", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A point on a curve. A key written as a bare point leaves open which curve of its size is meant."""

    octets: bytes
    """The point as it was written: with 04 in front, or compressed with 02 or 03."""
    curve: Curve | None
    """None: the record that it verifies has to name the curve."""

    def point_on(self, curve: Curve) -> Point | None:
        """The point on that curve; None where it is not on it."""
        if self.curve is not None and self.curve is not curve:
            return None
        return _point(self.octets, curve)

    def is_same(self, other: PublicKey) -> bool:
        """Whether both are one key, however each was written."""
        for curve in CURVES.values():
            mine = self.point_on(curve)
            if mine is not None and mine == other.point_on(curve):
                return True
        return False

    @property
    def spki(self) -> bytes | None:
        """The key as SubjectPublicKeyInfo (RFC 5480), which every program reads; None while its curve is open."""
        if self.curve is None:
            return None
        point = self.point_on(self.curve)
        if point is None:
            return None
        bare = b"\x04" + b"".join(one.to_bytes(self.curve.octets, "big") for one in point)
        algorithm = _der(octets.SEQUENCE, _object_id(_EC_KEY) + _object_id(self.curve.object_id))
        return _der(octets.SEQUENCE, algorithm + _der(octets.BIT_STRING, b"\0" + bare))


@lru_cache(maxsize=512)
def read_key(text: str) -> PublicKey | None:
    """The key that a text holds; None if it holds none. A point that is not on its curve is no key."""
    if len(text) > LONGEST_KEY:
        return None
    for data in _decoded(text, _DEEPEST):
        key = _from_bytes(data)
        if key is not None:
            return key
    return None


def _decoded(text: str, deep: int) -> Iterator[bytes]:
    """What a text can mean as bytes; some stations write the hex of the DER in base64."""
    armoured = _ARMOUR.search(text)
    if armoured:
        text = armoured[1]
    named = _OCA.fullmatch(text.strip())
    if named:
        text = named[2]
    for read in (octets.from_hex, octets.from_base64, octets.from_base32):
        data = read(text)
        if not data:
            continue
        yield data
        if deep and data.isascii():
            yield from _decoded(data.decode("ascii"), deep - 1)


def _from_bytes(data: bytes) -> PublicKey | None:
    if data[0] == octets.SEQUENCE:
        try:
            return _from_spki(data)
        except octets.NotDer:
            pass  # a bare point may begin with the same byte
    for bare in (data, b"\x04" + data):
        if any(_point(bare, curve) is not None for curve in CURVES.values()):
            return PublicKey(bare, None)
    return None


def _from_spki(data: bytes) -> PublicKey | None:
    outer, rest = octets.element(data, octets.SEQUENCE)
    algorithm, after = octets.element(outer, octets.SEQUENCE)
    kind, parameters = octets.element(algorithm, octets.OBJECT_ID)
    named, more = octets.element(parameters, octets.OBJECT_ID)
    bits, tail = octets.element(after, octets.BIT_STRING)
    curve = BY_OBJECT_ID.get(octets.object_id(named))
    if octets.object_id(kind) != _EC_KEY or curve is None or rest or more or tail or bits[:1] != b"\0":
        return None
    return PublicKey(bits[1:], curve) if _point(bits[1:], curve) is not None else None


def _point(bare: bytes, curve: Curve) -> Point | None:
    size = curve.octets
    if len(bare) == 1 + 2 * size and bare[0] == 4:
        point = int.from_bytes(bare[1 : 1 + size], "big"), int.from_bytes(bare[1 + size :], "big")
        return point if curve.holds(point) else None
    if len(bare) == 1 + size and bare[0] in {2, 3}:
        return curve.lift(int.from_bytes(bare[1:], "big"), odd=bare[0] == 3)
    return None


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    length = bytes([size]) if size < 0x80 else bytes([0x81, size])
    return bytes([tag]) + length + content


def _object_id(text: str) -> bytes:
    first, second, *others = (int(one) for one in text.split("."))
    content = bytearray()
    for value in (40 * first + second, *others):
        groups = [value & 0x7F]
        while value := value >> 7:
            groups.append(value & 0x7F | 0x80)
        content += bytes(reversed(groups))
    return _der(octets.OBJECT_ID, bytes(content))
