"""The message log of a station: what it said and heard, found by time, action, direction, session and words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator, AwareDatetime

from tallywatt.entrypoints.http.api.places import station_of
from tallywatt.entrypoints.http.api.tariffs import when
from tallywatt.entrypoints.http.doors import Operations, TheHouse
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, page, place_of
from tallywatt.entrypoints.http.shapes import storable
from tallywatt.stations.traffic import Direction, Kind

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

router = APIRouter(tags=["places"], route_class=Resource)

Word = Annotated[str | None, Query(min_length=1, max_length=100), AfterValidator(lambda one: one and storable(one))]


@router.get("/stations/{identity}/log")
async def list_log(
    request: Request,
    identity: str,
    caller: Operations,
    house: TheHouse,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    action: Word = None,
    direction: Direction | None = None,
    kind: Kind | None = None,
    session: Word = None,
    transaction: Word = None,
    text: Word = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Every message between a station and the platform, newest first, without cards, keys and passwords.

    `direction=in` is what the station said. `action` finds answers, too, by what they answer. A page may hold fewer messages
    than `limit`, or none, and still name a next one: go on while there is a `next`.
    """
    asked = {
        "since": when(since), "until": when(until), "action": action, "direction": direction, "kind": kind,
        "session": session, "transaction": transaction, "text": text,
    }  # fmt: skip
    return page(request, await log_of(house, caller, identity, limit, cursor, asked))


async def log_of(
    house: House, caller: Caller, identity: str, limit: int, cursor: str | None, asked: dict[str, Any]
) -> dict[str, Any]:
    """A page of the log, for the API and the console."""
    station = await station_of(house, caller.operator_id, identity)
    place = {"station_id": station["id"], "most": limit, "cursor": place_of(cursor)}
    found: dict[str, Any] = await house.traffic(caller.operator_id, {**asked, **place})
    return found
