"""`tallywatt serve`: HTTP, gateway and workers in one process, or one of them."""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from tallywatt.entrypoints.cli.lean import settled
from tallywatt.entrypoints.cli.logs import configure
from tallywatt.entrypoints.worker import LANES, Courier, Janitor, Workers
from tallywatt.kernel.errors import BadInput
from tallywatt.wiring import House, present_revision, upgrade

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.entrypoints.http.serving import Door
    from tallywatt.entrypoints.worker import Lane
    from tallywatt.settings import Settings

log = structlog.get_logger(__name__)

PARTS = ("http", "gateway", "worker")
STATION_LANES = ("stations",)
"""Commands go out by the process that holds the sockets."""
GRACE_SECONDS = 5


def serve(settings: Settings, only: str | None = None, ready: Callable[[], None] | None = None) -> None:
    """Run until SIGINT or SIGTERM. `ready` is called when all doors are open."""
    configure(getattr(logging, settings.log_level.upper()))
    parts = PARTS if only is None else (only,)
    if only is not None and settings.url.startswith("sqlite:"):
        msg = "SQLite has one writing process, so its server cannot be split"
        raise BadInput(
            msg,
            code="serve.cannot_split",
            remedy="set TALLYWATT_DATABASE_URL to a PostgreSQL database, or leave out --only",
        )
    if present_revision(settings.url) is None:
        # An empty database is the first run of a newcomer; one that has tables is only upgraded on request.
        upgrade(settings.url)
    house = House(settings)
    with suppress(ImportError):
        import uvloop  # not to be had everywhere; the loop of the standard library serves as well

        uvloop.install()
    try:
        asyncio.run(_run(house, parts, ready))
    finally:
        house.close()


async def _run(house: House, parts: tuple[str, ...], ready: Callable[[], None] | None) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if "gateway" in parts:
        house.build_gateway()
    house.open()
    if house.store.is_sqlite:
        house.open_control()
    house.take_over()
    workers = Workers(house, _lanes(parts, house.settings))
    pages = None
    if "http" in parts:
        from tallywatt.entrypoints.http.serving import Door  # the web server is loaded by who needs it

        pages = Door(house)
        await pages.open()
    if house.gateway is not None:
        await house.open_gateway()
    house.open_measures()
    workers.start()
    janitor, courier = Janitor(house), Courier(house)
    if "worker" in parts:
        janitor.start()
        courier.start()
    if pages is not None:
        await pages.furnished()
    settled()
    log.info("serve.ready", parts=list(parts), http=house.settings.base_url, ocpp=house.settings.ocpp_port)
    if ready is not None:
        ready()
    await stop.wait()
    log.info("serve.stopping")
    await _close_doors(house, pages)
    await loop.run_in_executor(None, janitor.stop)
    await loop.run_in_executor(None, courier.stop)
    await loop.run_in_executor(None, workers.stop)


async def _close_doors(house: House, pages: Door | None) -> None:
    if pages is not None:
        await pages.close(GRACE_SECONDS)
    if house.gateway is not None:
        await house.gateway.stop(GRACE_SECONDS)


def _lanes(parts: tuple[str, ...], settings: Settings) -> tuple[Lane, ...]:
    mine = [lane for name, lane in LANES.items() if ("gateway" if name in STATION_LANES else "worker") in parts]
    return tuple(replace(lane, threads=settings.workers) if lane.name == "providers" else lane for lane in mine)
