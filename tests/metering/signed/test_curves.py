"""The arithmetic of the seven curves, held against a library where the library has them."""

from __future__ import annotations

import hashlib
from typing import Final

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from hypothesis import given, settings
from hypothesis import strategies as st

from tallywatt.metering.signed.curves import CURVES, curve_named, fits
from tests.metering.signed.meter import Meter, times

LIBRARY: Final[dict[str, ec.EllipticCurve]] = {
    "secp256k1": ec.SECP256K1(),
    "secp192r1": ec.SECP192R1(),
    "secp256r1": ec.SECP256R1(),
    "brainpoolP256r1": ec.BrainpoolP256R1(),
    "secp384r1": ec.SECP384R1(),
    "brainpoolP384r1": ec.BrainpoolP384R1(),
}


@pytest.mark.parametrize("name", CURVES)
def test_the_parameters_are_those_of_a_curve(name: str) -> None:
    """One wrong digit, and every signature of that curve would be wrong: the base point has exactly its order."""
    curve = CURVES[name]

    assert curve.holds(curve.g)
    assert times(curve, curve.n, curve.g) is None
    assert curve.n.bit_length() == curve.bits
    assert curve.p % 4 == 3


@pytest.mark.parametrize("name", LIBRARY)
@settings(max_examples=3)
@given(message=st.binary(max_size=200), secret=st.integers(1, 2**180))
def test_what_a_library_signs_holds_and_nothing_else_does(name: str, message: bytes, secret: int) -> None:
    """Two implementations that never met agree on each curve that both have."""
    curve, key = CURVES[name], ec.derive_private_key(secret, LIBRARY[name])
    r, s = utils.decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    numbers = key.public_key().public_numbers()
    point, digest = (numbers.x, numbers.y), hashlib.sha256(message).digest()

    assert fits(curve, point, digest, r, s)
    assert not fits(curve, point, hashlib.sha256(message + b".").digest(), r, s)
    assert not fits(curve, point, digest, s, r) or r == s
    assert curve.lift(point[0], odd=point[1] % 2 == 1) == point


@pytest.mark.parametrize("name", LIBRARY)
def test_a_library_agrees_with_the_meter_of_the_tests(name: str) -> None:
    """The vectors of all other tests are no private agreement between the tests and the verifier."""
    meter = Meter(name)
    public = ec.EllipticCurvePublicNumbers(*meter.public, LIBRARY[name]).public_key()

    public.verify(meter.der(b"a reading"), b"a reading", ec.ECDSA(hashes.SHA256()))
    assert public.public_numbers().x == meter.public[0]


@pytest.mark.parametrize("name", CURVES)
def test_figures_outside_of_their_range_never_hold(name: str) -> None:
    """A signature of zeros holds for everything where a verifier forgets to look."""
    curve, meter = CURVES[name], Meter(name)
    digest = hashlib.sha256(b"a reading").digest()
    r, s = meter.figures(b"a reading")

    assert fits(curve, meter.public, digest, r, s)
    for bad in ((0, 0), (0, s), (r, 0), (r + curve.n, s), (r, s + curve.n), (curve.n, curve.n)):
        assert not fits(curve, meter.public, digest, *bad)
    assert not fits(curve, (meter.public[0], meter.public[1] ^ 1), digest, r, s)


def test_a_curve_is_known_by_all_its_names() -> None:
    """The format's tables and the libraries do not agree on what two of the curves are called."""
    assert curve_named("brainpool256r1") is curve_named("brainpoolP256r1") is CURVES["brainpoolP256r1"]
    assert curve_named("NIST P-384") is CURVES["secp384r1"]
    assert curve_named("prime256v1") is CURVES["secp256r1"]
    assert curve_named("secp521r1") is None
