"""The address that was judged is the address that is connected to, and one bad address spoils a name."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tallywatt.adapters.webhooks.places import Forbidden, Places, Unreachable
from tallywatt.partners.address import read_allow_list

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass
class Names:
    """A name server that answers as the test says, each time the next answer."""

    answers: list[list[str]]
    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str, _: int) -> list[str]:
        """The next answer; the last one for ever."""
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
async def secret_port() -> AsyncIterator[int]:
    """Something on loopback that nobody outside may reach; the test fails if somebody does."""
    reached: list[object] = []

    async def reach(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append(writer.get_extra_info("peername"))
        writer.close()

    server = await asyncio.start_server(reach, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    assert reached == []


@pytest.mark.parametrize("answer", [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"]])
async def test_a_name_that_leads_to_us_is_forbidden(secret_port: int, answer: list[str]) -> None:
    """Also when only one of its addresses does: nobody chooses which one is taken."""
    places = Places(read_allow_list("169.254.169.254"), Names([answer]))
    with pytest.raises(Forbidden, match="private network"):
        await places.connect(urlsplit(f"https://hooks.example.org:{secret_port}/"))
    places.close()


async def test_a_name_is_resolved_once_and_cannot_change_its_mind(secret_port: int) -> None:
    """The judge and the connection see the same answer: a name server with two faces shows only one of them."""
    names = Names([["192.0.2.0"], ["127.0.0.1"]])
    places = Places(read_allow_list("192.0.2.0/24"), names)
    with pytest.raises(Unreachable):
        async with asyncio.timeout(30):
            await places.connect(urlsplit(f"https://hooks.example.org:{secret_port}/"))
    assert names.asked == ["hooks.example.org"]
    places.close()


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost"])
async def test_odd_spellings_of_loopback_lead_nowhere(secret_port: int, host: str) -> None:
    """The machine's own resolver reads them as 127.0.0.1; what it answers is judged."""
    places = Places(read_allow_list(""))
    with pytest.raises((Forbidden, Unreachable)):
        await places.connect(urlsplit(f"https://{host}:{secret_port}/"))
    places.close()


async def test_http_ends_when_its_host_is_allowed_no_more(secret_port: int) -> None:
    """The settings have changed since the endpoint was added."""
    places = Places(read_allow_list(""))
    with pytest.raises(Forbidden, match="without TLS"):
        await places.connect(urlsplit(f"http://hooks.example.org:{secret_port}/"))
    places.close()
