"""The way to an identity provider: no private place, no second answer of a name server, and the host's own certificate."""

from __future__ import annotations

import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tallywatt.adapters.identity.places import JudgedTransport, require_allowed
from tallywatt.kernel.errors import NotSignedIn
from tallywatt.partners.address import read_allow_list

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "sign-in.example.org"


class Hello(BaseHTTPRequestHandler):
    """Says which host was asked for."""

    def do_GET(self) -> None:
        """Answer."""
        body = self.headers["host"].encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of the name, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.fromtimestamp(1_700_000_000, UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "name.pem"
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def listening(certificate: Path) -> Iterator[int]:
    """A server with that certificate on loopback; its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hello)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("answer", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["169.254.169.254"], ["::1"]])
def test_a_name_that_leads_to_a_private_place_is_not_connected_to(answer: list[str]) -> None:
    """Also when only one of its addresses does, and whatever the allow-list says about another name."""
    transport = JudgedTransport(read_allow_list("other.example"), lambda *_: list(answer))
    with httpx.Client(transport=transport) as client, pytest.raises(NotSignedIn) as refused:
        client.get(f"https://{NAME}/.well-known/openid-configuration")
    assert refused.value.code == "sso.private_address"


@pytest.mark.parametrize("url", ["http://sign-in.example.org/keys", "ftp://sign-in.example.org/", "file:///etc/passwd"])
def test_an_address_without_tls_is_not_asked(url: str) -> None:
    """An issuer with TLS may name others that have none: secrets go there."""
    with pytest.raises(NotSignedIn) as refused:
        require_allowed(url, read_allow_list(""))
    assert refused.value.code == "sso.not_https"


def test_the_certificate_is_that_of_the_name_although_an_address_is_connected_to(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judged address is used, and whoever else is there is not taken for the host."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    allow = read_allow_list(f"{NAME}, another.example.org")
    with (
        listening(certificate) as port,
        httpx.Client(transport=JudgedTransport(allow, lambda *_: ["127.0.0.1"])) as client,
    ):
        assert client.get(f"https://{NAME}:{port}/").text == f"{NAME}:{port}"
        with pytest.raises(httpx.ConnectError):
            client.get(f"https://another.example.org:{port}/")
