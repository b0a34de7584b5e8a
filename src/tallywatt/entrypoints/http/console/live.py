"""News for an open page of the console."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import StringConstraints

from tallywatt.entrypoints.http.api.events import LAST_POSITION, STREAM, STREAM_HEADERS, feed_of
from tallywatt.entrypoints.http.doors import Reader

if TYPE_CHECKING:
    from tallywatt.kernel.events import Event

Id = Annotated[str, StringConstraints(max_length=64)]
router = APIRouter()


@router.get("/console/feed")
async def follow(
    request: Request,
    caller: Reader,
    about: Annotated[list[Id] | None, Query(max_length=65)] = None,
    after: Annotated[int | None, Query(ge=0, le=LAST_POSITION)] = None,
    last_event_id: Annotated[int | None, Header(ge=0, le=LAST_POSITION)] = None,
) -> StreamingResponse:
    """News for one open page: of all, or about some things."""
    wanted = frozenset(about or ())

    def wants(event: Event) -> bool:
        return not wanted or event.aggregate_id in wanted or not wanted.isdisjoint(event.data.values())

    feed = feed_of(request)
    feed.require_room()
    return StreamingResponse(
        feed.watch(
            caller.operator_id,
            wants,
            after if last_event_id is None else last_event_id,
            caller.session_id or caller.id,
        ),
        media_type=STREAM,
        headers=STREAM_HEADERS,
    )
