"""The line of events as server-sent events: for programs that keep their own cursor."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from tallywatt.entrypoints.http.doors import Reader
from tallywatt.entrypoints.http.feed import Feed
from tallywatt.entrypoints.http.manners import Resource

router = APIRouter(tags=["events"], route_class=Resource)

STREAM = "text/event-stream"
LAST_POSITION = 2**63 - 1
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def feed_of(request: Request) -> Feed:
    """The feed of this app."""
    feed: Feed = request.app.state.feed
    return feed


@router.get("/events")
async def stream_events(
    request: Request,
    caller: Reader,
    after: Annotated[int | None, Query(ge=0, le=LAST_POSITION, description="The last position that you have.")] = None,
    last_event_id: Annotated[int | None, Header(ge=0, le=LAST_POSITION)] = None,
) -> StreamingResponse:
    """Every event of yours behind a position, then each as it is committed. Without a position it begins now."""
    feed = feed_of(request)
    feed.require_room()
    heard = [position for position in (last_event_id, after) if position is not None]
    position = heard[0] if heard else feed.position
    followed = feed.follow(caller.operator_id, position, caller.session_id or caller.id)
    return StreamingResponse(followed, media_type=STREAM, headers=STREAM_HEADERS)
