"""TLS of the gateway: its own certificate, read again when its file changes, and whom it trusts to vouch for stations."""

from __future__ import annotations

import hashlib
import ssl
from typing import TYPE_CHECKING

import structlog

from tallywatt.kernel.errors import Broken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

log = structlog.get_logger(__name__)

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!eNULL:!MD5:!SHA1"
"""For TLS 1.2: forward secrecy and authenticated encryption alone. OCPP's own list begins with the first of them."""


class Shield:
    """The TLS context of a gateway. Connections that are open keep what they began with."""

    def __init__(self, certificate: Path, key: Path, authorities: Callable[[], Iterable[str]]) -> None:
        self._certificate, self._key = certificate, key
        self._authorities = authorities
        self._trusted: set[str] = set()
        self._seen = self._stamp()
        self.context = self._made()
        self.trust()

    def _made(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(CIPHERS)
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
        self._load(context)
        return context

    def _load(self, context: ssl.SSLContext) -> None:
        try:
            context.load_cert_chain(self._certificate, self._key)
        except (OSError, ssl.SSLError) as error:
            # What OpenSSL says names a file and a reason, never what is in it.
            msg = f"the gateway's certificate {self._certificate} and key {self._key} cannot be used: {error}"
            remedy = "name a PEM chain and its unencrypted key in TALLYWATT_OCPP_TLS_CERTIFICATE and _KEY"
            raise Broken(msg, code="serve.bad_certificate", remedy=remedy) from error

    def trust(self) -> None:
        """Trust authorities that are new. One that nobody vouches for ends the handshake; none at all does not."""
        for one in self._authorities():
            if one not in self._trusted:
                self.context.load_verify_locations(cadata=one)
                self.context.verify_mode = ssl.CERT_OPTIONAL
                self._trusted.add(one)

    def look_again(self) -> None:
        """Take a renewed certificate for the connections to come; a broken one is not taken."""
        self.trust()
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
            self._load(self.context)
        except Broken as error:
            log.error("ocpp.certificate_not_renewed", why=error.message)  # noqa: TRY400  # its trace says nothing more
        else:
            log.info("ocpp.certificate_renewed", file=str(self._certificate))

    def _stamp(self) -> tuple[int, ...]:
        found = []
        for file in (self._certificate, self._key):
            try:
                one = file.stat()
            except OSError:
                continue
            found += [one.st_mtime_ns, one.st_size, one.st_ino]
        return tuple(found)


def shown_certificate(ssl_object: ssl.SSLObject | None) -> tuple[str, str] | None:
    """Common name and fingerprint of the certificate that a station has shown and an authority of ours has signed."""
    if ssl_object is None:
        return None
    binary, told = ssl_object.getpeercert(binary_form=True), ssl_object.getpeercert()
    if not binary or not told:
        return None
    subject = [part for parts in told.get("subject", ()) for part in parts]
    names = [str(part[1]) for part in subject if part[0] == "commonName"]
    return (names[0] if len(names) == 1 else ""), hashlib.sha256(binary).hexdigest()
