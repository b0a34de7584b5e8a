"""The live feed: committed events, read by position and fanned out to open pages, each at most one message a second.

The writer's thread only rings the bell; what a page hears was read back from the database, so nobody sees what is not durable.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog

from tallywatt.kernel.errors import Busy
from tallywatt.kernel.events import Event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from tallywatt.kernel.events import RecordedEvent

log = structlog.get_logger(__name__)

PAUSE_SECONDS: Final = 1.0
"""Between two messages to one page."""
LISTEN_SECONDS: Final = 1.0
"""Other processes ring no bell here: what they wrote is found by looking."""
ALIVE_SECONDS: Final = 15.0
PROGRESSED: Final = "SessionProgressed"
"""What a page is told when a running session has new readings: no event, and stored nowhere."""
MOST_VIEWERS: Final = 2000
HELLO: Final = b"retry: 2000\n\n"
ALIVE: Final = b": still here\n\n"
MOST_RECENT: Final = 2000
MOST_NAMED: Final = 50
"""Aggregates that one message names; a page that hears of more looks at everything anyway."""


ENDS_FOR_GOOD: Final = frozenset({"ConsoleSessionEnded", "ApiKeyRevoked"})
ENDS: Final = ENDS_FOR_GOOD | {"ApiKeyReplaced"}
"""Events after which whoever came in by the thing that they are about is let in no more."""


class Viewer:
    """One open page: what has changed since its last message, folded together."""

    __slots__ = ("_bell", "_changed", "_over", "came_by", "operator_id", "position", "wants")

    def __init__(
        self,
        operator_id: str,
        wants: Callable[[Event], bool] | None,
        position: int,
        came_by: str | None = None,
        *,
        ring: bool = False,
    ) -> None:
        self.operator_id = operator_id
        self.came_by = came_by
        """The session or key that let it in; None: its address was enough."""
        self.wants = wants
        """What it is told of; None: a program, which reads every event by itself and only wants to be woken."""
        self.position = position
        self._over = asyncio.Event()
        self._changed: dict[str, str] = {}
        self._bell = asyncio.Event()
        if ring:
            self._bell.set()

    def hear(self, operator_id: str, event: Event, position: int) -> None:
        """Note a change, if it is one that this viewer wants to know of."""
        if operator_id != self.operator_id or not (self.wants is None or self.wants(event)):
            return
        self.position = position
        if len(self._changed) < MOST_NAMED:
            self._changed[event.aggregate_id] = event.type
        self._bell.set()

    def end(self) -> None:
        """The stream ends: the house closes, or whoever looks may do so no more."""
        self._over.set()
        self._bell.set()

    async def rested(self) -> None:
        """Wait until the next message may be sent, or the stream ends."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PAUSE_SECONDS):
                await self._over.wait()

    async def waited(self) -> bool:
        """Wait for news: True when there are some, False when it was only time to say that the stream is alive."""
        try:
            async with asyncio.timeout(ALIVE_SECONDS):
                await self._bell.wait()
        except TimeoutError:
            return False
        self._bell.clear()
        return True

    def has_ended(self) -> bool:
        """Whether nothing more will come."""
        return self._over.is_set()

    def message(self) -> bytes:
        """All news since the last message, as one."""
        data = msgspec.json.encode({"position": self.position, "changed": self._changed})
        self._changed = {}
        return b"id: %d\nevent: changed\ndata: %b\n\n" % (self.position, data)


