"""A mail server, spoken to in SMTP. One letter, one connection: letters are few, and a kept connection goes stale."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, parseaddr
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from tallywatt.kernel.clock import moment
from tallywatt.kernel.errors import BadInput
from tallywatt.workflows.ports import LetterDelayed, LetterRefused

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.workflows.ports import Letter

SECONDS: Final = 20.0
"""Longer than a mail server takes that looks at who sends, shorter than the job's lease."""
PORTS: Final = {"smtp": 587, "smtps": 465}
PERMANENT: Final = 500
"""From here on a reply says: never try this again (RFC 5321 §4.2.1)."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where letters are handed in: `smtp://user:password@host:587` (STARTTLS), `smtps://…:465` (TLS from the first byte)."""

    host: str
    port: int
    tls_at_once: bool
    user: str | None
    password: str | None

    @classmethod
    def of(cls, url: str) -> MailServer:
        """The mail server of an address; BadInput when it is none."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            msg = "the mail server's address begins with smtp:// or smtps:// and names a host"
            raise BadInput(msg, code="settings.bad", remedy="mend TALLYWATT_SMTP_URL")
        user = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password else None
        port = parts.port or PORTS[parts.scheme]
        return cls(parts.hostname, port, parts.scheme == "smtps", user, password)

    @property
    def is_here(self) -> bool:
        """Whether it runs on this machine, where nobody listens in between."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


class SmtpPost:
    """Hands letters to a mail server."""

    def __init__(self, server: MailServer, sender: str) -> None:
        self._server = server
        self._sender = sender
        self._context = ssl.create_default_context()

    def send(self, letter: Letter, message_id: str, now: Instant) -> None:
        """Hand in a letter.

        The message id is the same however often it is tried, so that a mail program shows a letter once that came twice.
        """
        written = self._written(letter, message_id, now)
        try:
            with self._connected() as connection:
                connection.send_message(written)
        # What the server says may hold the address, so neither its words nor the chain of errors goes on from here.
        except smtplib.SMTPRecipientsRefused as refused:
            raise _told(max(code for code, _ in refused.recipients.values())) from None
        except (smtplib.SMTPAuthenticationError, smtplib.SMTPConnectError) as refused:
            # It does not know us: that is mended in the settings, and then the letter goes.
            msg = f"the mail server does not let us in ({refused.smtp_code})"
            raise LetterDelayed(msg, remedy="look at TALLYWATT_SMTP_URL") from None
        except smtplib.SMTPResponseException as refused:
            raise _told(refused.smtp_code) from None
        except smtplib.SMTPNotSupportedError as refused:
            raise LetterDelayed(str(refused)) from None
        except (smtplib.SMTPException, OSError) as failed:
            msg = f"the mail server could not be reached: {type(failed).__name__}"
            raise LetterDelayed(msg) from None

    def _written(self, letter: Letter, message_id: str, now: Instant) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"] = formataddr((letter.sender_name, parseaddr(self._sender)[1]))
        message["To"] = letter.to
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(moment(now))
        message["Message-ID"] = f"<{message_id}@{parseaddr(self._sender)[1].rpartition('@')[2] or 'localhost'}>"
        # Nobody is to answer it, and no machine that is on holiday either (RFC 3834).
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        return message

    def _connected(self) -> smtplib.SMTP:
        server = self._server
        if server.tls_at_once:
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=SECONDS, context=self._context
            )
        else:
            connection = smtplib.SMTP(server.host, server.port, timeout=SECONDS)
        try:
            connection.ehlo()
            if not server.tls_at_once and connection.has_extn("starttls"):
                connection.starttls(context=self._context)
                connection.ehlo()
            elif not server.tls_at_once and not server.is_here:
                msg = "the mail server offers no STARTTLS: a sign-in link would go over the wire in the clear"
                raise smtplib.SMTPNotSupportedError(msg)
            if server.user is not None:
                connection.login(server.user, server.password or "")
        except BaseException:
            connection.close()
            raise
        return connection


def _told(code: int) -> LetterRefused | LetterDelayed:
    if code >= PERMANENT:
        return LetterRefused(f"the mail server refused the letter for good ({code})")
    return LetterDelayed(f"the mail server will take the letter later ({code})")
