"""The courier: the lane that tells partners. Spreads events to endpoints, sends what is due, writes down what came of it.

Sends wait for others most of their time, so they are tasks of one event loop in a thread of its own: a receiver that stalls
holds a few sockets, and no thread that another receiver needs.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from typing import TYPE_CHECKING

import structlog

from tallywatt.kernel.errors import Busy
from tallywatt.partners.schedule import AT_ONCE
from tallywatt.wiring import process_name
from tallywatt.workflows.note_webhook_attempt import NoteWebhookAttempt, note_webhook_attempt

if TYPE_CHECKING:
    from typing import Protocol

    from tallywatt.kernel.clock import Instant
    from tallywatt.partners.delivery import Reply
    from tallywatt.wiring import House, Parcel

    class Sends(Protocol):
        """What brings a message to its receiver."""

        async def send(self, url: str, message_id: str, body: bytes, secrets: tuple[bytes, ...], now: Instant) -> Reply:
            """Send it once, and say what came of it."""
            ...

        def close(self) -> None:
            """Let go of what is held."""
            ...


log = structlog.get_logger(__name__)

IDLE_SECONDS = 0.5
"""What becomes due by time alone, or was written by another process, is found by looking this often."""
SENDS_AT_ONCE = 256
"""In all; an endpoint has at most a few of them (`partners/schedule.py`)."""
PATIENCE_SECONDS = 0.5
"""After something of ours failed: the database was away."""

Endpoint = tuple[str, str]


class Courier:
    """A synchronous `step()`, and a thread that goes round until `stop()`."""

    def __init__(self, house: House, sender: Sends | None = None, *, at_once: int = SENDS_AT_ONCE) -> None:
        self._house = house
        self._sender = sender
        self._at_once = at_once
        self._owner = process_name()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._bell: asyncio.Event | None = None
        self._sending: dict[asyncio.Task[None], Endpoint] = {}

    def start(self) -> None:
        """Begin to go round."""
        self._house.store.writer.after_commit.append(self._ring)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="courier", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Wait for what is being sent, then end. What was not begun stays due."""
        self._stopping = True
        self._ring()
        if self._thread is not None:
            self._thread.join()
        if self._ring in self._house.store.writer.after_commit:
            self._house.store.writer.after_commit.remove(self._ring)

    def step(self) -> int:
        """Spread all there is and send everything that is due now, then return; how many were sent."""
        return asyncio.run(self._until_nothing_is_due())

    async def _until_nothing_is_due(self) -> int:
        sent = 0
        sender = self._sender
        while await self._round() or self._sending:
            sent += len(self._sending)
            while self._sending:
                await asyncio.wait(self._sending)
        if sender is None and self._sender is not None:
            self._sender.close()
            self._sender = None
        return sent

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._bell = asyncio.Event()
        while not self._stopping:
            self._bell.clear()
            try:
                moved = await self._round()
            except Busy:
                moved = 0
            except Exception:
                # Whatever it was, events and deliveries are on the disk: the next round finds them.
                log.exception("courier.failed")
                await asyncio.sleep(PATIENCE_SECONDS)
                moved = 0
            if not moved:
                await self._wait()
        while self._sending:
            await asyncio.wait(self._sending)
        if self._sender is not None:
            self._sender.close()

    async def _wait(self) -> None:
        assert self._bell is not None, "made before the first round"
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                await self._bell.wait()
        except TimeoutError:
            return

    async def _round(self) -> int:
        """One batch of events, and as many sends as there is room for; how much was found to do."""
        moved = await self._house.spread_events()
        room = self._at_once - len(self._sending)
        busy = Counter(self._sending.values())
        due = [one for one in await self._house.due_endpoints() if busy[one] < AT_ONCE]
        if not due or room <= 0:
            return moved
        parcels = await self._house.claim_deliveries(tuple(due), room, self._owner)
        for parcel in parcels:
            task = asyncio.create_task(self._deliver(parcel))
            self._sending[task] = (parcel.operator_id, parcel.delivery.endpoint_id)
            task.add_done_callback(self._sent)
        return moved + len(parcels)

    async def _deliver(self, parcel: Parcel) -> None:
        if self._sender is None:
            self._sender = self._house.sender()
        delivery, began = parcel.delivery, self._house.machine.now()
        reply = await self._sender.send(parcel.url, delivery.message_id, parcel.body, parcel.secrets, began)
        assert delivery.leased_by is not None, "a claim leases"
        chance = int.from_bytes(self._house.draws.draw().seed[:4], "big") / 2**32
        note = NoteWebhookAttempt(delivery.endpoint_id, delivery.delivery_id, delivery.leased_by, began, reply, chance)
        await self._house.write(parcel.operator_id, note_webhook_attempt, note, actor="courier")

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Nothing is lost: its lease runs out, and it is sent again.
            log.error("courier.not_noted", exc_info=error)
        if self._bell is not None:
            self._bell.set()

    def _ring(self, wrote_jobs: bool = True) -> None:  # noqa: ARG002  # the shape of a hook of the writer
        if self._loop is not None and self._bell is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._bell.set)
