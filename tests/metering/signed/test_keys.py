"""Public keys, in every way in which stations, plates and people write them."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.metering.signed.curves import CURVES
from tallywatt.metering.signed.keys import read_key
from tests.metering.signed.meter import Meter

METER = Meter("secp256r1")
HEX = METER.key
PEM_BODY = base64.encodebytes(METER.spki).decode()


@pytest.mark.parametrize(
    "written",
    [
        HEX,
        HEX.lower(),
        " ".join(HEX[place : place + 2] for place in range(0, len(HEX), 2)),
        ":".join(HEX[place : place + 2] for place in range(0, len(HEX), 2)),
        f"\n  {HEX[:64]}\n  {HEX[64:]}\n",
        "0x" + HEX,
        base64.b64encode(METER.spki).decode(),
        base64.urlsafe_b64encode(METER.spki).decode().rstrip("="),
        base64.b64encode(HEX.encode()).decode(),
        base64.b64encode(f"oca:base16:asn1:{HEX}".encode()).decode(),
        f"oca:base16:asn1:{HEX}",
        f"oca:base64:asn1:{base64.b64encode(METER.spki).decode()}",
        base64.b32encode(METER.spki).decode(),
        f"-----BEGIN PUBLIC KEY-----\n{PEM_BODY}-----END PUBLIC KEY-----\n",
        f"-----BEGIN PUBLIC KEY-----{base64.b64encode(METER.spki).decode()}-----END PUBLIC KEY-----",
        METER.point.hex(),
        METER.point[1:].hex(),
        METER.compressed.hex(),
        base64.b64encode(METER.point).decode(),
    ],
)
def test_one_key_is_read_however_it_is_written(written: str) -> None:
    """The operator copies it from a plate, a data sheet or a message; it is one key."""
    key = read_key(written)

    assert key is not None
    assert key.point_on(CURVES["secp256r1"]) == METER.public


@pytest.mark.parametrize("name", CURVES)
def test_each_curve_is_named_by_its_key(name: str) -> None:
    """The curve comes from the key that the operator vouches for, never from what a record says of itself."""
    meter = Meter(name)
    key = read_key(meter.key)

    assert key is not None
    assert key.curve is CURVES[name]
    assert key.spki == meter.spki
    compressed = read_key(meter.compressed.hex())
    assert compressed is not None
    assert compressed.is_same(key)


def test_what_is_written_anew_is_read_by_a_library() -> None:
    """Keys leave the house as SubjectPublicKeyInfo."""
    key = read_key(Meter("brainpoolP384r1").key)
    assert key is not None
    assert key.spki is not None

    assert serialization.load_der_public_key(key.spki) is not None


@pytest.mark.parametrize(
    "written",
    [
        "",
        "none",
        HEX[:-2],
        HEX + "00",
        HEX[:-2] + ("00" if HEX[-2:] != "00" else "01"),
        "00" * 65,
        "04" + "FF" * 64,
        Meter("secp256r1").spki.hex().replace("2a8648ce3d030107", "2a8648ce3d030199"),
        "3" * 20_000,
    ],
)
def test_what_is_no_point_of_a_curve_is_no_key(written: str) -> None:
    """A key with a digit lost must be found when it is registered, not when the first session is held."""
    assert read_key(written) is None


@given(st.text(max_size=300) | st.binary(max_size=120).map(bytes.hex))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    """Keys come from stations, too."""
    key = read_key(text)

    assert key is None or any(key.point_on(curve) for curve in CURVES.values())
