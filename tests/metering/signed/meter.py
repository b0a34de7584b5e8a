"""A meter that signs: vectors made by the tests themselves, with arithmetic that shares nothing with the verifier."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from tallywatt.metering.signed.curves import CURVES, Curve

Affine = tuple[int, int] | None
SECRET = 0x1F2E3D4C5B6A79880123456789ABCDEFFEDCBA987654321
BEGIN_AT = "2026-11-21T10:00:00,000+0100 S"
END_AT = "2026-11-21T10:30:00,000+0100 S"


def plus(curve: Curve, one: Affine, other: Affine) -> Affine:
    """Points added as a textbook does it: slowly, and each step plain."""
    if one is None or other is None:
        return other if one is None else one
    if one[0] == other[0] and (one[1] + other[1]) % curve.p == 0:
        return None
    if one == other:
        slope = (3 * one[0] * one[0] + curve.a) * pow(2 * one[1], -1, curve.p)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, curve.p)
    x = (slope * slope - one[0] - other[0]) % curve.p
    return x, (slope * (one[0] - x) - one[1]) % curve.p


@cache
def times(curve: Curve, factor: int, point: Affine) -> Affine:
    """A point, so many times."""
    total: Affine = None
    while factor:
        if factor & 1:
            total = plus(curve, total, point)
        point = plus(curve, point, point)
        factor >>= 1
    return total


def der_figure(figure: int, *, signed: bool = True) -> bytes:
    """A figure as DER; without the byte that keeps it positive, as some meters write it."""
    size = figure.bit_length() // 8 + 1 if signed else (figure.bit_length() + 7) // 8
    data = figure.to_bytes(size, "big")
    return bytes([2, len(data)]) + data


def der(tag: int, content: bytes) -> bytes:
    """A DER element of up to 255 bytes."""
    return bytes([tag]) + (bytes([len(content)]) if len(content) < 128 else bytes([0x81, len(content)])) + content


OBJECT_IDS = {
    "secp192k1": "06052B8104001F",
    "secp256k1": "06052B8104000A",
    "secp192r1": "06082A8648CE3D030101",
    "secp256r1": "06082A8648CE3D030107",
    "brainpoolP256r1": "06092B2403030208010107",
    "secp384r1": "06052B81040022",
    "brainpoolP384r1": "06092B240303020801010B",
}
"""Written out, so that no code of the verifier makes the keys it reads."""
SPEC_NAMES = {"brainpoolP256r1": "brainpool256r1", "brainpoolP384r1": "brainpool384r1"}
"""What OCMF calls two of the curves."""


@dataclass
class Meter:
    """A meter with a key of its own."""

    curve_name: str = "secp256r1"
    serial: str = "1EMH0012345678"
    gateway: str = "GW-1"
    secret: int = SECRET
    pages: int = 0
    public: tuple[int, int] = field(init=False)

    def __post_init__(self) -> None:
        found = times(self.curve, self.secret, self.curve.g)
        assert found is not None
        self.public = found

    @property
    def curve(self) -> Curve:
        return CURVES[self.curve_name]

    @property
    def point(self) -> bytes:
        """The bare point, with 04 in front."""
        return b"\x04" + b"".join(one.to_bytes(self.curve.octets, "big") for one in self.public)

    @property
    def compressed(self) -> bytes:
        return bytes([2 + self.public[1] % 2]) + self.public[0].to_bytes(self.curve.octets, "big")

    @property
    def spki(self) -> bytes:
        algorithm = der(0x30, bytes.fromhex("06072A8648CE3D0201" + OBJECT_IDS[self.curve_name]))
        return der(0x30, algorithm + der(3, b"\0" + self.point))

    @property
    def key(self) -> str:
        """The key as most stations print it."""
        return self.spki.hex().upper()

    def figures(self, data: bytes) -> tuple[int, int]:
        """A signature's r and s; the secret factor comes from the data, so that vectors stay the same."""
        digest = hashlib.sha256(data).digest()
        wanted = int.from_bytes(digest, "big") >> max(256 - self.curve.n.bit_length(), 0)
        factor = int.from_bytes(hashlib.sha512(b"k" + data).digest(), "big") % (self.curve.n - 1) + 1
        point = times(self.curve, factor, self.curve.g)
        assert point is not None
        r = point[0] % self.curve.n
        return r, pow(factor, -1, self.curve.n) * (wanted + r * self.secret) % self.curve.n

    def der(self, data: bytes) -> bytes:
        r, s = self.figures(data)
        return der(0x30, der_figure(r) + der_figure(s))

    def raw(self, data: bytes) -> bytes:
        return b"".join(one.to_bytes(self.curve.octets, "big") for one in self.figures(data))

    def sign(self, payload: str, **section: Any) -> str:
        """An OCMF record over exactly this payload."""
        name = SPEC_NAMES.get(self.curve_name, self.curve_name)
        told = {"SA": f"ECDSA-{name}-SHA256", "SD": self.der(payload.encode()).hex().upper(), **section}
        return f"OCMF|{payload}|{json.dumps({key: value for key, value in told.items() if value is not None})}"

    def record(self, *readings: dict[str, Any], **more: Any) -> str:
        """The next record with these readings."""
        return self.sign(self.payload(*readings, **more))

    def payload(self, *readings: dict[str, Any], **more: Any) -> str:
        self.pages += 1
        told = {
            "FV": "1.1",
            "GI": "Gateway",
            "GS": self.gateway,
            "PG": f"T{self.pages}",
            "MV": "Maker",
            "MS": self.serial,
            "IS": True,
            "IL": "VERIFIED",
            "IF": [],
            "IT": "ISO14443",
            "ID": "04A1B2C3D4",
            **more,
            "RD": list(readings),
        }
        return json.dumps({key: value for key, value in told.items() if value is not None})

    def transaction(self, begin: Any = 1000.0, end: Any = 1012.345, **more: Any) -> str:
        """Begin and end in one record."""
        return self.record(reading("B", begin, BEGIN_AT), reading("E", end, END_AT), **more)

    def pair(self, begin: Any = 1000.0, end: Any = 1012.345, **more: Any) -> tuple[str, str]:
        """Begin and end in two records."""
        return (
            self.record(reading("B", begin, BEGIN_AT), **more),
            self.record(reading("E", end, END_AT), **more),
        )


