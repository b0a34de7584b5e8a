"""Settlements on the console: what providers list, what does not agree, and deciding about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, Request, Response

from tallywatt.entrypoints.http.console.shown import PAGE, Text, done, shown
from tallywatt.entrypoints.http.doors import Collector, Reader, TheHouse, actor_of
from tallywatt.payments.settlement import Action, DifferenceKind, actions_for
from tallywatt.workflows.read_settlements import OrderReading, order_reading
from tallywatt.workflows.resolve_difference import ResolveDifference, resolve_difference

if TYPE_CHECKING:
    from tallywatt.wiring import House

router = APIRouter()
AT = "/console/settlements"


async def accounts_of(house: House, operator_id: str) -> list[dict[str, Any]]:
    """The operator's accounts with where their money stands."""
    found: list[dict[str, Any]] = await house.ask(house.views.settled_accounts, operator_id)
    return found


@router.get(AT)
async def list_settlements(
    request: Request, caller: Reader, house: TheHouse, state: str = "open", cursor: str | None = None
) -> Response:
    """What does not agree, and where collected money stands."""
    views = house.views
    rows = await house.ask(views.settlement_differences, caller.operator_id, PAGE, state=state, before=cursor)
    for row in rows["items"]:
        row["actions"] = [one.value for one in actions_for(DifferenceKind(row["kind"]))]
    accounts = await accounts_of(house, caller.operator_id)
    return await shown(
        request,
        house,
        caller,
        "settlements.html",
        "settlements",
        rows=rows["items"],
        next=rows["next"],
        state=state,
        accounts=accounts,
    )


@router.post(f"{AT}/read")
async def read_now(caller: Collector, house: TheHouse) -> Response:
    """Read what providers list, without waiting for the next round."""
    for account in await accounts_of(house, caller.operator_id):
        await house.write(caller.operator_id, order_reading, OrderReading(account["id"]), actor=actor_of(caller))
    return done(AT, "reading")


@router.post(f"{AT}/{{difference_id}}")
async def resolve(
    difference_id: str,
    caller: Collector,
    house: TheHouse,
    action: Annotated[Action, Form()],
    note: Text = "",
    payment: Text = "",
) -> Response:
    """Decide about a difference."""
    order = ResolveDifference(difference_id, action, note.strip(), payment.strip() or None)
    await house.write(caller.operator_id, resolve_difference, order, actor=actor_of(caller))
    return done(AT, "asked" if action is Action.ASK else "resolved")
