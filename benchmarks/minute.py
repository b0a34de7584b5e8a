"""Whole sessions for a minute, 64 at once, while a worker prints their invoices, on both engines: a burst says little of a day.

On SQLite the worker is a thread of the process that writes, as in one server; on PostgreSQL it is a process of its own.
"""

from __future__ import annotations

import logging
import multiprocessing
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from benchmarks.figure import Figure
from benchmarks.sessions import AT_ONCE, Bench, cpu_seconds
from tallywatt.entrypoints.worker import LANES, Workers
from tallywatt.settings import Settings
from tallywatt.wiring import House, upgrade

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.synchronize import Event

SECONDS = 60
BUDGETS_MS = {"SQLite": 5.0, "PostgreSQL": 12.5}


def measure() -> list[Figure]:
    """Both engines; PostgreSQL where it is installed."""
    with tempfile.TemporaryDirectory(prefix="tallywatt-bench-") as folder:
        figures = _minute("SQLite", Settings(data_dir=Path(folder)))
    from tests.parts import PARTS  # noqa: PLC0415  # where the parts of a machine are found
    from tests.postgresql import fresh_database, postgresql_server  # noqa: PLC0415  # as above, and only here

    initdb = PARTS["postgresql"].find()
    if initdb is None:
        return figures
    with (
        tempfile.TemporaryDirectory(prefix="tallywatt-bench-") as folder,
        postgresql_server(initdb) as server,
        fresh_database(server, "bench") as url,
    ):
        return figures + _minute("PostgreSQL", Settings(data_dir=Path(folder), database_url=url))


def _minute(engine: str, settings: Settings) -> list[Figure]:
    _quiet()
    upgrade(settings.url)
    house = House(settings)
    house.open(following=False)
    bench = Bench(house.store)
    bench.round(0)
    bench.waits.clear()
    with _printing(engine, house):
        began, cpu, sessions = time.perf_counter(), cpu_seconds(), 0
        while time.perf_counter() - began < SECONDS:
            bench.round(bench.next_round())
            sessions += AT_ONCE
        elapsed, cpu = time.perf_counter() - began, cpu_seconds() - cpu
        with house.store.reading() as connection:
            [(printed,)] = connection.execute("SELECT count(*) FROM printed_invoices")
    house.close()
    figures = [
        Figure(f"{engine}, {SECONDS} s: a session; elapsed", elapsed / sessions * 1000, "ms", BUDGETS_MS[engine]),
        Figure(f"{engine}, {SECONDS} s: sessions", sessions / elapsed, "a second"),
        Figure(f"{engine}, {SECONDS} s: invoices printed meanwhile", printed / elapsed, "a second"),
        Figure(f"{engine}, {SECONDS} s: CPU of the process that writes, a session", cpu / sessions * 1000, "ms"),
    ]
    for name, workflow in (("start", "plug_in"), ("stop", "unplug")):
        waits = sorted(bench.waits[workflow])
        for percent in (50, 99):
            wait = waits[len(waits) * percent // 100] * 1000
            figures.append(Figure(f"{engine}, {SECONDS} s: a {name}, {AT_ONCE} at once, p{percent}", wait, "ms"))
    return figures


@contextmanager
def _printing(engine: str, house: House) -> Iterator[None]:
    if engine == "SQLite":
        workers = Workers(house, (LANES["papers"],))
        workers.start()
        yield
        workers.stop()
        return
    context = multiprocessing.get_context("spawn")
    enough = context.Event()
    process = context.Process(target=_print, args=(house.settings, enough))
    process.start()
    yield
    enough.set()
    process.join()


def _quiet() -> None:
    """Nothing is said of every single job."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))


def _print(settings: Settings, enough: Event) -> None:
    _quiet()
    house = House(settings)
    house.open(following=False)
    workers = Workers(house, (LANES["papers"],))
    workers.start()
    enough.wait()
    workers.stop()
    house.close()
