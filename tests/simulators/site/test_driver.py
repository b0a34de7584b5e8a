"""A driver at the platform's door, over real HTTP."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

import pytest

from tallywatt.simulators.site.driver import POLL_SECONDS, DoorClosed, Form, HttpDoor, Payment, read_form

if TYPE_CHECKING:
    from collections.abc import Iterator

FORM = '<form method="post" action="/evse/GB%2ADCC%2AE51421%2A1/pay" class="pay">{}</form>'
CARD_PAGE = """<!doctype html><main><form method="post" action="/c/pay/cs_1"><fieldset>
<label><input type="radio" name="card" value="pm_card_visa" checked> Visa</label>
<label><input type="radio" name="card" value="pm_card_visa_chargeDeclined"> Declined</label></fieldset>
<button>Hold 40.00 GBP</button></form></main>"""


@dataclass
class Platform:
    """The door and the provider's page in one small server."""

    polls_before_page: int = 1
    closed: int = 0
    state: str = "prepared"
    base: str = ""
    offered: str = ""
    """What the page of the EVSE shows."""
    reader: str | None = None
    ways: list[dict[str, list[str]]] = field(default_factory=list)
    wishes: list[tuple[str, str, str]] = field(default_factory=list)
    cards: list[dict[str, list[str]]] = field(default_factory=list)

    def answer(self, method: str, path: str, headers: dict[str, str], body: str) -> tuple[int, str, str]:
        if method == "POST" and path.startswith("/evse/"):
            self.wishes.append((unquote(path), headers["Idempotency-Key"], headers["Accept"]))
            self.ways.append(parse_qs(body))
            if len(self.wishes) <= self.closed:
                return 503, "text/plain", "busy"
            return 201, "application/json", json.dumps({"payment": "p1", "status_url": "/pay/tok.json"})
        if path == "/pay/tok.json":
            self.polls_before_page -= 1
            page = f"{self.base}/c/pay/cs_1" if self.polls_before_page < 0 and not self.cards else None
            return (
                200,
                "application/json",
                json.dumps({"state": self.state, "hosted_page_url": page, "session_url": None, "reader": self.reader}),
            )
        if path.startswith("/evse/"):
            return 200, "text/html", self.offered
        if method == "GET":
            return 200, "text/html", "<p>Thank you</p>" if self.cards else CARD_PAGE
        self.cards.append(parse_qs(body))
        return 303, "text/html", ""


@contextmanager
def serving(platform: Platform) -> Iterator[HttpDoor]:
    """The platform on a port of its own, and a door that knocks there."""

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            status, kind, text = platform.answer(self.command, self.path, dict(self.headers), body)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = _do  # noqa: N815 - the names that http.server looks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    platform.base = f"http://127.0.0.1:{server.server_port}"
    try:
        yield HttpDoor(platform.base, patience_seconds=3)
    finally:
        server.shutdown()
        server.server_close()


async def test_a_driver_pays_at_the_evse_that_is_written_on_the_station() -> None:
    """The wish carries its key, the page comes after a while, and the first test card is chosen."""
    platform = Platform(polls_before_page=2)
    with serving(platform) as door:
        payment = await door.begin("GB*DCC*E51421*1", "wish-1")
        assert payment == Payment("p1", "/pay/tok.json")
        assert await door.settle(payment)
    assert platform.wishes == [("/evse/GB*DCC*E51421*1/pay", "wish-1", "application/json")]
    assert platform.cards == [{"card": ["pm_card_visa"]}]


async def test_a_busy_platform_is_asked_again_under_the_same_key() -> None:
    """The same wish, however often it is sent."""
    platform = Platform(closed=1)
    with serving(platform) as door:
        await door.begin("GB*DCC*E51421*1", "wish-1")
    assert [key for _, key, _ in platform.wishes] == ["wish-1", "wish-1"]


async def test_nobody_pays_twice_when_the_answer_was_lost() -> None:
    """The page has no form any more, or is not named any more: the card was taken."""
    platform = Platform()
    with serving(platform) as door:
        payment = await door.begin("GB*DCC*E51421*1", "wish-1")
        assert await door.settle(payment)
        platform.cards.append({})
        platform.polls_before_page = 0
        with pytest.raises(DoorClosed):
            await HttpDoor(platform.base, patience_seconds=0).settle(payment)
    assert len(platform.cards) == 2


