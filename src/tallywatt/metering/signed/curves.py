"""Pure: the seven elliptic curves of signed meters, their points, and whether a signature fits.

Only public figures pass through here, so nothing can leak by how long it takes. One curve of the seven (secp192k1) is in no
library; the arithmetic is written once for all, and tests hold it against a library for the other six.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

Point = tuple[int, int]
_Projective = tuple[int, int, int]
_NOWHERE: Final[_Projective] = (0, 1, 0)


@dataclass(frozen=True, slots=True)
class Curve:
    """y² = x³ + ax + b over the field of p, with the base point g of prime order n."""

    name: str
    bits: int
    object_id: str
    p: int
    a: int
    b: int
    g: Point
    n: int

    @property
    def octets(self) -> int:
        """How many bytes a coordinate has."""
        return self.bits // 8

    def holds(self, point: Point) -> bool:
        """Whether a point lies on the curve."""
        x, y = point
        return 0 <= x < self.p and 0 <= y < self.p and (y * y - (x * x * x + self.a * x + self.b)) % self.p == 0

    def lift(self, x: int, *, odd: bool) -> Point | None:
        """The point of a compressed key; None where the curve has none."""
        if not 0 <= x < self.p:
            return None
        square = (x * x * x + self.a * x + self.b) % self.p
        y = pow(square, (self.p + 1) // 4, self.p)  # all seven primes are 3 modulo 4
        if y * y % self.p != square:
            return None
        return x, y if (y % 2 == 1) == odd else self.p - y


def _curve(name: str, object_id: str, bits: int, *figures: str) -> Curve:
    p, a, b, x, y, n = (int(one.replace(" ", ""), 16) for one in figures)
    return Curve(name, bits, object_id, p, a, b, (x, y), n)


CURVES: Final[dict[str, Curve]] = {
    one.name: one
    for one in (
        _curve(
            "secp192k1", "1.3.132.0.31", 192,
            "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFEE37",
            "0",
            "3",
            "DB4FF10EC057E9AE26B07D0280B7F4341DA5D1B1EAE06C7D",
            "9B2F2F6D9C5628A7844163D015BE86344082AA88D95E2F9D",
            "FFFFFFFFFFFFFFFFFFFFFFFE26F2FC170F69466A74DEFD8D",
        ),
        _curve(
            "secp256k1", "1.3.132.0.10", 256,
            "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F",
            "0",
            "7",
            "79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798",
            "483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8",
            "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141",
        ),
        _curve(
            "secp192r1", "1.2.840.10045.3.1.1", 192,
            "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFFFFFFFFFFFF",
            "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFFFFFFFFFFFC",
            "64210519E59C80E70FA7E9AB72243049FEB8DEECC146B9B1",
            "188DA80EB03090F67CBF20EB43A18800F4FF0AFD82FF1012",
            "07192B95FFC8DA78631011ED6B24CDD573F977A11E794811",
            "FFFFFFFFFFFFFFFFFFFFFFFF99DEF836146BC9B1B4D22831",
        ),
        _curve(
            "secp256r1", "1.2.840.10045.3.1.7", 256,
            "FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF",
            "FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFC",
            "5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B",
            "6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296",
            "4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5",
            "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551",
        ),
        _curve(
            "brainpoolP256r1", "1.3.36.3.3.2.8.1.1.7", 256,
            "A9FB57DBA1EEA9BC3E660A909D838D726E3BF623D52620282013481D1F6E5377",
            "7D5A0975FC2C3057EEF67530417AFFE7FB8055C126DC5C6CE94A4B44F330B5D9",
            "26DC5C6CE94A4B44F330B5D9BBD77CBF958416295CF7E1CE6BCCDC18FF8C07B6",
            "8BD2AEB9CB7E57CB2C4B482FFC81B7AFB9DE27E1E3BD23C23A4453BD9ACE3262",
            "547EF835C3DAC4FD97F8461A14611DC9C27745132DED8E545C1D54C72F046997",
            "A9FB57DBA1EEA9BC3E660A909D838D718C397AA3B561A6F7901E0E82974856A7",
        ),
        _curve(
            "secp384r1", "1.3.132.0.34", 384,
            "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFFFF0000000000000000FFFFFFFF",
            "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFFFF0000000000000000FFFFFFFC",
            "B3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF",
            "AA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7",
            "3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F",
            "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973",
        ),
        _curve(
            "brainpoolP384r1", "1.3.36.3.3.2.8.1.1.11", 384,
            "8CB91E82A3386D280F5D6F7E50E641DF152F7109ED5456B412B1DA197FB71123ACD3A729901D1A71874700133107EC53",
            "7BC382C63D8C150C3C72080ACE05AFA0C2BEA28E4FB22787139165EFBA91F90F8AA5814A503AD4EB04A8C7DD22CE2826",
            "04A8C7DD22CE28268B39B55416F0447C2FB77DE107DCD2A62E880EA53EEB62D57CB4390295DBC9943AB78696FA504C11",
            "1D1C64F068CF45FFA2A63A81B7C13F6B8847A3E77EF14FE3DB7FCAFE0CBD10E8E826E03436D646AAEF87B2E247D4AF1E",
            "8ABE1D7520F9C2A45CB1EB8E95CFD55262B70B29FEEC5864E19C054FF99129280E4646217791811142820341263C5315",
            "8CB91E82A3386D280F5D6F7E50E641DF152F7109ED5456B31F166E6CAC0425A7CF3AB6AF6B7FC3103B883202E9046565",
        ),
    )
}  # fmt: skip
"""By the names that libraries use."""

BY_OBJECT_ID: Final = {one.object_id: one for one in CURVES.values()}


def curve_named(text: str) -> Curve | None:
    """The curve of any of its names, as the seven stand in OCMF's tables and as meters write them."""
    return _NAMES.get("".join(one for one in text.lower() if one.isalnum()))


