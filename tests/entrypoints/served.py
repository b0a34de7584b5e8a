"""A house on a real port, in a thread of its own, and a real browser that looks at it."""

from __future__ import annotations

import asyncio
import queue
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from tallywatt.entrypoints.http.serving import Door

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from tallywatt.wiring import House

QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
"""A browser that talks to nobody but the page."""


@contextmanager
def served(house: House) -> Iterator[str]:
    """The address of a house while its own door is open."""
    addresses: queue.SimpleQueue[str] = queue.SimpleQueue()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(house, addresses, stopping)), daemon=True)
    stopping = threading.Event()
    thread.start()
    try:
        yield addresses.get(timeout=10)
    finally:
        stopping.set()
        thread.join(timeout=10)
        assert not thread.is_alive(), "the door did not close"


async def _serve(house: House, addresses: queue.SimpleQueue[str], stopping: threading.Event) -> None:
    door = Door(house)
    await door.open()
    await door.furnished()
    addresses.put(f"http://127.0.0.1:{door.port}")
    await asyncio.to_thread(stopping.wait)
    await door.close(2)


@contextmanager
def browser(chromium: Path) -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        try:
            yield started
        finally:
            started.close()
