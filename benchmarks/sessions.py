"""Whole sessions (1 start, 4 meter values, 1 stop): plug to priced, booked, numbered; many at once, through the writer."""

from __future__ import annotations

import os
import queue
import resource
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg

from benchmarks.figure import Figure
from tallywatt.adapters.machine import WorldDraws
from tallywatt.adapters.storage.migrations import upgrade
from tallywatt.adapters.storage.store import Store
from tallywatt.kernel.clock import Instant
from tallywatt.metering.facts import Heard, Sample, Sampled, Started, Stopped
from tallywatt.stations.station import Current
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.add_operator import AddOperator, add_operator
from tallywatt.workflows.add_station import AddStation, NewEvse, add_station
from tallywatt.workflows.follow import follow
from tallywatt.workflows.plug_in import plug_in
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff, assign_tariff, put_tariff
from tallywatt.workflows.unplug import unplug

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.kernel.identity import StationId

C = TypeVar("C")
R = TypeVar("R")

AT_ONCE = 64
ROUNDS = 25
POSTGRESQL_ROUNDS = 8
TARIFF = {
    "id": "bench",
    "currency": "GBP",
    "tax_included": "YES",
    "elements": [
        {"price_components": [{"type": "ENERGY", "price": 0.4, "vat": 20}, {"type": "FLAT", "price": 0.35, "vat": 20}]}
    ],
}


class Bench:
    """A store with one operator, one tariff and many stations."""

    operator: str
    stations: list[StationId]

    def __init__(self, store: Store, before: Bench | None = None) -> None:
        """`before`: the same operator and stations, in a store that was opened again."""
        self.store = store
        self.draws = WorldDraws()
        self.now = self.draws.draw().machine
        self._rounds = 0
        self.waits: dict[str, list[float]] = defaultdict(list)
        """By workflow: seconds from when a command was handed in until its answer came."""
        if before is not None:
            self.operator, self.stations, self.now = before.operator, before.stations, before.now
            return
        self.operator = self.draws.draw().id("operator")
        self.put(add_operator, AddOperator("bench", "Bench", clock_floor=Instant(0)))
        self.put(put_tariff, PutTariff(TARIFF))
        self.put(assign_tariff, AssignTariff("bench", valid_from=Instant(0)))
        self.put(add_customer, AddCustomer("c"))
        self.put(add_token, AddToken("CARD", "c"))
        evse = (NewEvse(1, Current.DC, 1_000_000),)
        self.stations = [
            self.put(add_station, AddStation(f"S{one}", None, "0", evse)).station_id for one in range(AT_ONCE)
        ]

    def next_round(self) -> int:
        """Rounds are told apart by their number: the same one again would be the same sessions."""
        self._rounds += 1
        return self._rounds

    def put(self, workflow: Callable[[Any, C], R], command: C) -> R:
        """Run one workflow and wait for its answer."""
        return self.store.write_now(self.operator, workflow, command, actor="bench")

    def together(self, workflow: Callable[[Any, C], R], commands: list[C]) -> list[R]:
        """Hand in a burst and wait for all its answers."""
        answers: queue.SimpleQueue[tuple[int, Any, float]] = queue.SimpleQueue()
        begun, waits = time.perf_counter(), self.waits[workflow.__name__]
        for place, command in enumerate(commands):
            self.store.writer.submit(self.operator, workflow, command, partial(_note, answers, place), actor="bench")
        found = {}
        for _ in commands:
            place, result, at = answers.get(timeout=60)
            waits.append(at - begun)
            found[place] = result
        for result in found.values():
            if isinstance(result, Exception):
                raise result
        return [found[place] for place in range(len(commands))]

    def heard(self, station: StationId, action: str, number: str) -> Heard:
        """A frame of the usual size."""
        return Heard(station, "ocpp1.6", action, str(number), b"x" * 220, self.now)

    def start(self, station: StationId, number: int) -> Started:
        """A driver holds the card to a station."""
        heard = self.heard(station, "StartTransaction", f"{number}")
        return Started(heard, self._begin(number), 1, 1, "card", None, None, number * 10_000_000)

    def value(self, station: StationId, number: int, step: int, transaction: str) -> Sampled:
        """One of the meter values of a session."""
        at = Instant(self._begin(number) + step * 2_000)
        sample = Sample(at, number * 10_000_000 + step * 1_000_000, None, "Sample.Periodic")
        return Sampled(self.heard(station, "MeterValues", f"{number}/{step}"), at, 1, transaction, (sample,))

    def stop(self, station: StationId, number: int, transaction: str) -> Stopped:
        """The end of a session."""
        at, register = Instant(self._begin(number) + 10_000), number * 10_000_000 + 5_000_000
        heard = self.heard(station, "StopTransaction", f"{number}/stop")
        return Stopped(heard, at, transaction, register, "card", "Local")

    def round(self, number: int) -> None:
        """One session at each station."""
        answers = self.together(plug_in, [self.start(one, number) for one in self.stations])
        pairs = [(one, answer.transaction_id) for one, answer in zip(self.stations, answers, strict=True)]
        for step in range(1, 5):
            self.together(follow, [self.value(one, number, step, transaction) for one, transaction in pairs])
        self.together(unplug, [self.stop(one, number, transaction) for one, transaction in pairs])

    def one_by_one(self, number: int) -> tuple[list[float], list[float]]:
        """A session at each station, one after the other: seconds from each start and each stop to its answer."""
        starts, stops = [], []
        for one in self.stations:
            began = time.perf_counter()
            transaction = self.put(plug_in, self.start(one, number)).transaction_id
            starts.append(time.perf_counter() - began)
            began = time.perf_counter()
            self.put(unplug, self.stop(one, number, transaction))
            stops.append(time.perf_counter() - began)
        return starts, stops

    def _begin(self, number: int) -> Instant:
        return Instant(self.now - 10_000_000 + number * 20_000)


