"""A real mail server on this machine: takes letters, refuses some, speaks TLS and asks for a password if it is to."""

# ruff: noqa: ARG002  # the library calls its handlers with all of these

from __future__ import annotations

import re
import ssl
from datetime import timedelta
from email import message_from_bytes, policy
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tallywatt.adapters.machine import MachineClock
from tallywatt.kernel.clock import moment

if TYPE_CHECKING:
    from email.message import EmailMessage
    from pathlib import Path
    from types import TracebackType

USER, PASSWORD = "tallywatt", "p:ss/w@rd"


class Mailbox:
    """Letters as they were handed in. `refuses` maps an address to what the server says to it."""

    def __init__(self, *, tls: Path | None = None, tls_at_once: bool = False, asks_for_password: bool = False) -> None:
        self.letters: list[EmailMessage] = []
        self.refuses: dict[str, str] = {}
        self.scheme = "smtps" if tls_at_once else "smtp"
        options: dict[str, Any] = {"hostname": "127.0.0.1", "port": 0}
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            options |= {"ssl_context": context} if tls_at_once else {"tls_context": context, "require_starttls": True}
        if asks_for_password:
            options |= {"auth_required": True, "authenticator": self._authenticate, "auth_require_tls": not tls_at_once}
        self._server = _OnAnyPort(self, **options)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._server.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]  # it has started
        return port

    @property
    def url(self) -> str:
        """Its address, as the settings want it."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802 - the library's name
        """Take a recipient, or refuse."""
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the library's name
        """Keep a letter."""
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken"

    def _authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
        good = isinstance(given, LoginPassword) and (given.login, given.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=good, handled=good)


class _OnAnyPort(Controller):
    """aiosmtpd knocks at its own port to see that it is up; with port 0 it must ask which one that is."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]  # it listens by now
        super()._trigger_server()  # type: ignore[no-untyped-call]  # the library left it without types


def text_of(letter: EmailMessage) -> str:
    """What a letter says."""
    body = letter.get_body(("plain",))
    assert body is not None
    content: str = body.get_content()
    return content


def link_in(letter: EmailMessage) -> str:
    """The path of the link in a letter."""
    found = re.search(r"https?://[^/\s]+(/\S+)", text_of(letter))
    assert found is not None, text_of(letter)
    return found[1]


def code_in(letter: EmailMessage) -> str:
    """The six digits of a sign-in letter."""
    found = re.search(r"\b(\d{3} \d{3})\b", text_of(letter))
    assert found is not None, text_of(letter)
    return found[1]


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 with its key in one file, which is also its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail server of a test")])
    now = moment(MachineClock().now())
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "mail.pem"
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path
