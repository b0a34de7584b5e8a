"""The entrance: the process answers for itself before its pages are built, and nobody who comes early is sent away."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import structlog

from tallywatt.entrypoints.http.entrance import Entrance
from tallywatt.entrypoints.http.serving import Door
from tallywatt.kernel.errors import Broken

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene


async def test_who_comes_before_the_pages_are_built_waits_and_is_answered(scene: Scene) -> None:
    """A supervisor asks within the first second, and so does a browser that was left open; neither may see an error."""
    entrance = Entrance(scene.house)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(entrance), base_url="http://house") as client:
        early = await client.get("/health")
        visitor = asyncio.create_task(client.get("/console"))
        await asyncio.sleep(0)
        waiting = not visitor.done()

        await entrance.furnish()

        late = await client.get("/health")
        page = await visitor
        await entrance.clear()
    assert waiting
    assert (early.status_code, json.loads(early.text)) == (200, json.loads(late.text))
    assert page.status_code == 401
    assert "content-security-policy" in page.headers


async def test_a_port_that_is_taken_is_named_with_what_to_do(scene: Scene) -> None:
    """The second server of a newcomer, whose demo still serves: a sentence, and not the web server's traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        scene.house.settings.http_port = taken.getsockname()[1]

        with pytest.raises(Broken, match="cannot be opened for pages") as refused:
            await Door(scene.house).open()

    assert refused.value.code == "serve.port_taken"
    assert "TALLYWATT_HTTP_PORT" in (refused.value.remedy or "")


async def test_who_hangs_up_in_the_middle_of_a_request_breaks_nothing(scene: Scene) -> None:
    """A phone in a car park loses its net; that was written down as a fault of ours, with a traceback."""
    entrance = Entrance(scene.house)
    await entrance.furnish()
    said: list[str] = []
    path = f"/evse/{scene.station('CP1')['evses'][0]['code']}/pay"
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"content-type", b"application/x-www-form-urlencoded"), (b"content-length", b"20")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }

    async def hangs_up() -> dict[str, str]:
        await asyncio.sleep(0)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        said.append(str(message.get("status", "")))

    with structlog.testing.capture_logs() as logged:
        await entrance(scope, hangs_up, send)
    await entrance.clear()

    assert "500" not in said
    assert [one["event"] for one in logged if one["log_level"] == "error"] == []
