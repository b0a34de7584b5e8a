"""What a session and a page cost when ten thousand, a hundred thousand and a million sessions are stored, on both engines.

Without a name `make bench` runs `growth_small`, which ends at a hundred thousand; this one goes on to a million: some 12 GB for
each engine, one after the other, and a quarter of an hour.

    python -m benchmarks growth
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from benchmarks.figure import Figure
from benchmarks.filling import Filler, bytes_of
from benchmarks.sessions import AT_ONCE, Bench, cpu_seconds
from benchmarks.start import free_port
from tallywatt.adapters.storage.rollups import roll_up_revenue
from tallywatt.settings import Settings
from tallywatt.wiring import House, upgrade
from tallywatt.workflows.create_api_key import CreateApiKey, create_api_key

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = (10_000, 100_000, 1_000_000)
ROUNDS = 4
"""Of a session at each of the stations, at each size."""
GIVE_UP_SECONDS = 120
PAGE_BUDGET_MS = 200
PAGES = (
    "/console", "/console/sessions", "/console/sessions?state=billed", "/console/sessions?station=S7", "/console/invoices",
    "/console/payments", "/console/stations", "/console/stations/S7", "/console/customers", "/console/inbox", "/console/jobs",
    "/console/explained", "/console/search?q=nothing-like-it",
)  # fmt: skip
LISTS = (
    "/sessions?limit=50", "/sessions?limit=50&state=billed", "/sessions?limit=50&station=S7",
    "/sessions?limit=50&customer=c", "/sessions?limit=50&since=2026-11-01T00:00:00Z", "/invoices?limit=50",
    "/payments?limit=50", "/jobs?state=done&limit=50", "/explanations?limit=50",
)  # fmt: skip


def measure(sizes: tuple[int, ...] = SIZES) -> list[Figure]:
    """Both engines; PostgreSQL where it is installed."""
    with tempfile.TemporaryDirectory(prefix="tallywatt-bench-") as folder:
        figures = _grown("SQLite", Path(folder), None, sizes)
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
        return figures + _grown("PostgreSQL", Path(folder), url, sizes)


def _grown(engine: str, folder: Path, url: str | None, sizes: tuple[int, ...]) -> list[Figure]:
    settings = Settings(data_dir=folder, database_url=url, http_port=free_port(), ocpp_port=free_port())
    upgrade(settings.url)
    bench, house = _opened(settings, None)
    bench.round(0)
    key = bench.put(create_api_key, CreateApiKey("bench", ("read",))).text
    house.store.sequence()
    house.close()
    filler = Filler(settings.url)
    figures = []
    for size in sizes:
        filler.fill(size)
        figures += _writing(engine, settings, bench, size)
        with _served(settings) as started:
            figures.append(Figure(f"{engine}, {size:,} sessions: start to ready; elapsed", started * 1000, "ms"))
            for kind, paths in (("console", PAGES), ("API list", LISTS)):
                took = {path: _best(settings, key, path) for path in paths}
                worst = max(took, key=lambda path: took[path])
                label = f"{engine}, {size:,} sessions: slowest {kind} page, {worst}; elapsed"
                figures.append(Figure(label, took[worst], "ms", PAGE_BUDGET_MS))
        figures.append(Figure(f"{engine}, {size:,} sessions: database", bytes_of(settings.url) / 1e6, "MB"))
    filler.close()
    return figures


def _opened(settings: Settings, before: Bench | None) -> tuple[Bench, House]:
    house = House(settings)
    house.open(following=False)
    return Bench(house.store, before), house


def _writing(engine: str, settings: Settings, before: Bench, size: int) -> list[Figure]:
    """Whole sessions, many at once; then a start and a stop alone; then what a roll-up reads of it."""
    bench, house = _opened(settings, before)
    bench.round(before.next_round())
    elapsed, cpu = time.perf_counter(), cpu_seconds()
    for _ in range(ROUNDS):
        bench.round(before.next_round())
    elapsed, cpu = time.perf_counter() - elapsed, cpu_seconds() - cpu
    starts, stops = bench.one_by_one(before.next_round())
    house.store.sequence()
    rolled = time.perf_counter()
    while house.store.run_now("", roll_up_revenue, None, actor="bench"):
        pass
    rolled = time.perf_counter() - rolled
    house.close()
    what, count = f"{engine}, {size:,} sessions", ROUNDS * AT_ONCE
    return [
        Figure(f"{what}: whole session, CPU of the client", cpu / count * 1000, "ms"),
        Figure(f"{what}: whole session, {AT_ONCE} at once; elapsed", elapsed / count * 1000, "ms"),
        Figure(f"{what}: a start alone, median; elapsed", median(starts) * 1000, "ms"),
        Figure(f"{what}: a stop alone, median; elapsed", median(stops) * 1000, "ms"),
        Figure(f"{what}: roll-up of what is new; elapsed", rolled * 1000, "ms"),
    ]


@contextmanager
def _served(settings: Settings) -> Iterator[float]:
    """A server on that database; how long it took to be ready."""
    chosen = {"DATA_DIR": settings.data_dir, "HTTP_PORT": settings.http_port, "OCPP_PORT": settings.ocpp_port}
    if settings.database_url is not None:
        chosen["DATABASE_URL"] = settings.database_url
    environment = {**os.environ, **{f"TALLYWATT_{name}": str(value) for name, value in chosen.items()}}
    log = settings.data_dir / "log"
    began = time.perf_counter()
    with log.open("wb") as output:
        server = subprocess.Popen(
            (sys.executable, "-m", "tallywatt", "serve"), env=environment, stdout=output, stderr=output
        )
    try:
        while b"serve.ready" not in log.read_bytes():
            assert time.perf_counter() - began < GIVE_UP_SECONDS, log.read_text()
            assert server.poll() is None, log.read_text()
            time.sleep(0.02)
        yield time.perf_counter() - began
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(GIVE_UP_SECONDS)


def _best(settings: Settings, key: str, path: str) -> float:
    """Milliseconds of a page, the best of some: the first one also builds what all later ones use."""
    asked = Request(settings.base_url + path, headers={"Authorization": f"Bearer {key}"})
    took = []
    for _ in range(5):
        began = time.perf_counter()
        try:
            urlopen(asked, timeout=GIVE_UP_SECONDS).read()
        except HTTPError as error:
            msg = f"{path} answers {error.code}: {error.read().decode()}"
            raise RuntimeError(msg) from error
        took.append(time.perf_counter() - began)
    return min(took) * 1000
