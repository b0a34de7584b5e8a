"""A driver without a contract: reads the EVSE's code, pays by card on a page, and waits for the station to start."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Protocol
from urllib.parse import quote, urlencode, urljoin, urlsplit

HTTP_SECONDS = 10
PAYABLE = re.compile(r'action="/evse/[^"]+/pay[?"]')
AT_READER = re.compile(r'name="at" value="(reader/[^"]+)"')
POLL_SECONDS = 0.2
OVER = frozenset({"abandoned", "canceled", "cancelled", "declined", "expired", "failed", "refunded", "voided"})
"""States of a payment after which no start will come."""

ASKING = frozenset({"created", "prepared", "requires_action"})
"""States of a payment whose card reader asks for a card, or is about to."""

CARD = {"number": "4242424242424242", "expiry": "12/34", "month": "12", "year": "2034", "code": "123", "name": "DRIVER"}


class DoorClosed(Exception):
    """The platform could not be paid: unreachable, or it said no."""


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment that a driver has begun."""

    id: str
    status_url: str


class Door(Protocol):
    """How somebody whom the platform does not know gets to pay for a charge."""

    async def begin(self, evse_code: str, key: str) -> Payment:
        """Say at which EVSE one wants to charge; `key` makes the same wish twice one wish."""
        ...

    async def settle(self, payment: Payment) -> bool:
        """Show the card, on whatever page the payment leads to; False when the payment is over before that."""
        ...

    async def is_over(self, payment: Payment) -> bool:
        """Whether this payment will start nothing any more."""
        ...


@dataclass(slots=True)
class HttpDoor:
    """The platform's public page, used as its own page would use it.

    `POST /evse/{code}/pay` with `Accept: application/json` answers `{"payment", "status_url"}`. The status is
    `{"state", "hosted_page_url", "session_url"}`. The hosted page, once known, has a form that takes a test card.
    """

    base: str
    patience_seconds: float = 30
    at_readers: bool = False
    """Whether a card is held to the reader beside the charging point, where there is one; else all pay on their phones."""

    async def begin(self, evse_code: str, key: str) -> Payment:
        """Post the wish, again and again while the platform is down."""
        page = f"{self.base}/evse/{quote(evse_code, safe='*')}"
        url = f"{page}/pay"
        deadline = asyncio.get_running_loop().time() + self.patience_seconds
        wish: dict[str, str] | None = None
        while True:
            try:
                if wish is None:
                    wish = await asyncio.to_thread(_way, page) if self.at_readers else {}
                answer = await asyncio.to_thread(_request, "POST", url, wish, key)
                if answer.status < 300:
                    return _payment(answer)
                reason = f"{url} answered {answer.status}"
            except OSError as error:
                reason = f"{url}: {error}"
            if asyncio.get_running_loop().time() > deadline:
                raise DoorClosed(reason)
            await asyncio.sleep(1)

    async def settle(self, payment: Payment) -> bool:
        """Wait for the hosted page, and pay there; at a reader, until a card was held to it."""
        deadline = asyncio.get_running_loop().time() + self.patience_seconds
        tried = False
        while True:
            try:
                status = await self._status(payment)
                state = str(status.get("state")).lower()
                if state in OVER:
                    return False
                if status.get("reader") and state not in ASKING:
                    return True
                page = status.get("hosted_page_url")
                if page is None and tried:
                    return True  # the card was taken, and the answer lost
                if page is not None:
                    tried = True
                    await asyncio.to_thread(_pay_on, page)
                    return True
                reason = "no hosted page came"
            except OSError as error:
                reason = str(error)
            if asyncio.get_running_loop().time() > deadline:
                raise DoorClosed(reason)
            await asyncio.sleep(POLL_SECONDS)

    async def is_over(self, payment: Payment) -> bool:
        """Ask the status; no answer means that it is not known to be over."""
        try:
            return str((await self._status(payment)).get("state")).lower() in OVER
        except OSError:
            return False

    async def _status(self, payment: Payment) -> dict[str, str | None]:
        answer = await asyncio.to_thread(_request, "GET", urljoin(self.base, payment.status_url))
        found = answer.json()
        if answer.status != 200 or not isinstance(found, dict):
            msg = f"the status answered {answer.status}"
            raise OSError(msg)
        return found


