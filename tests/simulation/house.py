"""The whole house in one thread: the real one, with the world's clock, and with points at which it may die.

Left out are sockets, threads, and the pages. What is real: settings, store, writer, workflows, workers with their lanes, the
janitor, the follower, the gateway from a frame's text on, and the adapter of the payment provider with its SDK.
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from tallywatt.adapters.machine import MachineClock, WorldDraws
from tallywatt.adapters.ocpp.connection import Connection
from tallywatt.adapters.ocpp.logbook import Logbook
from tallywatt.adapters.ocpp.messages import DIALECTS
from tallywatt.adapters.ocpp.saying import NO_ANSWER
from tallywatt.adapters.ocpp.upgrade import Address
from tallywatt.adapters.providers.accountant import Accountant
from tallywatt.adapters.providers.caller import Caller, Providers
from tallywatt.adapters.storage.connections import SqliteConnection, sqlite_path
from tallywatt.entrypoints.worker.janitor import Janitor
from tallywatt.entrypoints.worker.lanes import LANES, Workers
from tallywatt.kernel.errors import Busy
from tallywatt.kernel.identity import Draw
from tallywatt.settings import Settings
from tallywatt.wiring import House
from tests.simulation.pace import slowly
from tests.simulation.world import MINUTE, SECOND, LoopInOneThread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tallywatt.adapters.ocpp.connection import Visitor
    from tallywatt.adapters.ocpp.logbook import Page
    from tallywatt.entrypoints.worker.lanes import Lane
    from tallywatt.kernel.clock import Instant
    from tallywatt.payments.account import ProviderAccount
    from tallywatt.payments.provider import PaymentProvider
    from tallywatt.stations.command import StationCommand
    from tallywatt.workflows.jobs import StoredJob
    from tallywatt.workflows.ports import LinkAnswer
    from tests.simulation.world import World

MOST_PAGES = 2**30
INSTALLATION_KEY = "07" * 32
JANITOR_ROUND = MINUTE
PROGRAMMING_ERRORS = {
    one.__name__
    for one in (ArithmeticError, AssertionError, AttributeError, LookupError, NameError, NotImplementedError, TypeError)
} | {"IndexError", "KeyError", "UnboundLocalError", "ValueError", "ZeroDivisionError"}
IDLE_MILLISECONDS = 500


class Crash(BaseException):
    """The process dies here: nothing in memory is left, and nobody hears of it."""


class Mortality:
    """Counts the points at which a process can die, and says when it does."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._left: int | None = None
        self._on = ""
        self.waits = False
        """Nothing counts while a process is being started: who died then would not have begun."""

    def arm(self, points: int, on: str = "") -> None:
        """Let the process die at the so-manieth point from here, or from when it hears of something."""
        self._left = points
        self._on = on

    def hears(self, text: str) -> None:
        """Something comes in, or is about to be asked: what a crash may wait for."""
        if self._on and self._on in text:
            self._on = ""

    def disarm(self) -> None:
        """Let it live."""
        self._left = None
        self._on = ""

    def point(self, where: str) -> None:
        """The process may die here."""
        if self._left is None or self._on or self.waits:
            return
        self._left -= 1
        if self._left < 0:
            self._left = None
            self._world.say(f"CRASH {where}")
            raise Crash(where)


class Disk:
    """What the database lies on: now and then it fails, or is full."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._luck = world.chance("disk")
        self.fails_until = 0
        self.one_in = 50
        self.full_until = 0

    def heal(self) -> None:
        """It is a good disk from now on."""
        self.fails_until = self.full_until = 0

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another page."""
        return self._world.now < self.full_until

    def touch(self) -> None:
        """Fail, if now is the time."""
        if self._world.now < self.fails_until and self._luck.randrange(self.one_in) == 0:
            self._world.say("disk I/O error")
            msg = "disk I/O error"
            raise sqlite3.OperationalError(msg)