async def test_a_card_is_held_to_the_reader_beside_the_evse() -> None:
    """The first that the page offers; the driver waits until it asks no longer, and knows when nothing was held."""
    offered = FORM.format('<button type="submit" name="at" value="reader/r1">Kiosk</button>')
    for state, is_held in (("authorised", True), ("voided", False)):
        platform = Platform(polls_before_page=10**6, state="requires_action", offered=offered, reader="Kiosk")
        with serving(platform) as door:
            door.at_readers = True
            payment = await door.begin("GB*DCC*E51421*1", "wish-1")
            settling = asyncio.create_task(door.settle(payment))
            await asyncio.sleep(3 * POLL_SECONDS)
            assert not settling.done()
            platform.state = state
            assert await settling is is_held
        assert platform.ways == [{"at": ["reader/r1"]}]
        assert platform.cards == []


async def test_where_there_is_no_reader_it_is_the_phone() -> None:
    """Or where the reader beside it has no connection: the page does not offer it then."""
    platform = Platform(offered=FORM.format("<button>Pay by card</button>"))
    with serving(platform) as door:
        door.at_readers = True
        assert await door.settle(await door.begin("GB*DCC*E51421*1", "wish-1"))
    assert platform.ways == [{}]
    assert platform.cards == [{"card": ["pm_card_visa"]}]


async def test_whoever_cannot_pay_yet_looks_again_and_finds_the_reader_then() -> None:
    """While the station is away its page offers no way to pay: that is no reason to pay on the phone."""
    platform = Platform(offered='<a href="/evse/GB%2ADCC%2AE51421%2A1">Look again</a>')
    with serving(platform) as door:
        door.at_readers = True
        beginning = asyncio.create_task(door.begin("GB*DCC*E51421*1", "wish-1"))
        await asyncio.sleep(3 * POLL_SECONDS)
        assert not beginning.done()
        platform.offered = FORM.format('<button name="at" value="reader/r1">Kiosk</button>')
        await beginning
    assert platform.ways == [{"at": ["reader/r1"]}]


@pytest.mark.parametrize("state", ["voided", "expired", "declined", "abandoned"])
async def test_a_payment_that_is_over_is_told_apart(state: str) -> None:
    """A driver does not wait for a station that will not start."""
    platform = Platform(state=state)
    with serving(platform) as door:
        payment = await door.begin("GB*DCC*E51421*1", "wish-1")
        assert await door.is_over(payment)
        assert not await door.settle(payment)


async def test_a_door_without_a_house_is_closed() -> None:
    """The driver gives up, and says where it was."""
    door = HttpDoor("http://127.0.0.1:9", patience_seconds=0)
    with pytest.raises(DoorClosed, match="/evse/X/pay"):
        await door.begin("X", "wish-1")
    with pytest.raises(DoorClosed):
        await door.settle(Payment("p1", "/pay/tok.json"))
    assert not await door.is_over(Payment("p1", "/pay/tok.json"))


def test_a_card_form_is_filled_in_as_a_person_would() -> None:
    """Fields are found by what they are for, or by their names."""
    form = read_form(
        """<form action="pay" method="post"><input type="hidden" name="csrf" value="x1"><input name="email">
        <input name="n" autocomplete="cc-number"><input name="exp" autocomplete="cc-exp"><input name="cvc">
        <select name="country"><option value="GB">UK</option><option value="DE">Germany</option></select>
        <button name="action" value="pay">Pay</button><button name="action" value="cancel">No</button></form>"""
    )
    assert form is not None
    assert (form.method, form.action) == ("POST", "pay")
    assert form.filled() == {
        "csrf": "x1",
        "email": "driver@example.org",
        "n": "4242424242424242",
        "exp": "12/34",
        "cvc": "123",
        "country": "GB",
        "action": "pay",
    }
    assert read_form("<p>Thank you</p>") is None
    assert Form().filled() == {}