@dataclass(frozen=True, slots=True)
class Answer:
    """What a web server answered."""

    status: int
    location: str | None
    body: bytes

    def json(self) -> object:
        """The body as JSON, or an OSError: half an answer is no answer."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            msg = "the answer is not JSON"
            raise OSError(msg) from error


def _request(
    method: str, url: str, form: dict[str, str] | None = None, key: str | None = None, accept: str = "application/json"
) -> Answer:
    """One request on a connection of its own, so that a killed server leaves nothing behind."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=HTTP_SECONDS)
    headers = {"Accept": accept}
    if key is not None:
        headers["Idempotency-Key"] = key
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, target, None if form is None else urlencode(form), headers)
        response = connection.getresponse()
        return Answer(response.status, response.headers.get("Location"), response.read())
    except http.client.HTTPException as error:
        msg = f"{url}: {error!r}"
        raise OSError(msg) from error
    finally:
        connection.close()


def _payment(answer: Answer) -> Payment:
    found = answer.json()
    if not isinstance(found, dict) or not {"payment", "status_url"} <= found.keys():
        msg = f"the platform's answer names no payment: {answer.body[:200]!r}"
        raise OSError(msg)
    return Payment(str(found["payment"]), str(found["status_url"]))


def _way(page: str) -> dict[str, str]:
    """What the page of an EVSE offers to send for the first card reader beside it; nothing where there is none.

    A page on which nothing can be paid is looked at again: while the station is away it does not show the reader either.
    """
    shown = _request("GET", page, accept="text/html")
    text = shown.body.decode("utf-8", "replace")
    if shown.status != 200 or PAYABLE.search(text) is None:
        msg = f"{page} answered {shown.status}, and nothing can be paid there"
        raise OSError(msg)
    found = AT_READER.search(text)
    return {} if found is None else {"at": found[1]}


def _pay_on(page: str) -> None:
    """Open a payment page, fill in its first form as a person would, and send it."""
    shown = _request("GET", page, accept="text/html")
    if shown.status != 200:
        msg = f"{page} answered {shown.status}"
        raise OSError(msg)
    form = read_form(shown.body.decode("utf-8", "replace"))
    if form is None:
        return  # it was paid before
    sent = _request(form.method, urljoin(page, form.action), form.filled(), accept="text/html")
    if sent.status >= 400:
        msg = f"the payment page answered {sent.status}"
        raise OSError(msg)


@dataclass(slots=True)
class Form:
    """The first form of a page."""

    action: str = ""
    method: str = "POST"
    fields: dict[str, dict[str, str]] = field(default_factory=dict)
    button: tuple[str, str] | None = None

    def filled(self) -> dict[str, str]:
        """What a person would send: hidden fields as they are, a test card, the first button."""
        values = {name: _answer(name, attributes) for name, attributes in self.fields.items()}
        return values | (dict([self.button]) if self.button else {})


def _answer(name: str, attributes: dict[str, str]) -> str:
    """The value for one field, found by what it is for or what it is called."""
    if attributes.get("value"):
        return attributes["value"]
    purpose = f"{attributes.get('autocomplete', '')} {name}".lower()
    clues = (
        (("email",), "driver@example.org"),
        (("cc-exp-month", "exp_month", "month"), CARD["month"]),
        (("cc-exp-year", "exp_year", "year"), CARD["year"]),
        (("cc-exp", "expir"), CARD["expiry"]),
        (("cc-csc", "cvc", "cvv", "code"), CARD["code"]),
        (("cc-name", "name"), CARD["name"]),
        (("cc-number", "number", "card"), CARD["number"]),
    )
    return next((value for words, value in clues if any(word in purpose for word in words)), "")


class _FormReader(HTMLParser):
    """Collects the fields of the first form."""

    def __init__(self) -> None:
        super().__init__()
        self.form: Form | None = None
        self._inside = False
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form" and self.form is None:
            self.form = Form(attributes.get("action", ""), attributes.get("method", "get").upper())
            self._inside = True
        elif self._inside and self.form is not None:
            self._field(self.form, tag, attributes)

    def _field(self, form: Form, tag: str, attributes: dict[str, str]) -> None:
        name, kind = attributes.get("name", ""), attributes.get("type", "text" if tag == "input" else "submit")
        if tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            form.fields.setdefault(self._select, attributes)
        elif tag == "button" or (tag == "input" and kind == "submit"):
            if name and form.button is None:
                form.button = name, attributes.get("value", "")
        elif tag == "input" and name and (kind not in ("radio", "checkbox") or name not in form.fields):
            form.fields[name] = attributes

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "select":
            self._select = None


def read_form(html: str) -> Form | None:
    """The first form of a page."""
    reader = _FormReader()
    reader.feed(html)
    return reader.form
