"""Pure: one signed record, whatever its format: the bytes that were signed, the signature, and what the record says."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from tallywatt.metering.signed import octets
from tallywatt.metering.signed.curves import CURVES, fits
from tallywatt.metering.signed.reasons import Code, Signature

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.metering.signed.curves import Curve
    from tallywatt.metering.signed.keys import PublicKey

BEGINS: Final = frozenset("B")
ENDS: Final = frozenset("ELRAP")
"""Ended; locally, remotely, aborted by an error, by a power failure."""
SYNCHRONISED, RELATIVE = "S", "R"
DEFAULT: Final = CURVES["secp256r1"]
"""The curve of a record that names none (OCMF since 0.4)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a record. What the record does not say, or not readably, is None."""

    purpose: str | None
    """OCMF TX: B begin, E (L, R, A, P) end, C charging, X exception, S suspended, T tariff change; None: no transaction."""
    at: Instant | None
    clock: str
    """U unknown, I informative, S synchronised, R relative; empty: not told."""
    register: str | None
    """The OBIS code, normalised."""
    unit: str | None
    """Wh or kWh; None for any other."""
    watt_hours: Decimal | None
    errors: str = ""
    """OCMF EF: which quantities are not usable: E energy, t time."""
    status: str | None = None
    """OCMF ST; G is good."""
    events: str | None = None
    loss_watt_hours: Decimal | None = None
    """What was taken off for the cable already."""


@dataclass(frozen=True, slots=True)
class SignedRecord:
    """A record that a meter signed."""

    format: str
    text: str
    """Exactly as received."""
    signed: bytes = b""
    """The bytes under the signature."""
    signature: bytes | None = None
    curve: Curve | None = None
    """As the record names it."""
    delivered_key: str | None = None
    """The key in the record or beside it: it proves nothing, and may be compared."""
    key_is_inside: bool = False
    """Whether the format carries the key in each record, so that it must be the meter's."""
    context: str | None = None
    """Transaction.Begin, Transaction.End, as whoever delivered it said."""
    meter_serial: str | None = None
    gateway_serial: str | None = None
    charge_point: str | None = None
    session: str | None = None
    user: str | None = None
    page_counter: str | None = None
    """Which counter the page number is of: T, F."""
    page: int | None = None
    tariff_text: str | None = None
    readings: tuple[Reading, ...] = ()
    problems: tuple[Code, ...] = ()
    """What was found while it was read."""
    is_readable: bool = True
    """False: there is nothing to check a signature over."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a signature."""

    verdict: Signature
    reasons: tuple[Code, ...] = field(default=())
    curve: Curve | None = None


_NOT_CHECKED: Final = frozenset({Code.FORMAT_UNSUPPORTED, Code.ALGORITHM_UNSUPPORTED, Code.VERSION_UNKNOWN})


def check(record: SignedRecord, key: PublicKey | None) -> Checked:
    """Whether this key made the record's signature. The key says the curve; what the record names must agree."""
    if _NOT_CHECKED.intersection(record.problems) or not record.is_readable:
        return Checked(Signature.UNVERIFIABLE)
    if key is None:
        return Checked(Signature.UNVERIFIABLE, (Code.KEY_MISSING,))
    curve = key.curve or record.curve or DEFAULT
    if record.signature is None:
        return Checked(Signature.INVALID)
    if record.curve is not None and record.curve is not curve:
        return Checked(Signature.INVALID, (Code.ALGORITHM_DIFFERS,), curve)
    return _checked_on(curve, record, record.signature, key)


def _checked_on(curve: Curve, record: SignedRecord, signature: bytes, key: PublicKey) -> Checked:
    point, figures = key.point_on(curve), signature_figures(signature, curve)
    if point is None:
        return Checked(Signature.UNVERIFIABLE, (Code.KEY_UNREADABLE,), curve)
    if figures is None:
        return Checked(Signature.INVALID, (Code.SIGNATURE_UNREADABLE,), curve)
    if not fits(curve, point, hashlib.sha256(record.signed).digest(), *figures):
        return Checked(Signature.INVALID, (Code.SIGNATURE_WRONG,), curve)
    doubts = (Code.ALGORITHM_NOT_TOLD,) if record.curve is None and curve is not DEFAULT else ()
    return Checked(Signature.VALID, doubts, curve)


def signature_figures(data: bytes, curve: Curve) -> tuple[int, int] | None:
    """Both figures: from DER, where some meters leave out the byte that keeps one positive, or plainly one after the other."""
    try:
        inner, rest = octets.element(data, octets.SEQUENCE)
        first, after = octets.element(inner, octets.INTEGER)
        second, more = octets.element(after, octets.INTEGER)
        if not rest and not more and max(len(first), len(second)) <= curve.octets + 1:
            return int.from_bytes(first, "big"), int.from_bytes(second, "big")
    except octets.NotDer:
        pass  # then it may be the other form
    if len(data) == 2 * curve.octets:
        return int.from_bytes(data[: curve.octets], "big"), int.from_bytes(data[curve.octets :], "big")
    return None


def register_name(text: str) -> str | None:
    """An OBIS code so that one register has one name: `1-b:1.8.0*ff`, `01-00:01.08.00.FF` and `1.8.0` alike in form."""
    plain = octets.tight(text).lower()
    if len(plain) == 12 and all(one in "0123456789abcdef" for one in plain):
        a, b, c, d, e, f = (plain[place : place + 2] for place in range(0, 12, 2))
        plain = f"{a}-{b}:{c}.{d}.{e}.{f}"
    head, colon, tail = plain.rpartition(":")
    medium, _, channel = head.partition("-")
    groups = tail.replace("*", ".").replace("&", ".").split(".")
    if not 3 <= len(groups) <= 4 or not all(one.isalnum() and one.isascii() and len(one) <= 3 for one in groups):
        return None
    c, d, e, *others = (one.lstrip("0") or "0" for one in groups)
    if colon and not (medium.isalnum() and len(medium) <= 3 and len(channel) <= 3):
        return None
    a = (medium.lstrip("0") or "0") if colon else "1"
    b = (channel.lstrip("0") or "0") if colon else "b"
    return f"{a}-{b}:{c}.{d}.{e}" + (f"*{others[0]}" if others else "")