def reading(purpose: str | None, value: Any, at: str | None = BEGIN_AT, **more: Any) -> dict[str, Any]:
    """One reading; what is given as None is left out."""
    told = {"TM": at, "TX": purpose, "RV": value, "RI": "1-b:1.8.0", "RU": "kWh", "EF": "", "ST": "G", **more}
    return {key: one for key, one in told.items() if one is not None}


def alfen(meter: Meter, purpose: int, watt_hours: int, page: int, **more: Any) -> str:
    """An ALFEN record of a meter on secp192r1."""
    data = bytearray(82)
    data[0:10] = b"\x0aTestDev\x00\x11"
    data[10:14] = b"v014"
    data[16:26] = more.get("meter_id", b"\x0a\x01DZG\x00\x33\x00\x01\x40")
    data[26:28] = more.get("meter_status", 0).to_bytes(2, "little")
    data[28:30] = more.get("adapter_status", 0).to_bytes(2, "little")
    data[34:38] = more.get("seconds", 1_795_000_000 + page * 60).to_bytes(4, "little")
    data[38:44] = bytes.fromhex("0100010800FF")
    data[44:46] = bytes([more.get("unit", 0x1E), more.get("scale", 0)])
    data[46:54] = watt_hours.to_bytes(8, "little", signed=True)
    data[54:68] = b"045D596A313480"
    data[74:78] = more.get("session", 87).to_bytes(4, "little")
    data[78:82] = page.to_bytes(4, "little")
    key, signed, signature = (
        base64.b32encode(one).decode() for one in (meter.compressed, bytes(data), meter.raw(bytes(data)))
    )
    return f"AP;{purpose};3;{key};{signed};{signature};"
