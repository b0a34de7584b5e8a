"""A TCP balancer in front of several gateways: each connection of a station goes to the next one that takes it."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from itertools import count

LARGEST = 1 << 16


class Balancer:
    """Passes connections on by turns; to another gateway where one does not listen. It lives on a thread of its own."""

    def __init__(self, ports: tuple[int, ...]) -> None:
        self._ports = ports
        self._turns = count()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="balancer", daemon=True)

    def start(self, port: int) -> None:
        """Listen on that port of this machine."""
        self._thread.start()
        listening = asyncio.start_server(self._pass_on, "127.0.0.1", port, backlog=2048)
        asyncio.run_coroutine_threadsafe(listening, self._loop).result(10)

    def close(self) -> None:
        """Cut everything."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = next(self._turns)
        for place in range(len(self._ports)):
            port = self._ports[(first + place) % len(self._ports)]
            with suppress(OSError):
                behind = await asyncio.open_connection("127.0.0.1", port)
                await asyncio.gather(_copy(reader, behind[1]), _copy(behind[0], writer))
                return
        writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(LARGEST):
            writer.write(data)
            await writer.drain()
    writer.close()
