"""The OCPP gateway on the real writer and SQLite, beside the `ocpp` package on `websockets`.

The stations run in a process of their own (`ocpp_load.py`); what is measured is the CPU time of this process, which holds the
gateway and the writer, for each call that was answered.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sqlite3
import sys
import tempfile
import threading
import time
from collections import deque
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop
import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result

from benchmarks.figure import Figure
from benchmarks.ocpp_load import KEY, TOKEN, identity
from tallywatt.adapters.machine import MachineClock, WorldDraws
from tallywatt.adapters.ocpp.connection import Intake
from tallywatt.adapters.ocpp.server import Gateway, GatewayOptions, Tls
from tallywatt.adapters.storage.connections import SqliteConnection, sqlite_path
from tallywatt.adapters.storage.migrations import upgrade
from tallywatt.adapters.storage.store import Store
from tallywatt.kernel.identity import OperatorId, StationId
from tallywatt.metering.facts import BootAnswer, TokenAnswer, TransactionAnswer
from tallywatt.stations.credentials import StationCredential, hash_key
from tallywatt.stations.station import Station, StationState
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.add_location import AddLocation, add_location
from tallywatt.workflows.add_operator import AddOperator, add_operator
from tallywatt.workflows.add_station import AddStation, add_station
from tallywatt.workflows.boot_station import boot_station
from tallywatt.workflows.follow import follow
from tallywatt.workflows.plug_in import plug_in
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff, assign_tariff, put_tariff
from tallywatt.workflows.report_status import report_status
from tallywatt.workflows.show_token import show_token
from tallywatt.workflows.take_unreadable import take_unreadable
from tallywatt.workflows.unplug import unplug

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

    from tallywatt.workflows.ports import Writer

STATIONS = 64
IDLE_STATIONS = 2000
OPERATOR = "bench"
PEPPER = b"p" * 32
TARIFF = {
    "id": "bench",
    "currency": "GBP",
    "tax_included": "YES",
    "elements": [{"price_components": [{"type": "ENERGY", "price": 0.3, "step_size": 1}]}],
}


def measure() -> list[Figure]:
    """All of it, in about half a minute."""
    with tempfile.TemporaryDirectory(prefix="tallywatt-bench-") as folder:
        bare = uvloop.run(_gateway_alone())
        durable = uvloop.run(_gateway_with_store(Path(folder)))
        peer = uvloop.run(_peer(None))
        with _journal(Path(folder) / "peer.db") as journal:
            durable_peer = uvloop.run(_peer(journal))
    start_or_stop = (6 * durable.session_us - 4 * durable.values_us) / 2
    writer_us = durable.writer_us - durable.database_us
    return [
        Figure(
            "OCPP MeterValues: checked, committed, answered; CPU",
            durable.values_us,
            "µs",
            150,
            "`ocpp` on `websockets`, a commit a message",
            durable_peer,
        ),
        Figure(
            "of it the gateway, nothing written", bare.values_us, "µs", None, "`ocpp` on `websockets`, as it is", peer
        ),
        Figure("with the store: the gateway's threads", durable.values_us - durable.writer_us, "µs"),
        Figure("with the store: the writer, without its statements", writer_us, "µs"),
        Figure("with the store: statements and commits", durable.database_us, "µs"),
        Figure("OCPP start or stop: checked, committed, answered; CPU", start_or_stop, "µs", 2000),
        Figure("OCPP mix of sessions (start, 4 values, stop), a call; CPU", durable.session_us, "µs", 333),
        Figure("p99 of MeterValues at 2,000 a second", durable.p99_ms, "ms", 100),
        Figure("an idle station's connection", bare.idle_kilobytes, "kB", 35),
        Figure(f"open files with {IDLE_STATIONS:,} stations", bare.open_files, "files"),
    ]


@dataclass
class Measured:
    """What one kind of server showed."""

    values_us: float = 0.0
    session_us: float = 0.0
    p99_ms: float = 0.0
    idle_kilobytes: float = 0.0
    open_files: int = 0
    writer_us: float = 0.0
    database_us: float = 0.0


async def _gateway_alone() -> Measured:
    writer = AtOnce()
    async with listening(writer, Everybody()) as url:
        kilobytes, files = await kilobytes_a_connection(url)
        measured, _ = await load_of(url, 20_000, "values")
    writer.stop()
    return Measured(values_us=measured, idle_kilobytes=kilobytes, open_files=files)


async def _gateway_with_store(folder: Path) -> Measured:
    url = f"sqlite:///{folder / 'bench.db'}"
    upgrade(url)
    store = Store(url, WorldDraws().draw, b"k" * 32)
    timed = _TimedSqlite(sqlite_path(url))
    store.writer._connect = lambda: timed  # noqa: SLF001  # the same connection, with a clock beside it
    store.start()
    try:
        async with listening(store.writer, furnished(store)) as gateway:
            for _ in range(2):
                # The first one warms up: statements are compiled, the file grows, indexes come into memory.
                spent, timed.spent = _writer_seconds(), 0.0
                values_us, load = await load_of(gateway, 10_000, "values")
                writer_us = (_writer_seconds() - spent) / load["calls"] * 1e6
                database_us = timed.spent / load["calls"] * 1e6
            session_us, _ = await load_of(gateway, 3_000, "sessions")
            _, load = await load_of(gateway, 8_000, "values", "--a-second", "2000")
    finally:
        store.close()
    return Measured(values_us, session_us, load["p99_ms"], writer_us=writer_us, database_us=database_us)


class _TimedSqlite(SqliteConnection):
    """SQLite, and the CPU that its statements and commits take of the writer's thread."""

    spent = 0.0

    def execute(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        began = time.thread_time()
        found = super().execute(sql, parameters)
        self.spent += time.thread_time() - began
        return found

    def change_batches(self, batches: Sequence[tuple[str, Sequence[tuple[Any, ...]]]]) -> list[int]:
        began = time.thread_time()
        found = super().change_batches(batches)
        self.spent += time.thread_time() - began
        return found

    def commit(self) -> None:
        began = time.thread_time()
        super().commit()
        self.spent += time.thread_time() - began


def _writer_seconds() -> float:
    """The CPU of the writer's thread so far."""
    writer = next(one for one in threading.enumerate() if one.name == "writer")
    text = Path(f"/proc/self/task/{writer.native_id}/schedstat").read_text(encoding="ascii")
    return int(text.split()[0]) / 1e9


@asynccontextmanager
async def listening(
    writer: Writer, directory: Neighbourhood | Everybody, shown: tuple[Path, Path] | None = None
) -> AsyncIterator[str]:
    """A gateway on free ports, and where it is; `shown`: by TLS, with that certificate and key."""
    nobody: Any = lambda *_: None  # noqa: E731  # it stands for two of them
    intake = Intake(boot_station, report_status, show_token, plug_in, follow, unplug, take_unreadable, nobody)
    if isinstance(writer, AtOnce):
        told = TransactionAnswer("1", "Accepted")
        intake = Intake(
            boot=lambda *_: BootAnswer("Accepted", 300),
            status=lambda *_: None,
            authorize=lambda *_: TokenAnswer("Accepted"),
            start=lambda *_: told,
            sample=lambda *_: None,
            stop=lambda *_: told,
            unreadable=lambda *_: told,
            knock=nobody,
        )
    # As `serve` has it: every message goes into the log. Where nothing is written, the log is neither.
    options = GatewayOptions(keeps_log=not isinstance(writer, AtOnce))
    gateway = Gateway(writer, intake, directory, MachineClock(), PEPPER, options)
    await gateway.start("127.0.0.1", 0, None if shown is None else Tls(0, *shown))
    try:
        plain = f"ws://127.0.0.1:{gateway.port}/ocpp"
        yield plain if shown is None else f"wss://localhost:{gateway.tls_port}/ocpp"
    finally:
        await gateway.stop()


async def load_of(
    url: str, calls: int, play: str, *more: str, stations: int = STATIONS
) -> tuple[float, dict[str, Any]]:
    """CPU microseconds of this process for each call while the load runs, and what the load saw."""
    told = ("--stations", str(stations), "--calls", str(calls), "--play", play)
    seconds, seen = await while_loaded(url, *told, *more)
    assert seen["errors"] == 0, "every call of the load is to be accepted"
    return seconds / seen["calls"] * 1e6, seen


async def while_loaded(url: str, *told: str) -> tuple[float, dict[str, Any]]:
    """CPU seconds of this process while a load runs, and what the load saw."""
    command = (sys.executable, "-m", "benchmarks.ocpp_load", url, *told)
    load = await asyncio.create_subprocess_exec(*command, stdout=-1, stderr=-1)
    assert load.stdout is not None, "it was asked for"
    assert load.stderr is not None, "it was asked for"
    await load.stderr.readline()
    cpu = time.process_time()
    await load.stderr.readline()
    cpu = time.process_time() - cpu
    seen: dict[str, Any] = json.loads(await load.stdout.read())
    await load.wait()
    return cpu, seen


async def kilobytes_a_connection(url: str, *more: str) -> tuple[float, int]:
    """What this process grows by for each station that has said one thing and stays; and how many files it has open."""
    gc.collect()
    before = _kilobytes()
    command = (sys.executable, "-m", "benchmarks.ocpp_load", url, "--stations", str(IDLE_STATIONS), "--idle")
    load = await asyncio.create_subprocess_exec(*command, *more, stdin=-1, stdout=-1)
    assert load.stdout is not None, "it was asked for"
    await load.stdout.readline()
    gc.collect()
    after, files = _kilobytes(), _open_files()
    await load.communicate(b"")
    return (after - before) / IDLE_STATIONS, files


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _kilobytes() -> int:
    for line in Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    msg = "this kernel does not tell the memory of a process"
    raise RuntimeError(msg)


@dataclass
class Neighbourhood:
    """The stations of the load, as a directory."""

    credentials: dict[str, StationCredential] = field(default_factory=dict)

    def find(self, operator_slug: str | None, identity: str) -> StationCredential | None:  # noqa: ARG002  # one operator
        """The station of that id."""
        return self.credentials.get(identity)

    def operator_for_unknown(self, operator_slug: str | None) -> None:  # strangers stay outside
        """Nobody's."""


class Everybody:
    """A directory that knows whoever comes."""

    _key_hash = hash_key(KEY, PEPPER)

    def find(self, operator_slug: str | None, identity: str) -> StationCredential:  # noqa: ARG002  # one operator
        """One of that id."""
        return StationCredential(
            OperatorId(OPERATOR), OPERATOR, StationId(identity), identity, StationState.ADOPTED, self._key_hash
        )

    def operator_for_unknown(self, operator_slug: str | None) -> None:  # nobody is unknown
        """Nobody's."""


def furnished(store: Store, stations: int = STATIONS) -> Neighbourhood:
    """An operator with a tariff, a customer, and the load's stations."""

    def do(workflow: Callable[[Any, Any], Any], command: object) -> Any:
        return store.write_now(OPERATOR, workflow, command, actor="bench")

    do(add_operator, AddOperator(OPERATOR, "Bench"))
    do(add_location, AddLocation("here", "Here"))
    do(add_customer, AddCustomer("driver"))
    do(add_token, AddToken(TOKEN, "driver"))
    do(put_tariff, PutTariff(TARIFF))
    do(assign_tariff, AssignTariff("bench"))
    known = Neighbourhood()
    for number in range(stations):
        row: Station = do(add_station, AddStation(identity(number), "here", hash_key(KEY, PEPPER)))
        known.credentials[row.identity] = StationCredential(
            OperatorId(OPERATOR), OPERATOR, row.station_id, row.identity, row.state, row.key_hash
        )
    return known


class AtOnce:
    """A writer that writes nothing: what is left is the gateway."""

    def __init__(self) -> None:
        self._queue: deque[tuple[Callable[[Any, Any], Any], object, Callable[[Any], None]]] = deque()
        self._arrived = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def submit(
        self,
        operator: str,  # noqa: ARG002  # the port's
        workflow: Callable[[Any, Any], Any],
        command: object,
        done: Callable[[Any], None],
        *,
        actor: str,  # noqa: ARG002  # the port's
        cause: str = "",  # noqa: ARG002  # the port's
    ) -> None:
        """Answer it a little later, from another thread, as the writer does."""
        with self._arrived:
            self._queue.append((workflow, command, done))
            self._arrived.notify()

    def stop(self) -> None:
        """End its thread."""
        with self._arrived:
            self._stopping = True
            self._arrived.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._arrived:
                self._arrived.wait_for(lambda: self._queue or self._stopping)
                if not self._queue:
                    return
                group = [self._queue.popleft() for _ in range(min(len(self._queue), 64))]
            time.sleep(0.002)  # a group commit takes that long, and fills the next group meanwhile
            for workflow, command, done in group:
                done(workflow(None, command))


@contextmanager
def _journal(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE messages (station TEXT, payload TEXT)")
    yield connection
    connection.close()


async def _peer(journal: sqlite3.Connection | None) -> float:
    """CPU microseconds of a MeterValues with what one would pick; with a journal it commits before it answers, as we do."""

    def keep(station: str, payload: object) -> None:
        if journal is not None:
            journal.execute("INSERT INTO messages VALUES (?, ?)", (station, json.dumps(payload)))

    class Central(ChargePoint):  # type: ignore[misc]  # the `ocpp` package carries no types
        @on("StartTransaction")  # type: ignore[untyped-decorator]  # the same
        def start_it(self, **told: Any) -> Any:
            keep(self.id, told)
            return call_result.StartTransaction(transaction_id=1, id_tag_info={"status": "Accepted"})

        @on("MeterValues")  # type: ignore[untyped-decorator]  # the same
        def values(self, **told: Any) -> Any:
            keep(self.id, told)
            return call_result.MeterValues()

    async def serve(socket: websockets.ServerConnection) -> None:
        try:
            await Central("peer", socket).start()
        except websockets.ConnectionClosed:
            return

    async with websockets.serve(serve, "127.0.0.1", 0, subprotocols=[websockets.Subprotocol("ocpp1.6")]) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        measured, _ = await load_of(f"ws://127.0.0.1:{port}", 2_000, "values")
    return measured
