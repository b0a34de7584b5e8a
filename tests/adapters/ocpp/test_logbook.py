"""Pages of the message log are turned some at a time, however many stations began to speak together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from tallywatt.adapters.ocpp.logbook import LOOK_SECONDS, OLD_SECONDS, ROUND_SECONDS, YOUNG_SECONDS, Logbook, Page
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import OperatorId, StationId
from tallywatt.stations.traffic import Direction

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable

STATIONS = 600
HEARTBEAT = b'[2,"1","Heartbeat",{}]'


class Clockwork:
    """A loop whose time goes by when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self.next: tuple[float, Callable[[], None]] | None = None
        self.woken = 0

    def time(self) -> float:
        """In seconds."""
        return self.now

    def call_later(self, seconds: float, call: Callable[[], None]) -> object:
        """One thing waits at a time."""
        self.next = (self.now + seconds, call)
        return self.next

    def run_until(self, moment: float) -> None:
        """All that is due until then happens."""
        while self.next is not None and self.next[0] <= moment:
            self.now, call = self.next
            self.next = None
            self.woken += 1
            call()
        self.now = moment


class Shelf(Logbook):
    """Keeps when each page was turned, and how long its first message had waited."""

    def __init__(self) -> None:
        super().__init__(cast("Any", None))
        self.turned: list[tuple[float, float]] = []

    def _begin(self) -> None:
        """No thread: nothing is packed."""

    def turn(self, page: Page) -> None:
        """Note it."""
        assert self._loop is not None
        self.turned.append((self._loop.time(), self._loop.time() - page.opened_at))
        super().turn(page)
        self._waiting.clear()


def test_stations_that_came_together_are_not_turned_together() -> None:
    """Each waits as long as is promised, and no look turns more than its share once they are spread."""
    loop, shelf = Clockwork(), Shelf()
    shelf.live_on(cast("AbstractEventLoop", loop))
    pages = [shelf.page_of(OperatorId("o"), StationId(f"s{place}"), is_known=True) for place in range(STATIONS)]
    for second in range(int(6 * ROUND_SECONDS)):
        loop.run_until(float(second))
        for page in pages:
            page.note(Instant(second), Direction.IN, HEARTBEAT)
    assert len(shelf.turned) >= 4 * STATIONS
    assert all(YOUNG_SECONDS <= waited <= OLD_SECONDS + LOOK_SECONDS for _, waited in shelf.turned)
    share = STATIONS * LOOK_SECONDS / ROUND_SECONDS
    looks = [moment for moment, _ in shelf.turned]
    assert max(looks.count(one) for one in set(looks)) <= share + 1


def test_a_quiet_station_is_written_down_all_the_same() -> None:
    """One page alone: its one message waits for others, and not for ever."""
    loop, shelf = Clockwork(), Shelf()
    shelf.live_on(cast("AbstractEventLoop", loop))
    shelf.page_of(OperatorId("o"), StationId("s"), is_known=True).note(Instant(0), Direction.IN, HEARTBEAT)
    loop.run_until(YOUNG_SECONDS - LOOK_SECONDS)
    assert shelf.turned == []
    loop.run_until(OLD_SECONDS)
    assert len(shelf.turned) == 1


def test_where_nobody_speaks_nobody_looks() -> None:
    """A server without stations is not woken, nor one whose stations are all written down."""
    loop, shelf = Clockwork(), Shelf()
    shelf.live_on(cast("AbstractEventLoop", loop))
    loop.run_until(86_400.0)
    assert loop.woken == 0
    page = shelf.page_of(OperatorId("o"), StationId("s"), is_known=True)
    for round_ in (1, 2):
        page.note(Instant(0), Direction.IN, HEARTBEAT)
        loop.run_until(loop.now + 86_400.0)
        assert (len(shelf.turned), loop.next) == (round_, None)
    assert loop.woken <= 4