def opened(url: str) -> Store:
    """A store on a database that has all its tables."""
    upgrade(url)
    store = Store(url, WorldDraws().draw, b"\0" * 32)
    store.start()
    return store


def run(url: str, rounds: int = ROUNDS) -> tuple[float, float, float]:
    """Sessions a second, and milliseconds of CPU a session: of this process, and of PostgreSQL's for us."""
    bench = Bench(opened(url))
    bench.round(0)
    before, cpu, server = time.perf_counter(), cpu_seconds(), _server_seconds(url)
    for number in range(1, rounds + 1):
        bench.round(number)
    elapsed, used, server = time.perf_counter() - before, cpu_seconds() - cpu, _server_seconds(url) - server
    bench.store.close()
    sessions = rounds * AT_ONCE
    return sessions / elapsed, used / sessions * 1000, server / sessions * 1000


def _note(answers: queue.SimpleQueue[tuple[int, Any, float]], place: int, result: Any) -> None:
    answers.put((place, result, time.perf_counter()))


def _server_seconds(url: str) -> float:
    """What the server's processes that work for this database have used so far; nothing where there is none."""
    if not url.startswith("postgresql"):
        return 0.0
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()").fetchall()
    ticks = 0
    for (process,) in rows:
        with suppress(OSError):
            fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def cpu_seconds() -> float:
    """What this process has used so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measure() -> list[Figure]:
    """The figures of this benchmark."""
    with tempfile.TemporaryDirectory() as folder:
        rate, cost, _ = run(f"sqlite:///{Path(folder) / 'bench.db'}")
    return [
        Figure("whole session on SQLite, CPU", cost, "ms", budget=5.0),
        Figure(f"whole session on SQLite, {AT_ONCE} at once, of {ROUNDS * AT_ONCE}; elapsed", 1000 / rate, "ms", 5.0),
        *_on_postgresql(),
    ]


def _on_postgresql() -> list[Figure]:
    """With the server on the same machine; nothing where PostgreSQL is not installed."""
    from tests.parts import PARTS  # noqa: PLC0415  # where the parts of a machine are found
    from tests.postgresql import fresh_database, postgresql_server  # noqa: PLC0415  # as above, and only here

    initdb = PARTS["postgresql"].find()
    if initdb is None:
        return []
    with postgresql_server(initdb) as server, fresh_database(server, "bench") as url:
        rate, cost, server_cost = run(url, POSTGRESQL_ROUNDS)
    count = POSTGRESQL_ROUNDS * AT_ONCE
    return [
        Figure("whole session on PostgreSQL, CPU of the client", cost, "ms"),
        Figure("whole session on PostgreSQL, CPU of client and server", cost + server_cost, "ms", 12.5),
        Figure(f"whole session on PostgreSQL, {AT_ONCE} at once, of {count}; elapsed", 1000 / rate, "ms", 12.5),
    ]
