"""One simulated station against a strict platform that checks every message by the protocol's own schemas."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.kernel.clock import parse_instant
from tallywatt.kernel.errors import BadInput, NotAllowed, NotFound
from tallywatt.simulators.site.single import V16, V201, Options, play
from tests.simulators.site.central import Central

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NOW = parse_instant("2026-11-21T12:00:00Z")
KEY = "00112233445566778899aabbccddeeff"


@asynccontextmanager
async def platform(**more: Any) -> AsyncIterator[Central]:
    """A platform that knows CP-2 and its key."""
    central = Central({"CP-2": KEY}, **more)
    await central.start()
    try:
        yield central
    finally:
        await central.stop()


def options(central: Central, **more: Any) -> Options:
    """A short session, told fast."""
    return Options(f"ws://127.0.0.1:{central.port}/ocpp/demo/CP-2", KEY, **{"minutes": 3, "speed": 6000.0, **more})


@pytest.mark.parametrize("protocol", [V16, V201])
async def test_a_session_is_told_whole_in_either_protocol(protocol: str) -> None:
    """From the boot to the free connector; every frame passes the schemas, and the register ends where it was said to."""
    said: list[dict[str, Any]] = []
    async with platform() as central:
        await play(options(central, protocol=protocol), lambda **step: said.append(step), NOW)
        assert list(central.metered().values()) == [11_000_000]
        times = [one.payload["timestamp"] for one in central.heard if "timestamp" in one.payload]
    assert max(times) == "2026-11-21T12:00:00.000Z", "nothing is told of the future"
    assert [one["step"] for one in said] == ["connected", "booted", "started", "reading", "reading", "stopped", "left"]


async def test_it_waits_until_somebody_adopts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform that does not know it yet answers Pending."""
    monkeypatch.setattr("tallywatt.simulators.site.single.PAUSE_SECONDS", 0.05)
    said: list[dict[str, Any]] = []
    async with platform(pending_boots=1) as central:
        await play(options(central), lambda **step: said.append(step), NOW)
    assert [one["status"] for one in said if one["step"] == "booted"] == ["Pending", "Accepted"]


async def test_a_wrong_key_is_told_with_what_to_do() -> None:
    """The first thing that goes wrong for everybody."""
    async with platform() as central:
        wrong = Options(options(central).url, "another-key")
        with pytest.raises(NotAllowed) as refused:
            await play(wrong, lambda **_: None, NOW)
    assert refused.value.remedy is not None
    assert "key" in refused.value.remedy


async def test_nobody_at_that_address_is_told_as_such() -> None:
    """And an address that is none is refused before anything is asked."""
    async with platform() as central:
        gone = options(central)
    with pytest.raises(NotFound):
        await play(gone, lambda **_: None, NOW)
    for url in ("http://127.0.0.1/ocpp/demo/CP-2", "ws://127.0.0.1:1"):
        with pytest.raises(BadInput):
            await play(Options(url, KEY), lambda **_: None, NOW)
