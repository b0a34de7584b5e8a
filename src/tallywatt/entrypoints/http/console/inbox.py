"""The inbox: what only a person can decide."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from tallywatt.entrypoints.http.console.shown import PAGE, Text, done, shown
from tallywatt.entrypoints.http.doors import Clerk, Reader, TheHouse, actor_of
from tallywatt.kernel.identity import SessionId
from tallywatt.workflows.resolve_inbox import Decision, ResolveItem, resolve_item

router = APIRouter()


@router.get("/console/inbox")
async def list_inbox(
    request: Request, caller: Reader, house: TheHouse, state: str = "open", cursor: str | None = None
) -> Response:
    """What waits for a person."""
    rows = await house.ask(house.views.inbox, caller.operator_id, PAGE, state=state, before=cursor)
    return await shown(
        request, house, caller, "inbox.html", "inbox", rows=rows["items"], next=rows["next"], state=state
    )


@router.post("/console/inbox/{item_id}")
async def resolve(
    item_id: str,
    caller: Clerk,
    house: TheHouse,
    decision: Annotated[Decision, Form()],
    note: Text = "",
    customer: Text = "",
    session: Text = "",
) -> Response:
    """Dismiss an item, or decide about what stands behind it."""
    session_id = SessionId(session.strip()) if session.strip() else None
    order = ResolveItem(item_id, decision, note.strip(), customer.strip() or None, session_id)
    await house.write(caller.operator_id, resolve_item, order, actor=actor_of(caller))
    return done("/console/inbox", "resolved")
