"""Sends one message: one connection, one request, one look at the answer. Never follows where it is sent on to."""

from __future__ import annotations

import asyncio
import ssl
import time
from contextlib import suppress
from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import h11

from tallywatt.adapters.webhooks.places import Forbidden, Places, Unreachable, resolve
from tallywatt.kernel.card_numbers import hide_card_numbers
from tallywatt.partners import signature
from tallywatt.partners.delivery import LONGEST_ANSWER, Outcome, Reply
from tallywatt.partners.schedule import SEND_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from urllib.parse import SplitResult

    from tallywatt.kernel.clock import Instant
    from tallywatt.partners.address import AllowList

USER_AGENT = f"Tallywatt-Webhooks/{version('tallywatt')}"
READ_BYTES = 16 * 1024
LONGEST_ERROR = 300
GOOD = range(200, 300)
ELSEWHERE = range(300, 400)
GONE = 410


class Sender:
    """Sends messages to endpoints. One for a process; any number of sends at once."""

    def __init__(
        self,
        allow: AllowList,
        *,
        seconds: float = SEND_SECONDS,
        look_up: Callable[[str, int], list[str]] = resolve,
    ) -> None:
        self._places = Places(allow, look_up)
        self._seconds = seconds

    async def send(self, url: str, message_id: str, body: bytes, secrets: Iterable[bytes], now: Instant) -> Reply:
        """Sign and send a message, and say what came of it. Raises nothing that a receiver can cause."""
        began = time.monotonic()
        headers = signature.headers(message_id, body, now, secrets)
        try:
            async with asyncio.timeout(self._seconds):
                reply = await self._once(urlsplit(url), headers, body)
        except TimeoutError:
            reply = Reply(Outcome.TIMED_OUT, error=f"no complete answer within {self._seconds:g} seconds")
        except Forbidden as error:
            reply = Reply(Outcome.FORBIDDEN, error=_short(str(error)))
        except Unreachable as error:
            reply = Reply(Outcome.UNREACHABLE, error=_short(str(error)))
        except (OSError, ssl.SSLError, EOFError, h11.ProtocolError, ValueError) as error:
            reply = Reply(
                Outcome.UNREACHABLE, error=_short(f"the connection broke: {str(error) or type(error).__name__}")
            )
        took = round((time.monotonic() - began) * 1000)
        return Reply(reply.outcome, reply.status, reply.error, reply.answer, reply.wait_seconds, took)

    def close(self) -> None:
        """Let go of what is held."""
        self._places.close()

    async def _once(self, url: SplitResult, headers: dict[str, str], body: bytes) -> Reply:
        reader, writer = await self._places.connect(url)
        try:
            connection = h11.Connection(h11.CLIENT)
            writer.write(connection.send(_request(url, headers, body)) or b"")
            writer.write(connection.send(h11.Data(body)) or b"")
            writer.write(connection.send(h11.EndOfMessage()) or b"")
            with suppress(ConnectionError):
                # A receiver may answer and hang up before it has read everything: its answer counts.
                await writer.drain()
            return await _answer(reader, connection)
        finally:
            writer.close()


def _request(url: SplitResult, headers: dict[str, str], body: bytes) -> h11.Request:
    host = url.netloc
    given = {
        "host": host,
        "user-agent": USER_AGENT,
        "accept": "*/*",
        "accept-encoding": "identity",
        "connection": "close",
        "content-type": "application/json",
        "content-length": str(len(body)),
        **headers,
    }
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    return h11.Request(method="POST", target=target, headers=list(given.items()))


async def _answer(reader: asyncio.StreamReader, connection: h11.Connection) -> Reply:
    """The status, and the beginning of the body; more than that is not waited for."""
    response: h11.Response | None = None
    content = b""
    while len(content) < 4 * LONGEST_ANSWER:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            try:
                connection.receive_data(await reader.read(READ_BYTES))
            except ConnectionError:
                if response is None:
                    raise
                break
        elif isinstance(event, h11.Response):
            response = event
        elif isinstance(event, h11.Data):
            content += event.data
        elif not isinstance(event, h11.InformationalResponse):
            break
    if response is None:
        msg = "it was closed before an answer came"
        raise EOFError(msg)
    return _judged(response, content)


def _judged(response: h11.Response, content: bytes) -> Reply:
    status = response.status_code
    answer = _shortened(content)
    headers = {name.lower(): value for name, value in response.headers}
    if status in GOOD:
        return Reply(Outcome.DELIVERED, status, None, answer)
    if status in ELSEWHERE:
        where = headers.get(b"location", b"").decode("latin-1")
        said = _short(f"redirects are not followed: {where}" if where else "redirects are not followed")
        return Reply(Outcome.REDIRECTED, status, said, answer)
    outcome = Outcome.GONE if status == GONE else Outcome.REFUSED
    return Reply(outcome, status, f"answered {status}", answer, _wait_seconds(headers.get(b"retry-after", b"")))


def _wait_seconds(value: bytes) -> int | None:
    """What a receiver asks for in seconds; a date is left aside, our own schedule does as well."""
    text = value.decode("latin-1").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _shortened(content: bytes) -> str | None:
    """The beginning of a body as text that any database holds, without the number of a card."""
    text = content.decode("utf-8", "replace")[:LONGEST_ANSWER]
    plain = "".join(one if one.isprintable() or one in "\n\t" else "\N{REPLACEMENT CHARACTER}" for one in text)
    return hide_card_numbers(plain)[0] or None


def _short(text: str) -> str:
    return "".join(one if one.isprintable() else " " for one in text)[:LONGEST_ERROR]