class MortalConnection(SqliteConnection):
    """The writer's connection. A process that dies loses no page that it has written: the disk need not be waited for."""

    def __init__(self, path: str, mortality: Mortality, disk: Disk) -> None:
        super().__init__(path)
        self._cursor.execute("PRAGMA synchronous=OFF")
        self._point = mortality.point
        self._disk = disk
        self._is_bounded = False

    def begin(self) -> None:
        """See whether there is room."""
        if self._disk.is_full is not self._is_bounded:
            self._is_bounded = self._disk.is_full
            pages = self._cursor.execute("PRAGMA page_count").fetchone()[0] if self._is_bounded else MOST_PAGES
            self._cursor.execute(f"PRAGMA max_page_count={pages}")
        super().begin()

    def execute(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Run a statement, if the disk lets it."""
        self._disk.touch()
        return super().execute(sql, parameters)

    def change(self, sql: str, parameters: tuple[Any, ...] = ()) -> int:
        """The same."""
        self._disk.touch()
        return super().change(sql, parameters)

    def change_many(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> int:
        """The same."""
        self._disk.touch()
        return super().change_many(sql, rows)

    def commit(self) -> None:
        """Die before it, or after it and before anybody is answered."""
        self._point("before a commit")
        self._disk.touch()
        super().commit()
        self._point("after a commit")


class WorldClock(MachineClock):
    """The world's time as the machine's."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> Instant:
        """Milliseconds since 1970."""
        return self._world.now


class SeededDraws(WorldDraws):
    """Draws that are the same in every run of a seed."""

    def __init__(self, world: World, name: str) -> None:
        super().__init__()
        self._world = world
        self._name = name
        self._drawn = 0

    def draw(self) -> Draw:
        """The next one; no two are alike."""
        self._drawn += 1
        text = f"{self._world.seed}/{self._name}/{self._drawn}"
        seed = hashlib.blake2b(text.encode(), digest_size=16).digest()
        return Draw(self._world.now, self._world.now, seed)


class OneProvider(Providers):
    """Every account is at the one simulated provider."""

    def __init__(self, provider: PaymentProvider) -> None:
        super().__init__()
        self._provider = provider

    def __call__(self, account: ProviderAccount) -> PaymentProvider:  # noqa: ARG002  # there is one for all
        """The provider behind an account."""
        return self._provider


class PlainPapers:
    """An invoice as its number: how it is set is tested elsewhere."""

    def pdf(self, document: Any) -> bytes:
        """The page."""
        return repr(document)[:200].encode()


class StationsOnTheWire:
    """The gateway as a worker meets it: a call waits for its answer, and the world goes on meanwhile."""

    def __init__(self, gateway: Any, world: World, mortality: Mortality) -> None:
        self._gateway = gateway
        self._world = world
        self._mortality = mortality

    def connected(self) -> frozenset[str]:
        """Ids of the stations that are there."""
        return cast("frozenset[str]", self._gateway.connected())

    def call(self, station_id: str, command: StationCommand, timeout_seconds: float) -> LinkAnswer:
        """Send a command and wait for its answer."""
        self._mortality.point("before a command")
        answer: concurrent.futures.Future[LinkAnswer] = concurrent.futures.Future()
        self._gateway._begin_call(station_id, command, timeout_seconds, answer)
        self._world.run(self._world.now + int(timeout_seconds * SECOND) + SECOND, answer.done)
        self._mortality.point("after a command")
        return answer.result() if answer.done() else NO_ANSWER


class WorldLogbook(Logbook):
    """The message log with the world's pace instead of a thread of its own."""

    def __init__(self, house: LivingHouse) -> None:
        super().__init__(house.store.writer)
        self._house = house

    def _begin(self) -> None:
        """Its thread is a thing that happens."""

    def turn(self, page: Page) -> None:
        """The thread would hear of it soon."""
        super().turn(page)
        self._house._once("logbook", 50, self._write)

    def _write(self) -> None:
        while self._waiting and not self._stopping:
            self.step()

    def _pause(self, seconds: float) -> None:
        world = self._house.world
        world.run(world.now + int(seconds * SECOND))

    def die(self) -> None:
        """It writes nothing more down."""
        self._stopping = True


class LivingHouse(House):
    """One life of the house's process, from its start to its crash."""

    def __init__(
        self, folder: Path, world: World, mortality: Mortality, disk: Disk, provider: PaymentProvider, life: int
    ) -> None:
        super().__init__(settings_of(folder))
        self.world = world
        self.alive = True
        self.mortality = mortality
        self.machine = WorldClock(world)
        self.draws = SeededDraws(world, f"life {life}")
        writer = self.store.writer
        writer._draw = self.draws.draw
        writer._connect = lambda: MortalConnection(sqlite_path(self.store.url), mortality, disk)
        self.provider = slowly(provider, world, mortality)
        self.providers = OneProvider(self.provider)
        self.caller = Caller(self.providers, self.machine)
        self.accountant = Accountant(self.providers)
        self._papers = PlainPapers()
        self.loop = LoopInOneThread(world)
        self.door = self.build_gateway()
        self.logbook = WorldLogbook(self)
        self.door._logbook = self.logbook
        self.door.live_on(cast("Any", self.loop))
        self.gateway = cast("Any", StationsOnTheWire(self.door, world, mortality))
        self._workers = Workers(self, tuple(LANES.values()))
        self._workers._owner = f"life {life}"
        self._janitor = Janitor(self)
        self._busy = dict.fromkeys(LANES, 0)
        self._due: dict[str, int] = {}
        self._luck = world.chance(f"life {life}")
        self._position: int | None = None
        self._soon: set[str] = set()
        writer.after_commit.append(lambda wrote: self._once("lanes", 0, self._look) if wrote else None)
        writer.after_commit.append(lambda _: self._once("follower", 250, self._follow_once))
        try:
            self.take_over()
        except Busy:
            self.die()
            raise
        self._look()
        self._rounds()

    def end_job(
        self,
        operator: str,
        job: StoredJob,
        error: str | None = None,
        *,
        for_good: bool = False,
        after_seconds: int | None = None,
    ) -> None:
        """A job that ends with an error of nobody's making is a fault of the house: it would be tried again for ever."""
        if error is not None and error.partition(":")[0] in PROGRAMMING_ERRORS:
            self.world.say(f"job {job.kind} failed: {error}")
            self.world.unforeseen.append(f"{job.kind}: {error}")
        super().end_job(operator, job, error, for_good=for_good, after_seconds=after_seconds)

    # --- its threads ---

    def stir(self) -> None:
        """Somebody has put something into the writer's queue."""
        if self.store.writer._queue:
            self._once("writer", 20, self._write)

    def _write(self) -> None:
        while self.store.writer.step():
            pass

    def _once(self, name: str, within: int, what: Callable[[], object]) -> None:
        """Let something happen soon, however often it is asked for until then."""
        if name in self._soon or not self.alive:
            return
        self._soon.add(name)

        def happen() -> None:
            self._soon.discard(name)
            if self.alive:
                what()

        self.world.after(self._luck.randrange(within + 1), happen)

    def _follow_once(self) -> None:
        try:
            self._position = self._catch_up(self._position)
        except Busy:
            self._once("follower", 250, self._follow_once)

    def _rounds(self) -> None:
        if self.alive:
            with suppress(Busy):
                self._janitor.step()
            self.world.after(JANITOR_ROUND if self.world.now < self.hurry_until else 30 * MINUTE, self._rounds)

    hurry_until: int = 2**62
    """Until then the janitor makes its rounds as often as it really does."""

    def _look(self) -> None:
        """Let each lane look when its next job is due."""
        sql = (
            "SELECT kind, min(CASE state WHEN 'leased' THEN max(run_at, lease_until) ELSE run_at END) FROM jobs"
            " WHERE state IN ('ready', 'leased') GROUP BY kind"
        )
        due: dict[str, int] = dict(self.ask_now(lambda connection: connection.execute(sql)))
        for name, lane in LANES.items():
            first = min((due[kind] for kind in lane.kinds if kind in due), default=None)
            if first is not None and self._due.get(name, 2**62) > first:
                self._due[name] = first
                self.world.at(max(first, self.world.now) + self._luck.randrange(50), lambda lane=lane: self._tick(lane))  # type: ignore[misc]  # a lambda's default has no type

    def _tick(self, lane: Lane) -> None:
        self._due.pop(lane.name, None)
        if not self.alive or self._busy[lane.name] >= lane.threads:
            return
        self._busy[lane.name] += 1
        try:
            self._workers.step(lane)
        except Busy:
            # A worker waits a moment and looks once more; were it looked for besides, ticks would double with each failure.
            self._due[lane.name] = 0
            self.world.after(IDLE_MILLISECONDS, lambda: self._tick(lane))
        finally:
            self._busy[lane.name] -= 1
        self._look()

    # --- its door ---

    def admit(self, identity: str, protocol: str, key: bytes) -> Connection | None:
        """A socket for a station, as after the handshake."""
        visitor = self.door._visitor(Address("sim", identity), key)
        if not hasattr(visitor, "credential"):
            return None
        assert self.door._around is not None, "the gateway lives on its loop"
        return Connection(self.door._around, DIALECTS[protocol], cast("Visitor", visitor))

    # --- its death ---

    def die(self) -> None:
        """Nothing in memory is left; what was not committed is gone."""
        self.alive = self.loop.alive = False
        self.logbook.die()
        self.store.writer._forget_connection()
        while not self.store._readers.empty():
            reader = self.store._readers.get()
            if reader is not None:
                reader.close()
        assert self.store._lock_file is not None, "it is SQLite"
        self.store._lock_file.close()


def settings_of(folder: Path) -> Settings:
    """The settings of an installation in a folder."""
    return Settings(data_dir=folder, database_url=f"sqlite:///{folder / 'house.db'}", master_key=INSTALLATION_KEY)
