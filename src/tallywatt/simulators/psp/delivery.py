"""Webhooks: signed, sent after the state is durable, sent again until answered with 2xx; and the faults of real ones."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Final

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.simulators.psp.book import Book, Object
    from tallywatt.simulators.psp.faults import Faults
    from tallywatt.simulators.psp.options import Options

_FAULTS: Final = frozenset({"duplicate_webhook", "reordered_webhook", "lost_webhook"})
TIMEOUT_SECONDS: Final = 10
SENDERS: Final = 4
AGENT: Final = "Tallywatt-Simulator/1"


def signature(body: str, secret: str, at: int) -> str:
    """The `Stripe-Signature` header of a body sent at a Unix time."""
    signed = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


class Delivery:
    """Sends what the endpoint has subscribed to. Without an endpoint events are only kept."""

    def __init__(self, options: Options, book: Book, faults: Faults, now: Callable[[], int]) -> None:
        self._options = options
        self._book = book
        self._faults = faults
        self._now = now
        self._queue: asyncio.Queue[tuple[Object, tuple[Object, ...]]] = asyncio.Queue()
        """What is to be sent, and what was held back until that has been sent."""
        self._held_back: list[Object] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._client = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False)

    def start(self) -> None:
        """Send what was not delivered before the last stop, and then what comes."""
        self.announce(list(self._book.undelivered.values()))
        for _ in range(SENDERS):
            self._spawn(self._work())

    def announce(self, events: list[Object]) -> None:
        """Queue events that are on the disk; nobody waits for them."""
        for event in events:
            if "_send" in event or (self._options.webhook is not None and event["type"] in self._options.events):
                self._arrange(event)
            else:
                self._book.undelivered.pop(event["id"], None)

    def _arrange(self, event: Object) -> None:
        fault = self._faults.strike("", event["type"], _FAULTS)
        kind = None if fault is None else fault.kind
        if kind == "lost_webhook":
            self._book.delivered(event["id"])
        elif kind == "reordered_webhook":
            self._held_back.append(event)
        else:
            copies = 2 if kind == "duplicate_webhook" else 1
            behind, self._held_back = tuple(self._held_back), []
            self._queue.put_nowait((event, behind))
            for _ in range(copies - 1):
                self._queue.put_nowait((event, ()))

    async def stop(self) -> None:
        """Stop sending; what is not delivered is sent after the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    def _spawn(self, work: object) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)  # type: ignore[arg-type]  # a coroutine of ours
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self) -> None:
        while True:
            event, behind = await self._queue.get()
            if not await self._send(event):
                self._spawn(self._retry(event))
            for late in behind:
                # Several senders work side by side: only now is it certain that it comes after.
                self._queue.put_nowait((late, ()))

    async def _retry(self, event: Object) -> None:
        for pause in (*self._options.retry_seconds, *[self._options.retry_seconds[-1]] * 1000):
            await asyncio.sleep(pause)
            if await self._send(event):
                return

    async def _send(self, event: Object) -> bool:
        url, body, headers = self._letter(event)
        try:
            answer = await self._client.post(url, content=body, headers={**headers, "user-agent": AGENT})
        except httpx.HTTPError:
            return False
        if not answer.is_success:
            return False
        self._book.delivered(event["id"])
        return True

    def _letter(self, event: Object) -> tuple[str, str, dict[str, str]]:
        """Where an event goes, and how it is written and signed."""
        ready = event.get("_send")
        if ready is not None:
            return ready["url"], ready["body"], {"content-type": ready["content_type"]}
        body = json.dumps(event, indent=2)
        signed = signature(body, self._options.webhook_secret, self._now())
        return (
            self._options.webhook or "",
            body,
            {"content-type": "application/json; charset=utf-8", "stripe-signature": signed},
        )
