"""Letters handed to a real mail server, over plain loopback, STARTTLS and TLS, and what its refusals mean."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tallywatt.adapters.messages.smtp import MailServer, SmtpPost
from tallywatt.kernel.clock import parse_instant
from tallywatt.kernel.errors import BadInput
from tallywatt.workflows.ports import Letter, LetterDelayed, LetterRefused
from tests.mailbox import PASSWORD, USER, Mailbox, certificate, text_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = parse_instant("2026-03-02T09:00:00Z")
LETTER = Letter("ann@dundee.example", "Dundee, City Charging", "Sign in: 123 456", "Grüße\n\nhttp://x/y\n")
SENDER = "Tallywatt <charging@dundee.example>"


def post(url: str) -> SmtpPost:
    """The way to a mail server."""
    return SmtpPost(MailServer.of(url), SENDER)


def test_a_letter_arrives_as_it_was_written() -> None:
    """Whatever stands in the operator's name, and whatever language."""
    with Mailbox() as mailbox:
        post(mailbox.url).send(LETTER, "job-1", NOW)

    [letter] = mailbox.letters
    assert text_of(letter).replace("\r", "") == LETTER.text
    assert (letter["to"], letter["subject"]) == (LETTER.to, LETTER.subject)
    assert letter["from"].addresses[0].display_name == LETTER.sender_name
    assert letter["from"].addresses[0].addr_spec == "charging@dundee.example"
    assert letter["message-id"] == "<job-1@dundee.example>"
    assert letter["auto-submitted"] == "auto-generated"


@pytest.mark.parametrize("tls_at_once", [False, True])
def test_a_mail_server_is_spoken_to_in_tls_and_with_a_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tls_at_once: bool
) -> None:
    """A sign-in link in the clear would be somebody else's."""
    chain = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(chain))
    with Mailbox(tls=chain, tls_at_once=tls_at_once, asks_for_password=True) as mailbox:
        who = f"{USER}:{quote(PASSWORD, safe='')}"
        post(f"{mailbox.scheme}://{who}@127.0.0.1:{mailbox.port}").send(LETTER, "job-1", NOW)
        with pytest.raises(LetterDelayed) as caught:
            post(f"{mailbox.scheme}://{USER}:wrong@127.0.0.1:{mailbox.port}").send(LETTER, "job-2", NOW)

    assert len(mailbox.letters) == 1
    assert "TALLYWATT_SMTP_URL" in (caught.value.remedy or "")


def test_a_certificate_of_somebody_else_gets_no_letter(tmp_path: Path) -> None:
    """Whoever stands in between cannot read it; it waits."""
    with Mailbox(tls=certificate(tmp_path)) as mailbox, pytest.raises(LetterDelayed):
        post(mailbox.url).send(LETTER, "job-1", NOW)
    assert mailbox.letters == []


@pytest.mark.parametrize(
    ("said", "raised"),
    [("550 no such mailbox ann@dundee.example", LetterRefused), ("451 greylisted ann@dundee.example", LetterDelayed)],
)
def test_a_refusal_is_for_good_or_for_now_and_names_nobody(said: str, raised: type[Exception]) -> None:
    """A mailbox that is not there is not asked for days; and jobs and logs keep what an error says."""
    with Mailbox() as mailbox:
        mailbox.refuses[LETTER.to] = said
        with pytest.raises(raised) as caught:
            post(mailbox.url).send(LETTER, "job-1", NOW)
    assert said[:3] in str(caught.value)
    assert "ann" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_mail_server_that_is_not_there_delays() -> None:
    """It is being restarted."""
    with Mailbox() as mailbox:
        url = mailbox.url
    with pytest.raises(LetterDelayed):
        post(url).send(LETTER, "job-1", NOW)


def test_only_a_server_of_this_machine_is_spoken_to_in_the_clear() -> None:
    """Elsewhere STARTTLS is not optional."""
    here: Callable[[str], bool] = lambda url: MailServer.of(url).is_here  # noqa: E731 - said four times below
    assert here("smtp://localhost:25")
    assert here("smtp://127.0.0.1")
    assert here("smtp://[::1]:25")
    assert not here("smtp://mail.example")


def test_an_address_is_read_with_its_usual_ports() -> None:
    """587 hands in with STARTTLS, 465 with TLS (RFC 8314)."""
    assert MailServer.of("smtp://mail.example") == MailServer("mail.example", 587, False, None, None)
    assert MailServer.of("smtps://a%40b:c%2Fd@mail.example") == MailServer("mail.example", 465, True, "a@b", "c/d")


@pytest.mark.parametrize("url", ["mail.example", "http://mail.example", "smtp://", ""])
def test_what_is_no_mail_server_is_refused(url: str) -> None:
    """With the name of the setting."""
    with pytest.raises(BadInput) as caught:
        MailServer.of(url)
    assert "TALLYWATT_SMTP_URL" in (caught.value.remedy or "")
