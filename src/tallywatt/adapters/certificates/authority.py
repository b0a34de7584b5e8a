"""X.509: the authority of an operator, and the certificates of stations that it signs. Loaded by who makes or signs one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tallywatt.kernel.clock import Instant, moment
from tallywatt.kernel.errors import BadInput
from tallywatt.stations.certificates import LARGEST_REQUEST, Issued

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

CURVES = frozenset({"secp256r1", "secp384r1", "secp521r1"})
SMALLEST_RSA = 2048
STATION_DAYS = 398
BACKDATED = dt.timedelta(hours=1)
"""A station's clock may be behind ours."""


@dataclass(frozen=True, slots=True)
class NewAuthority:
    """A certificate and its key, both in PEM. The key is shown to nobody."""

    certificate: str
    key: str
    fingerprint: str
    holds_from: Instant
    holds_until: Instant


def make_authority(name: str, years: int, now: Instant) -> NewAuthority:
    """A new authority, signed by itself: ECDSA over P-256, which every station must know."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name)
    begin = _utc(now)
    made = (
        _begun(subject, subject, key.public_key(), begin, dt.timedelta(days=366 * years))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return NewAuthority(_pem(made), secret, _fingerprint(made), *_span(made))


def sign(request: str, identity: str, authority: str, key: str, now: Instant, days: int = STATION_DAYS) -> Issued:
    """Sign a station's request; BadInput for one that is not its own, or that nobody should trust."""
    asked = _read_request(request, identity)
    issuer = x509.load_pem_x509_certificate(authority.encode())
    signer = serialization.load_pem_private_key(key.encode(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey), "every authority of ours has such a key"
    begin = _utc(now)
    end = min(begin + dt.timedelta(days=days), issuer.not_valid_after_utc)
    names = [x509.NameAttribute(NameOID.COMMON_NAME, identity)]
    organisation = issuer.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    made = (
        _begun(x509.Name([*organisation, *names]), issuer.subject, asked.public_key(), begin, end - begin)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(asked.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    own = _pem(made)
    return Issued(own, own + authority, f"{made.serial_number:x}", _fingerprint(made), *_span(made))


def _read_request(request: str, identity: str) -> x509.CertificateSigningRequest:
    remedy = "the station makes a new one: its common name is its identity, its key ECDSA P-256 or RSA of 2048 bits"
    try:
        if len(request) > LARGEST_REQUEST:
            raise ValueError(request[:20])  # read like everything that is no request
        asked = x509.load_pem_x509_csr(request.encode())
        is_its_own = asked.is_signature_valid
        public = asked.public_key()
    except (ValueError, InvalidSignature, UnsupportedAlgorithm) as error:
        msg = "this is no certificate signing request"
        raise BadInput(msg, code="certificates.bad_request", remedy=remedy) from error
    names = [str(one.value) for one in asked.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if not is_its_own or not _is_strong(public):
        msg = "the request is not signed by its own key, or that key is weak"
        raise BadInput(msg, code="certificates.bad_request", remedy=remedy)
    if names != [identity]:
        msg = f"the request is for {', '.join(names) or 'nobody'}, not for {identity}"
        raise BadInput(msg, code="certificates.other_name", remedy=remedy)
    return asked


def _is_strong(public: CertificatePublicKeyTypes) -> bool:
    if isinstance(public, ec.EllipticCurvePublicKey):
        return public.curve.name in CURVES
    return isinstance(public, rsa.RSAPublicKey) and public.key_size >= SMALLEST_RSA


def _begun(
    subject: x509.Name, issuer: x509.Name, public: CertificatePublicKeyTypes, begin: dt.datetime, life: dt.timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin - BACKDATED)
        .not_valid_after(begin + life)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(name: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, name[:64]), x509.NameAttribute(NameOID.COMMON_NAME, name[:64])]
    )


def _utc(now: Instant) -> dt.datetime:
    return moment(now, dt.UTC).replace(microsecond=0)


def _pem(made: x509.Certificate) -> str:
    return made.public_bytes(serialization.Encoding.PEM).decode()


def _fingerprint(made: x509.Certificate) -> str:
    return made.fingerprint(hashes.SHA256()).hex()


def _span(made: x509.Certificate) -> tuple[Instant, Instant]:
    begin, end = made.not_valid_before_utc, made.not_valid_after_utc
    return Instant(int(begin.timestamp()) * 1000), Instant(int(end.timestamp()) * 1000)
