"""What goes over the sockets of a gateway, on its way into the message log: gathered beside the answers, never before them.

On the loop a message costs one entry in a list. A thread of its own hides, packs and hands in what has been gathered. When it
cannot keep up, messages are left out of the log and counted: no station waits for it.
"""

from __future__ import annotations

import threading
from collections import deque
from itertools import takewhile
from math import ceil
from typing import TYPE_CHECKING, Any, Final

import structlog

from tallywatt.kernel.errors import Busy
from tallywatt.stations.configuration import HIDDEN
from tallywatt.stations.traffic import Direction, OpenCalls, gathered
from tallywatt.workflows.keep_traffic import KeepTraffic, keep_traffic

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import OperatorId, StationId
    from tallywatt.workflows.ports import Writer

log = structlog.get_logger(__name__)

FULL_MESSAGES: Final = 64
FULL_BYTES: Final = 32 * 1024
YOUNG_SECONDS: Final = 15.0
OLD_SECONDS: Final = 45.0
"""How long the first message of a chunk waits for others: at least, and at most."""
ROUND_SECONDS: Final = 30.0
"""So long it takes to turn every page once, some at each look. Stations that came back together would else be turned together,
and for a second nobody would be answered."""
LOOK_SECONDS: Final = 0.5
MOST_WAITING: Final = 2000
"""Chunks that wait for the thread or for a busy writer; beyond that they are left out."""
MOST_UNKNOWN: Final = 64
"""Messages of one socket that are logged before its station is adopted: whoever knocks must not fill the disk."""
AT_ONCE: Final = 16
BUSY_SECONDS: Final = 0.5
LONGEST_FLUSH_SECONDS: Final = 2.0
BREATH_SECONDS: Final = 0.002
"""Between two chunks: without it the thread would keep the interpreter from the loop for many chunks in a row."""
MUCH: Final = MOST_WAITING // 4
"""With so many chunks waiting it takes no breath."""


class Page:
    """What one socket has said and heard since its last chunk. Changed on the loop alone."""

    __slots__ = ("_entries", "_logbook", "_size", "calls", "left", "opened_at", "operator_id", "secret", "station_id")

    def __init__(self, logbook: Logbook, operator_id: OperatorId, station_id: StationId, *, is_known: bool) -> None:
        self._logbook = logbook
        self._entries: list[tuple[Instant, Direction, bytes]] = []
        self._size = 0
        self.operator_id = operator_id
        self.station_id = station_id
        self.calls = OpenCalls()
        """Used by the thread alone."""
        self.left = -1 if is_known else MOST_UNKNOWN
        """How many more are logged; below 0: as many as come."""
        self.opened_at = 0.0
        self.secret = b""
        """A key that went out on this socket: neither the message nor what a station repeats of it is kept with it."""

    def note(self, at: Instant, direction: Direction, text: bytes) -> None:
        """A message has come, or leaves."""
        if self.left == 0:
            return
        self.left -= 1
        if self.secret:
            text = text.replace(self.secret, HIDDEN.encode())
        entries = self._entries
        entries.append((at, direction, text))
        self._size += len(text)
        if len(entries) == 1:
            self._logbook.begun(self)
        elif len(entries) >= FULL_MESSAGES or self._size >= FULL_BYTES:
            self._logbook.turn(self)

    def torn_out(self) -> list[tuple[Instant, Direction, bytes]]:
        """All of it; the page is empty then."""
        entries, self._entries, self._size = self._entries, [], 0
        return entries


