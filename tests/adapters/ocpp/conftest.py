"""A gateway with stand-ins around it, on the event loop that production uses."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tallywatt.adapters.ocpp.server import Gateway, GatewayOptions
from tests.adapters.ocpp.house import PEPPER, HeldWriter, Neighbours, StoppedClock, Told, a_credential, basic
from tests.adapters.ocpp.scene import Scene
from tests.migrated import copy_of, house_url, migrated_file, postgresql_house_url, spare_databases, sqlite_house_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

__all__ = ["house_url", "migrated_file", "postgresql_house_url", "spare_databases", "sqlite_house_url"]


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop that `serve` runs."""
    return {"uvloop": uvloop.new_event_loop}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def scene(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """One house for all stories."""
    url = copy_of(migrated_file, tmp_path_factory.mktemp("scene"))
    one = await asyncio.to_thread(Scene.opened, url)
    await one.gateway.start("127.0.0.1", 0)
    yield one
    await one.gateway.stop(grace_seconds=1)
    one.store.close()


@dataclass
class House:
    """A running gateway and everything around it."""

    writer: HeldWriter = field(default_factory=HeldWriter)
    told: Told = field(default_factory=Told)
    neighbours: Neighbours = field(default_factory=lambda: Neighbours([a_credential("CP1"), a_credential("CP2")]))
    options: GatewayOptions = field(default_factory=GatewayOptions)

    def __post_init__(self) -> None:
        self.gateway = self.another_gateway()

    def another_gateway(self) -> Gateway:
        return Gateway(self.writer, self.told.intake(), self.neighbours, StoppedClock(), PEPPER, self.options)

    def url(self, path: str) -> str:
        return f"ws://127.0.0.1:{self.gateway.port}{path}"

    @asynccontextmanager
    async def station(
        self, identity: str = "CP1", protocol: str | None = "ocpp1.6", **more: Any
    ) -> AsyncIterator[ClientConnection]:
        """A raw WebSocket of a station."""
        headers = more.pop("additional_headers", basic(identity))
        protocols = None if protocol is None else [Subprotocol(protocol)]
        path = more.pop("path", f"/ocpp/{identity}")
        async with connect(
            self.url(path), subprotocols=protocols, additional_headers=headers, compression=None, **more
        ) as socket:
            yield socket


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """A gateway that listens on a free port."""
    one = House()
    await one.gateway.start("127.0.0.1", 0)
    yield one
    await one.gateway.stop(grace_seconds=1)
    one.writer.stop()


async def say(socket: ClientConnection, *message: Any) -> list[Any]:
    """Send a message and read the next answer."""
    await socket.send(json.dumps(message))
    answer: list[Any] = json.loads(await socket.recv())
    return answer
