"""500 open pages of drivers, each following its own session, while 200 events a second happen to these sessions.

Server, stations and pages are three processes on the same cores. A delay is the time from when a fact was written down to when
the page that it concerns was told; what a page hears in one message with others counts from the oldest of them.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from bisect import bisect_right
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.request import Request, urlopen

from benchmarks.figure import Figure
from benchmarks.ocpp_load import KEY, TOKEN, identity
from benchmarks.start import free_port
from tallywatt.settings import Settings
from tallywatt.stations.credentials import hash_key
from tallywatt.wiring import House, upgrade
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.add_operator import AddOperator, add_operator
from tallywatt.workflows.add_station import AddStation, NewEvse, add_station
from tallywatt.workflows.create_api_key import CreateApiKey, create_api_key
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff, assign_tariff, put_tariff

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES = 500
A_SECOND = 200
SECONDS = 15
FETCHERS = 16
GIVE_UP_SECONDS = 60
TARIFF = {
    "id": "bench",
    "currency": "GBP",
    "tax_included": "YES",
    "elements": [{"price_components": [{"type": "ENERGY", "price": 0.3, "step_size": 1}]}],
}


def measure() -> list[Figure]:
    """The streams alone, then with every page fetched again whenever it hears of a change, as a browser does."""
    with tempfile.TemporaryDirectory(prefix="tallywatt-bench-") as folder, _Served(Path(folder)) as served:
        alone = asyncio.run(_watched(served, 0))
        fetching = asyncio.run(_watched(served, FETCHERS))
        page, kilobytes = served.first_page()
    return [
        Figure(f"{PAGES} open pages, {A_SECOND} events a second: delay, p99", alone["p99_ms"], "ms", 1000),
        Figure("of it the median", alone["p50_ms"], "ms"),
        Figure("memory a page that is open", alone["kilobytes"], "kB"),
        Figure(
            "the same, each page fetched again when it hears: delay of the message, p99", fetching["p99_ms"], "ms", 1000
        ),
        Figure("the page that is fetched again, p99", fetching["page_p99_ms"], "ms"),
        Figure("first page of the console as it travels: page, style, script and font", kilobytes, "kB", 100),
        Figure("first page of the console, made by the server; elapsed", page, "ms", 150),
    ]


class _Served:
    """A server on a database with one running session a page."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(data_dir=folder / "data", http_port=free_port(), ocpp_port=free_port())
        self.settings.data_dir.mkdir()
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self._key = ""

    def __enter__(self) -> Self:
        upgrade(self.settings.url)
        house = House(self.settings)
        house.open(following=False)
        operator = house.new_id("operator")

        def do(workflow: Any, command: object) -> Any:
            return house.write_now(operator, workflow, command, actor="bench")

        do(add_operator, AddOperator("bench", "Bench"))
        do(put_tariff, PutTariff(TARIFF))
        do(assign_tariff, AssignTariff("bench"))
        do(add_customer, AddCustomer("driver"))
        do(add_token, AddToken(TOKEN, "driver"))
        for number in range(PAGES):
            do(add_station, AddStation(identity(number), None, hash_key(KEY, house.pepper), (NewEvse(1),)))
        self._key = do(create_api_key, CreateApiKey("bench", ("read",))).text
        house.close()
        chosen = {
            "DATA_DIR": self.settings.data_dir,
            "HTTP_PORT": self.settings.http_port,
            "OCPP_PORT": self.settings.ocpp_port,
        }
        environment = {**os.environ, **{f"TALLYWATT_{name}": str(value) for name, value in chosen.items()}}
        with self._log.open("wb") as output:
            command = (sys.executable, "-m", "tallywatt", "serve")
            self._process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while b"serve.ready" not in self._log.read_bytes():
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None, "entered before it is left"
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(GIVE_UP_SECONDS)

    def kilobytes(self) -> int:
        """The memory of the server."""
        assert self._process is not None, "entered"
        lines = Path(f"/proc/{self._process.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))

    @contextmanager
    def looking(self) -> Iterator[sqlite3.Connection]:
        """Its database, to read from."""
        connection = sqlite3.connect(f"file:{self.settings.data_dir / 'tallywatt.db'}?mode=ro", uri=True)
        yield connection
        connection.close()

    def first_page(self) -> tuple[float, float]:
        """Milliseconds of the console's first page, the best of some, and kilobytes of it with all that it loads."""

        def get(path: str) -> bytes:
            # As a browser asks: style and script travel compressed, and the page itself, which holds secrets, does not.
            headers = {"Authorization": f"Bearer {self._key}", "Accept-Encoding": "gzip"}
            asked = Request(self.settings.base_url + path, headers=headers)
            with urlopen(asked, timeout=GIVE_UP_SECONDS) as answer:
                content: bytes = answer.read()
            return content

        took = []
        for _ in range(10):
            started = time.perf_counter()
            page = get("/console")
            took.append(time.perf_counter() - started)
        files = {one.partition('"')[0] for one in page.decode().split('"') if one.startswith("/static/")}
        return min(took) * 1000, (len(page) + sum(len(get(one)) for one in files)) / 1000


async def _watched(served: _Served, fetchers: int) -> dict[str, float]:
    """Open the pages, let things happen, and see what they heard when."""
    port, ocpp = served.settings.http_port, served.settings.ocpp_port
    load = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.ocpp_load", f"ws://127.0.0.1:{ocpp}/ocpp", "--stations", str(PAGES)),
        *("--calls", str(A_SECOND * SECONDS), "--a-second", str(A_SECOND), "--play", "statuses", "--wait"),
        *("--first-second", "36000" if fetchers else "0"),
        stdin=-1, stdout=-1, stderr=-1,
    )  # fmt: skip
    assert load.stderr is not None, "it was asked for"
    await load.stderr.readline()
    with served.looking() as database:
        rows = database.execute("SELECT driver_secret, evse_id FROM sessions WHERE state = 'active'").fetchall()
    assert len(rows) == PAGES, "every station has its session"
    before = served.kilobytes()
    pages = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.page_viewers", str(port), str(len(rows)), "--fetchers", str(fetchers)),
        stdin=-1, stdout=-1, limit=2**26,
    )  # fmt: skip
    assert pages.stdin is not None, "it was asked for"
    assert pages.stdout is not None, "it was asked for"
    pages.stdin.write("".join(f"/s/{secret}\n" for secret, _ in rows).encode())
    await pages.stdout.readline()
    after = served.kilobytes()
    with served.looking() as database:
        first = database.execute("SELECT max(position) FROM events").fetchone()[0]
    await load.communicate(b"\n")
    await asyncio.sleep(2)
    told = json.loads((await pages.communicate(b""))[0])
    with served.looking() as database:
        events = database.execute(
            "SELECT aggregate_id, position, recorded_at FROM events WHERE aggregate = 'evse' AND position > ?", (first,)
        ).fetchall()
    delays = _delays([evse for _, evse in rows], events, told["heard"])
    assert len(delays) == len(events), "every event was told to its page"
    fetched = sorted(told["fetched"]) or [0.0]
    return {
        "p50_ms": delays[len(delays) // 2],
        "p99_ms": delays[len(delays) * 99 // 100],
        "kilobytes": (after - before) / len(rows),
        "page_p99_ms": fetched[len(fetched) * 99 // 100] * 1000,
    }


def _delays(evses: list[str], events: list[tuple[str, int, int]], heard: list[list[int]]) -> list[float]:
    """For each event, sorted: milliseconds until the page of its EVSE had a message at or behind its position."""
    messages: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for number, position, at in heard:
        messages[evses[number]].append((position, at))
    found = []
    for evse, position, recorded_at in events:
        mine = messages[evse]
        index = bisect_right(mine, (position, -1))
        if index < len(mine):
            found.append(float(mine[index][1] - recorded_at))
    return sorted(found)
