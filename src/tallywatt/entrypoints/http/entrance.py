"""The entrance: answers at once whether this process is well, and holds every other visitor until the rooms behind are ready.

Loading the web framework and building all routes costs most of a start. Stations and supervisors need none of it, so it is
done behind the open door, and a page that is asked for meanwhile waits a moment instead of being refused.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

from tallywatt.entrypoints.http.health import health_of, readiness_of

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.types import Receive, Scope, Send

    from tallywatt.wiring import House


class Entrance:
    """An ASGI app in front of the real one."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._app: Starlette | None = None
        self._life: Any = None
        self._ready = asyncio.Event()

    async def furnish(self) -> None:
        """Build the app in a thread, wake what belongs to it, and let the visitors in."""
        # Whoever is at the door gets a turn ten times as often while the thread that builds keeps Python's lock busy.
        usual = sys.getswitchinterval()
        sys.setswitchinterval(usual / 10)
        try:
            app = await asyncio.to_thread(_built, self._house)
        finally:
            sys.setswitchinterval(usual)
        self._life = app.router.lifespan_context(app)
        await self._life.__aenter__()
        self._app = app
        self._ready.set()

    async def clear(self) -> None:
        """Put to sleep what belongs to the app."""
        if self._life is not None:
            await self._life.__aexit__(None, None, None)
            self._life = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for the process itself; pass everything else on, when there is somebody to pass it to."""
        if self._app is None:
            if scope["type"] == "http" and scope["method"] == "GET" and scope["path"] == "/health":
                await _tell(send, await health_of(self._house))
                return
            if scope["type"] == "http" and scope["method"] == "GET" and scope["path"] == "/ready":
                status, body = await readiness_of(self._house, furnished=False)
                await _tell(send, body, status)
                return
            await self._ready.wait()
        assert self._app is not None, "furnished before it is ready"
        await self._app(scope, receive, send)


def _built(house: House) -> Starlette:
    from tallywatt.entrypoints.http.app import build_app  # a third of a second, behind the open door

    return build_app(house)


async def _tell(send: Send, body: bytes, status: int = 200) -> None:
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
