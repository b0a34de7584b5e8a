"""Open pages, as their streams: each follows its own session, and may fetch its page again when it hears of a change.

It stands for the browsers and must cost less than what it measures, so it reads sockets and no HTML. It takes the addresses of
the pages from its input, one a line, says "open" when all streams are, and prints when its input ends what each one heard.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from contextlib import suppress

import uvloop

from tallywatt.adapters.machine import MachineClock

ENDING_SECONDS = 5


class Viewers:
    """All pages that are open, and what they have heard."""

    def __init__(self, port: int, fetches: int) -> None:
        self.port = port
        self.heard: list[tuple[int, int, int]] = []
        """Number of the page, position, and milliseconds since 1970 at which the message came."""
        self._clock = MachineClock()
        self.fetched: list[float] = []
        """Seconds that each page took that was fetched again."""
        self._wanted: asyncio.Queue[str] = asyncio.Queue()
        self._open = 0
        self.all_open = asyncio.Event()
        self._fetchers = fetches

    async def run(self, paths: list[str]) -> None:
        """Follow every page until the input ends."""
        tasks = [asyncio.create_task(self._follow(number, path, len(paths))) for number, path in enumerate(paths)]
        tasks += [asyncio.create_task(self._fetch()) for _ in range(self._fetchers)]
        await self.all_open.wait()
        print("open", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        with suppress(TimeoutError):
            async with asyncio.timeout(ENDING_SECONDS):
                await self._wanted.join()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, number: int, path: str, of: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"GET {path}/feed HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n".encode())
        status = await reader.readline()
        assert b" 200 " in status, status
        self._open += 1
        if self._open == of:
            self.all_open.set()
        while line := await reader.readline():
            if line.startswith(b"id: "):
                self.heard.append((number, int(line[4:]), self._clock.now()))
                if self._fetchers:
                    self._wanted.put_nowait(path)

    async def _fetch(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        while True:
            path = await self._wanted.get()
            started = time.perf_counter()
            writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert b" 200 " in head[:20], head
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            self.fetched.append(time.perf_counter() - started)
            self._wanted.task_done()


async def main() -> None:
    """Follow the pages that the input names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("port", type=int)
    parser.add_argument("pages", type=int, help="how many lines name one")
    parser.add_argument(
        "--fetchers", type=int, default=0, help="connections that fetch pages again; 0: none is fetched"
    )
    wanted = parser.parse_args()
    paths = [sys.stdin.readline().strip() for _ in range(wanted.pages)]
    viewers = Viewers(wanted.port, wanted.fetchers)
    cpu = time.process_time()
    await viewers.run(paths)
    told = {"heard": viewers.heard, "fetched": viewers.fetched, "cpu_seconds": time.process_time() - cpu}
    print(json.dumps(told))


if __name__ == "__main__":
    uvloop.run(main())
