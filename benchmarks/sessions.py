"""Whole sessions (1 start, 4 meter values, 1 stop): plug to priced, booked, numbered; many at once, through the writer."""

from __future__ import annotations

import queue
import resource
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

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

    def __init__(self, url: str) -> None:
        upgrade(url)
        self.draws = WorldDraws()
        self.store = Store(url, self.draws.draw, b"\0" * 32)
        self.store.start()
        self.operator = self.draws.draw().id("operator")
        self._put(add_operator, AddOperator("bench", "Bench", clock_floor=Instant(0)))
        self._put(put_tariff, PutTariff(TARIFF))
        self._put(assign_tariff, AssignTariff("bench", valid_from=Instant(0)))
        self._put(add_customer, AddCustomer("c"))
        self._put(add_token, AddToken("CARD", "c"))
        evse = (NewEvse(1, Current.DC, 1_000_000),)
        self.stations = [
            self._put(add_station, AddStation(f"S{one}", None, "0", evse)).station_id for one in range(AT_ONCE)
        ]
        self.now = self.draws.draw().machine

    def _put(self, workflow: Callable[[Any, C], R], command: C) -> R:
        return self.store.write_now(self.operator, workflow, command, actor="bench")

    def together(self, workflow: Callable[[Any, C], R], commands: list[C]) -> list[R]:
        """Hand in a burst and wait for all its answers."""
        answers: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()
        for place, command in enumerate(commands):
            self.store.writer.submit(self.operator, workflow, command, partial(_note, answers, place), actor="bench")
        found = dict(answers.get(timeout=60) for _ in commands)
        for result in found.values():
            if isinstance(result, Exception):
                raise result
        return [found[place] for place in range(len(commands))]

    def heard(self, station: StationId, action: str, number: str) -> Heard:
        """A frame of the usual size."""
        return Heard(station, "ocpp1.6", action, str(number), b"x" * 220, self.now)

    def round(self, number: int) -> None:
        """One session at each station."""
        start = Instant(self.now - 10_000_000 + number * 20_000)
        register = number * 10_000_000
        answers = self.together(
            plug_in,
            [
                Started(self.heard(one, "StartTransaction", f"{number}"), start, 1, 1, "card", None, None, register)
                for one in self.stations
            ],
        )
        for step in range(1, 5):
            at = Instant(start + step * 2_000)
            self.together(
                follow,
                [
                    Sampled(
                        self.heard(one, "MeterValues", f"{number}/{step}"),
                        at,
                        1,
                        answer.transaction_id,
                        (Sample(at, register + step * 1_000_000, None, "Sample.Periodic"),),
                    )
                    for one, answer in zip(self.stations, answers, strict=True)
                ],
            )
        self.together(
            unplug,
            [
                Stopped(
                    self.heard(one, "StopTransaction", f"{number}/stop"),
                    Instant(start + 10_000),
                    answer.transaction_id,
                    register + 5_000_000,
                    "card",
                    "Local",
                )
                for one, answer in zip(self.stations, answers, strict=True)
            ],
        )


def run(url: str, rounds: int = ROUNDS) -> tuple[float, float]:
    """Sessions a second, and milliseconds of CPU a session."""
    bench = Bench(url)
    bench.round(0)
    before, cpu = time.perf_counter(), _cpu()
    for number in range(1, rounds + 1):
        bench.round(number)
    elapsed, used = time.perf_counter() - before, _cpu() - cpu
    bench.store.close()
    sessions = rounds * AT_ONCE
    return sessions / elapsed, used / sessions * 1000


def _note(answers: queue.SimpleQueue[tuple[int, Any]], place: int, result: Any) -> None:
    answers.put((place, result))


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measure() -> list[Figure]:
    """The figures of this benchmark."""
    with tempfile.TemporaryDirectory() as folder:
        rate, cost = run(f"sqlite:///{Path(folder) / 'bench.db'}")
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
        rate, cost = run(url, POSTGRESQL_ROUNDS)
    count = POSTGRESQL_ROUNDS * AT_ONCE
    return [
        Figure("whole session on PostgreSQL, CPU of the client", cost, "ms"),
        Figure(f"whole session on PostgreSQL, {AT_ONCE} at once, of {count}; elapsed", 1000 / rate, "ms", 12.5),
    ]