class Logbook:
    """The log of one gateway, while it listens."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._loop: asyncio.AbstractEventLoop | None = None
        self._open: dict[Page, None] = {}
        self._waiting: deque[tuple[Page, list[tuple[Instant, Direction, bytes]]]] = deque()
        self._wake = threading.Event()
        self._idle = threading.Condition()
        self._busy = 0
        self._breath = threading.Event()
        self._stopping = False
        self._look: asyncio.TimerHandle | None = None
        self._thread: threading.Thread | None = None
        self.left_out = 0
        """Messages that are not in the log, because it could not keep up."""

    def live_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on pages are turned on this loop."""
        self._loop = loop
        self._begin()

    def page_of(self, operator_id: OperatorId, station_id: StationId, *, is_known: bool) -> Page:
        """A page for a socket."""
        return Page(self, operator_id, station_id, is_known=is_known)

    def begun(self, page: Page) -> None:
        """A page has its first message."""
        assert self._loop is not None, "pages are written while a loop runs"
        page.opened_at = self._loop.time()
        self._open[page] = None
        if self._look is None:
            self._look = self._loop.call_later(YOUNG_SECONDS, self._turn_old)

    def turn(self, page: Page) -> None:
        """What stands on a page is handed to the thread."""
        if page not in self._open:
            return
        del self._open[page]
        entries = page.torn_out()
        if len(self._waiting) >= MOST_WAITING:
            self.left_out += len(entries)
            return
        with self._idle:
            self._busy += 1
        self._waiting.append((page, entries))
        self._wake.set()

    def _turn_old(self) -> None:
        assert self._loop is not None, "only called on the loop"
        now, share = self._loop.time(), ceil(len(self._open) * LOOK_SECONDS / ROUND_SECONDS)
        # The oldest stand first: a page that was turned is opened again behind all others.
        young = takewhile(lambda one: one.opened_at <= now - YOUNG_SECONDS, self._open)
        for place, page in enumerate(list(young)):
            if place >= share and page.opened_at > now - OLD_SECONDS:
                break
            self.turn(page)
        # With nothing to turn nobody looks: a server with no stations sleeps.
        self._look = None
        if self._open:
            due_at = next(iter(self._open)).opened_at + YOUNG_SECONDS
            self._look = self._loop.call_later(max(LOOK_SECONDS, due_at - now), self._turn_old)

    def turn_of(self, station_id: str | None) -> None:
        """Turn the pages of one station, or of all: somebody wants to read."""
        for page in [one for one in self._open if station_id in {None, one.station_id}]:
            self.turn(page)

    def written_down(self, station_id: str) -> bool:
        """Turn the pages of a station, and wait until they are durable; False when that takes too long. Never on the loop."""
        if self._loop is None or self._loop.is_closed():
            return True
        turned = threading.Event()

        def turn() -> None:
            self.turn_of(station_id)
            turned.set()

        self._loop.call_soon_threadsafe(turn)
        return turned.wait(LONGEST_FLUSH_SECONDS) and self._wait()

    def _wait(self) -> bool:
        with self._idle:
            return self._idle.wait_for(lambda: self._busy == 0, LONGEST_FLUSH_SECONDS)

    def turn_all(self) -> None:
        """The gateway ends: look no more, and hand in what there is."""
        if self._look is not None:
            self._look.cancel()
        self.turn_of(None)

    def close(self) -> None:
        """Wait until what was handed in is written down, and end. Never on the loop."""
        self._wait()
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(LONGEST_FLUSH_SECONDS)

    # --- the thread ---

    def _begin(self) -> None:
        self._thread = threading.Thread(target=self._run, name="logbook", daemon=True)
        self._thread.start()

    def _pause(self, seconds: float) -> None:
        self._breath.wait(seconds)

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait()
            self._wake.clear()
            while self._waiting:
                self.step()

    def step(self) -> None:
        """Pack and hand in what waits, some of it."""
        by_operator: dict[str, list[Any]] = {}
        taken = 0
        while self._waiting and taken < AT_ONCE:
            page, entries = self._waiting.popleft()
            taken += 1
            try:
                chunk = gathered(page.station_id, entries, page.calls)
            except Exception:  # a message that nobody foresaw must not end the log
                log.exception("ocpp.not_logged", station=page.station_id)
                self._ended(1)
                continue
            by_operator.setdefault(page.operator_id, []).append(chunk)
            if len(self._waiting) < MUCH:
                self._pause(BREATH_SECONDS)
        for operator, chunks in by_operator.items():
            self._hand_in(operator, chunks)

    def _hand_in(self, operator: str, chunks: list[Any]) -> None:
        count = len(chunks)

        def done(result: Any) -> None:
            if isinstance(result, Exception):
                self.left_out += sum(chunk.messages for chunk in chunks)
                log.warning("ocpp.log_not_written", problem=type(result).__name__)
            self._ended(count)

        while True:
            try:
                self._submit(operator, KeepTraffic(tuple(chunks)), done)
            except Busy:
                if self._stopping:
                    done(Busy("the gateway ends"))
                    return
                self._pause(BUSY_SECONDS)
            else:
                return

    def _submit(self, operator: str, command: KeepTraffic, done: Callable[[Any], None]) -> None:
        self._writer.submit(operator, keep_traffic, command, done, actor="gateway")

    def _ended(self, count: int) -> None:
        with self._idle:
            self._busy -= count
            self._idle.notify_all()
