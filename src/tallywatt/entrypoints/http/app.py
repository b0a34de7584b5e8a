"""The app: every route, every header, every error handler; made for a house that is open."""

from __future__ import annotations

from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from tallywatt.entrypoints.http import console, doors, driver, history, oauth, problems, reference, ways_in, webhooks
from tallywatt.entrypoints.http.aisles import Aisles
from tallywatt.entrypoints.http.api import routers
from tallywatt.entrypoints.http.feed import Feed
from tallywatt.entrypoints.http.guard import Guard
from tallywatt.entrypoints.http.limits import Limits
from tallywatt.entrypoints.http.reference import install_reference
from tallywatt.entrypoints.http.tongue import Tongue
from tallywatt.entrypoints.http.uses import Uses
from tallywatt.entrypoints.pages.render import STATIC

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from starlette.routing import BaseRoute

    from tallywatt.kernel.events import RecordedEvent
    from tallywatt.wiring import House

MOST_BYTES = 1024 * 1024
"""No single thing that is told through the API is longer."""
DESCRIPTION = """Bills and collects for EV charging: from the plug to the paid invoice.

Send `Authorization: Bearer twk_…`; a key is made by `tallywatt api-key create`. Energy is a decimal string in watt-hours,
money is whole minor units beside an ISO 4217 currency, times are RFC 3339. Send an `Idempotency-Key` with every write: the same
key with the same request gets the same answer again. Errors are problem details (RFC 9457) with a stable `code`.
"""


def build_app(house: House) -> FastAPI:
    """The app of a house. It is told nothing about sockets: a server runs it."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        feed: Feed = app.state.feed
        await feed.start()
        house.store.writer.after_commit.append(feed.ring)
        try:
            yield
        finally:
            await feed.close()
            if feed.ring in house.store.writer.after_commit:
                house.store.writer.after_commit.remove(feed.ring)

    app = FastAPI(
        title="Tallywatt",
        version=version("tallywatt"),
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=life,
        redirect_slashes=False,
        max_body_size=MOST_BYTES,
        routes=[Aisles(every_route())],
    )
    app.state.house = house
    app.state.feed = house.feed = _feed_of(house)
    app.state.uses = Uses(house)
    app.state.limits = Limits(house.settings, house.machine)
    problems.install(app)
    # Only what is the same for everybody is compressed: a page that holds a token next to what somebody typed must not be.
    app.mount("/static", GZipMiddleware(StaticFiles(directory=STATIC), minimum_size=1024), name="static")
    install_reference(app, told_routes())
    app.add_middleware(Guard, base_url=house.settings.base_url, limits=app.state.limits)
    app.add_middleware(Tongue, secure=house.settings.base_url.startswith("https://"))
    return app


def told_routes() -> list[BaseRoute]:
    """The routes of the API, which its documentation tells of."""
    return [route for router in (*routers(), oauth.router, webhooks.router) for route in router.routes]


def every_route() -> list[BaseRoute]:
    """The routes of the API, then those of the pages: the same ones for every app of this process.

    They are taken as they are, since including a router makes each of its routes once more for each app: more than a second,
    which the first visitor after a start would wait for. What belongs to one house is not in them; a request leads to it.
    """
    pages = (driver.router, history.router, *ways_in.routers(), *console.routers(), reference.router)
    return [*told_routes(), *(route for router in pages for route in router.routes)]


def _feed_of(house: House) -> Feed:
    async def read(position: int) -> list[RecordedEvent]:
        events: list[RecordedEvent] = await house.ask(house.views.events_after, position)
        return events

    async def last() -> int:
        position: Any = await house.ask(house.views.last_position)
        return int(position)

    async def progress(operator_id: str) -> Mapping[str, int]:
        versions: Mapping[str, int] = await house.ask(house.views.running_versions, operator_id)
        return versions

    return Feed(read, last, progress)


__all__ = ["build_app", "doors"]
