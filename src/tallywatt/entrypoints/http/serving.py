"""The door itself: uvicorn inside our own event loop, with our own signals, and live streams ended before it closes."""

from __future__ import annotations

import asyncio
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from tallywatt.entrypoints.http.entrance import Entrance
from tallywatt.kernel.errors import Broken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.wiring import House


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `serve`: uvicorn would raise SIGTERM again and skip our clean-up."""
        yield


class Door:
    """HTTP of one process."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._entrance = Entrance(house)
        self._server = _Server(
            uvicorn.Config(
                self._entrance,
                lifespan="off",
                log_config=None,
                access_log=False,
                ws="none",
                server_header=False,
                proxy_headers=False,
            )
        )
        self._task: asyncio.Task[None] | None = None
        self._furnishing: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Listen; returns when the process answers for itself. Pages and API follow: see `furnished`."""
        # Opened here, because uvicorn ends the process when a port is taken.
        listening = _listen_on(self._house.settings.http_host, self._house.settings.http_port)
        self._task = asyncio.create_task(self._server.serve([listening]))
        while not self._server.started:
            if self._task.done():
                await self._task
            await asyncio.sleep(0.005)
        self._furnishing = asyncio.create_task(self._entrance.furnish())

    async def furnished(self) -> None:
        """Wait until every route answers; raises what went wrong in building them."""
        if self._furnishing is not None:
            await self._furnishing

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._server.servers[0].sockets[0].getsockname()[1])

    async def close(self, grace_seconds: float) -> None:
        """End the live streams, answer what is being asked, close."""
        await self.furnished()
        await self._house.feed.close()
        self._server.config.timeout_graceful_shutdown = int(grace_seconds)
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        await self._entrance.clear()


def _listen_on(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        msg = f"{host}:{port} cannot be opened for pages and API: {error.strerror}"
        remedy = "stop what listens there, or set TALLYWATT_HTTP_PORT to a free port"
        raise Broken(msg, code="serve.port_taken", remedy=remedy) from error