_NAMES: Final = {
    **{name.lower(): one for name, one in CURVES.items()},
    "brainpool256r1": CURVES["brainpoolP256r1"],
    "brainpool384r1": CURVES["brainpoolP384r1"],
    "nistp192": CURVES["secp192r1"],
    "prime192v1": CURVES["secp192r1"],
    "nistp256": CURVES["secp256r1"],
    "prime256v1": CURVES["secp256r1"],
    "nistp384": CURVES["secp384r1"],
    "prime384v1": CURVES["secp384r1"],
}


def fits(curve: Curve, key: Point, digest: bytes, r: int, s: int) -> bool:
    """Whether the key's owner signed this digest (ECDSA, SEC 1 section 4.1.4)."""
    if not (0 < r < curve.n and 0 < s < curve.n and curve.holds(key)):
        return False
    spare = max(len(digest) * 8 - curve.n.bit_length(), 0)
    wanted = int.from_bytes(digest, "big") >> spare
    inverse = pow(s, -1, curve.n)
    x, _, z = _sum_of_two(curve, wanted * inverse % curve.n, key, r * inverse % curve.n)
    if z == 0:
        return False
    return x * pow(z, -2, curve.p) % curve.p % curve.n == r


def _sum_of_two(curve: Curve, times_g: int, key: Point, times_key: int) -> _Projective:
    """times_g · g + times_key · key, both in one pass over their bits."""
    g: _Projective = (*curve.g, 1)
    q: _Projective = (*key, 1)
    table = (None, g, q, _add(curve, g, q))
    total = _NOWHERE
    for place in range(max(times_g.bit_length(), times_key.bit_length()) - 1, -1, -1):
        total = _double(curve, total)
        more = table[(times_g >> place & 1) | (times_key >> place & 1) << 1]
        if more is not None:
            total = _add(curve, total, more)
    return total


def _double(curve: Curve, point: _Projective) -> _Projective:
    x, y, z = point
    if not z or not y:
        return _NOWHERE
    p = curve.p
    square = y * y % p
    s = 4 * x * square % p
    m = (3 * x * x + curve.a * pow(z, 4, p)) % p
    new_x = (m * m - 2 * s) % p
    return new_x, (m * (s - new_x) - 8 * square * square) % p, 2 * y * z % p


def _add(curve: Curve, one: _Projective, other: _Projective) -> _Projective:
    if not one[2]:
        return other
    if not other[2]:
        return one
    p = curve.p
    (x1, y1, z1), (x2, y2, z2) = one, other
    zz1, zz2 = z1 * z1 % p, z2 * z2 % p
    u1, u2 = x1 * zz2 % p, x2 * zz1 % p
    s1, s2 = y1 * z2 * zz2 % p, y2 * z1 * zz1 % p
    if u1 == u2:
        return _double(curve, one) if s1 == s2 else _NOWHERE
    h, slope = u2 - u1, s2 - s1
    hh = h * h % p
    hhh, v = h * hh % p, u1 * hh % p
    x = (slope * slope - hhh - 2 * v) % p
    return x, (slope * (v - x) - s1 * hhh) % p, h * z1 * z2 % p