class Feed:
    """Reads the one line of events and tells those who watch."""

    def __init__(
        self,
        read: Callable[[int], Awaitable[list[RecordedEvent]]],
        last_position: Callable[[], Awaitable[int]],
        progress: Callable[[str], Awaitable[Mapping[str, int]]],
    ) -> None:
        self._read = read
        self._last_position = last_position
        self._progress = progress
        self._seen: dict[str, Mapping[str, int]] = {}
        """By operator: how far each running session was at the last look."""
        self._looked = 0.0
        self._recent: deque[tuple[int, str, Event]] = deque(maxlen=MOST_RECENT)
        """What was told last: a page hears what came between its making and its stream."""
        self._viewers: set[Viewer] = set()
        self._bell = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self.position = 0

    @property
    def viewers(self) -> int:
        """How many live pages are open here."""
        return len(self._viewers)

    async def start(self) -> None:
        """Begin after the last event that there is: pages show what was before."""
        self._loop = asyncio.get_running_loop()
        self.position = await self._last_position()
        self._task = self._loop.create_task(self._run(), name="feed")

    def ring(self, _wrote_jobs: bool = False) -> None:
        """Something was committed. May be called from any thread, and returns at once."""
        if self._loop is not None and not self._closed and not self._bell.is_set():
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._bell.set)

    async def close(self) -> None:
        """End every stream, so that the server can stop."""
        self._closed = True
        for viewer in list(self._viewers):
            viewer.end()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
            self._task = None

    async def watch(
        self,
        operator_id: str,
        wants: Callable[[Event], bool],
        last_heard: int | None = None,
        came_by: str | None = None,
    ) -> AsyncIterator[bytes]:
        """The messages of one page. `last_heard`: the position at which it was made, or of its last message."""
        viewer = self._open(Viewer(operator_id, wants, self.position, came_by, ring=self._forgot(last_heard)))
        if last_heard is not None:
            for position, of_operator, event in self._recent:
                # What has no position of its own counts as news again: one look too many does no harm.
                if position > last_heard or (position == last_heard and event.type == PROGRESSED):
                    viewer.hear(of_operator, event, position)
        try:
            yield HELLO
            while not viewer.has_ended():
                if not await viewer.waited():
                    yield ALIVE
                elif not viewer.has_ended():
                    yield viewer.message()
                    await viewer.rested()
        finally:
            self._viewers.discard(viewer)

    async def follow(self, operator_id: str, position: int, came_by: str | None = None) -> AsyncIterator[bytes]:
        """Every event of an operator behind a position, one message each: for programs, which keep their own cursor."""
        viewer = self._open(Viewer(operator_id, None, position, came_by, ring=True))
        try:
            yield HELLO
            while not viewer.has_ended():
                if not await viewer.waited():
                    yield ALIVE
                while not viewer.has_ended() and (events := await self._read(position)):
                    position = events[-1].position
                    yield b"".join(told(event) for event in events if event.operator_id == operator_id)
        finally:
            self._viewers.discard(viewer)

    def _forgot(self, last_heard: int | None) -> bool:
        """Whether something may have come that is not remembered any more."""
        if last_heard is None or last_heard >= self.position:
            return False
        return not self._recent or self._recent[0][0] > last_heard + 1

    def require_room(self) -> None:
        """Raise Busy when no more pages can be told: asked before a stream begins, while it can still be refused."""
        if self._closed or len(self._viewers) >= MOST_VIEWERS:
            msg = "too many pages are open"
            raise Busy(msg)

    def _open(self, viewer: Viewer) -> Viewer:
        # What let it in may have ended between the question at the door and now.
        if self._closed or any(
            event.type in ENDS_FOR_GOOD and _shut(viewer, of, event) for _, of, event in self._recent
        ):
            viewer.end()
        self._viewers.add(viewer)
        return viewer

    async def _run(self) -> None:
        while True:
            # Not `wait_for`: before Python 3.12 it loses a cancellation that comes together with the bell.
            with suppress(TimeoutError):
                async with asyncio.timeout(LISTEN_SECONDS):
                    await self._bell.wait()
            self._bell.clear()
            try:
                await self._tell()
                await self._tell_progress()
            except Exception:
                # The feed is a comfort: what it misses, pages find when they are opened again.
                log.exception("feed.failed")
                await asyncio.sleep(LISTEN_SECONDS)

    async def _tell(self) -> None:
        while events := await self._read(self.position):
            for event in events:
                self.position = event.position
                self._recent.append((event.position, event.operator_id, event.event))
                for viewer in self._viewers:
                    if event.event.type in ENDS and _shut(viewer, event.operator_id, event.event):
                        viewer.end()
                    viewer.hear(event.operator_id, event.event, event.position)

    async def _tell_progress(self) -> None:
        """Meter values write no events, for there are thousands a second: whether a running session has got on is seen
        from its row, once a second at most, and only for operators whose pages are open.
        """
        watched = {viewer.operator_id for viewer in self._viewers if viewer.wants is not None}
        now = asyncio.get_running_loop().time()
        if not watched or now - self._looked < PAUSE_SECONDS:
            return
        self._looked = now
        before, self._seen = self._seen, {}
        for operator_id in watched:
            found = self._seen[operator_id] = await self._progress(operator_id)
            # The first page of an operator looks once more: nobody had looked when it was made.
            known = before.get(operator_id, {})
            for session_id, version in found.items():
                if known.get(session_id) != version:
                    self._tell_pages(operator_id, Event("session", session_id, PROGRESSED))

    def _tell_pages(self, operator_id: str, event: Event) -> None:
        self._recent.append((self.position, operator_id, event))
        for viewer in self._viewers:
            if viewer.wants is not None:
                viewer.hear(operator_id, event, self.position)


def _shut(viewer: Viewer, operator_id: str, event: Event) -> bool:
    """Whether an event of `ENDS` is about what let a viewer in."""
    return viewer.came_by == event.aggregate_id and viewer.operator_id == operator_id


def told(event: RecordedEvent) -> bytes:
    """One event as a server-sent one."""
    body: dict[str, Any] = {
        "id": event.event_id,
        "position": event.position,
        "type": event.event.type,
        "schema_version": event.event.schema_version,
        "aggregate": event.event.aggregate,
        "aggregate_id": event.event.aggregate_id,
        "version": event.version,
        "data": dict(event.event.data),
        "booked_at": event.booked_at,
    }
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (event.position, event.event.type.encode(), msgspec.json.encode(body))
