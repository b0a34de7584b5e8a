"""Webhooks on the console: where systems of others listen, what was delivered to them, and sending it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Request, Response
from pydantic import AfterValidator

from tallywatt.entrypoints.http.api.partners import endpoint_of
from tallywatt.entrypoints.http.api.places import operator_of
from tallywatt.entrypoints.http.console.shown import PAGE, Text, done, shown
from tallywatt.entrypoints.http.doors import Admin, Operations, Reader, TheHouse, actor_of
from tallywatt.entrypoints.http.manners import Cursor, cursor_of, place_of
from tallywatt.entrypoints.http.shapes import storable
from tallywatt.entrypoints.http.telling import found
from tallywatt.kernel.clock import instant
from tallywatt.kernel.errors import BadInput, TallywattError
from tallywatt.partners.catalogue import EVERYTHING, FAMILIES
from tallywatt.partners.delivery import DeliveryState
from tallywatt.workflows.add_webhook_endpoint import AddWebhookEndpoint, add_webhook_endpoint
from tallywatt.workflows.change_webhook_endpoint import (
    ChangeWebhookEndpoint,
    DisableWebhookEndpoint,
    EnableWebhookEndpoint,
    RemoveWebhookEndpoint,
    change_webhook_endpoint,
    disable_webhook_endpoint,
    enable_webhook_endpoint,
    remove_webhook_endpoint,
)
from tallywatt.workflows.replay_webhook import (
    ReplayDelivery,
    ReplaySince,
    TryWebhook,
    replay_delivery,
    replay_since,
    try_webhook,
)
from tallywatt.workflows.rotate_webhook_secret import RotateWebhookSecret, rotate_webhook_secret

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.kernel.clock import Instant
    from tallywatt.wiring import House

router = APIRouter()

AT: Final = "/console/settings/webhooks"
LONGEST_GRACE_HOURS: Final = 720
CHOICES: Final = tuple(one for one in FAMILIES if one != "webhook_endpoint")
"""A test comes whether it was asked for or not."""
Address = Annotated[str, Form(max_length=2000), AfterValidator(storable)]
Types = Annotated[list[str] | None, Form(max_length=50)]


@router.get(AT)
async def list_endpoints(request: Request, caller: Reader, house: TheHouse) -> Response:
    """Who listens."""
    return await _list(request, house, caller)


@router.post(AT)
async def add(
    request: Request,
    caller: Admin,
    house: TheHouse,
    url: Address = "",
    types: Types = None,
    more: Text = "",
    description: Text = "",
) -> Response:
    """Add an endpoint. The answer is the only page that ever shows its secret."""
    command = AddWebhookEndpoint(url, _chosen(types, more), description, house.settings.webhook_allow)
    try:
        made = await house.write(caller.operator_id, add_webhook_endpoint, command, actor=actor_of(caller))
    except BadInput as error:
        typed = {"url": url, "types": types or [], "more": more, "description": description}
        return await _list(request, house, caller, error, typed)
    return await _one(request, house, caller, made.endpoint.endpoint_id, secret=made.secret)


@router.get(AT + "/{endpoint_id}")
async def show_endpoint(
    request: Request,
    endpoint_id: str,
    caller: Reader,
    house: TheHouse,
    state: DeliveryState | None = None,
    cursor: Cursor = None,
) -> Response:
    """One endpoint: how it does, and its log."""
    return await _one(request, house, caller, endpoint_id, state=state, cursor=cursor)


@router.get(AT + "/{endpoint_id}/deliveries/{delivery_id}")
async def show_delivery(
    request: Request, endpoint_id: str, delivery_id: str, caller: Reader, house: TheHouse
) -> Response:
    """One delivery: the message, and every attempt."""
    endpoint = await endpoint_of(house, caller.operator_id, endpoint_id)
    row = await house.ask(house.views.webhook_delivery, caller.operator_id, endpoint_id, delivery_id)
    row = found(row, "delivery", "webhook_deliveries.not_found")
    return await shown(
        request, house, caller, "webhook_delivery.html", "settings", subject="webhooks", endpoint=endpoint, row=row
    )


@router.post(AT + "/{endpoint_id}")
async def change(
    request: Request,
    endpoint_id: str,
    caller: Admin,
    house: TheHouse,
    url: Address = "",
    types: Types = None,
    more: Text = "",
    description: Text = "",
) -> Response:
    """Another address, other event types, another description."""
    allow = house.settings.webhook_allow
    command = ChangeWebhookEndpoint(endpoint_id, url, _chosen(types, more), description, allow)
    try:
        await house.write(caller.operator_id, change_webhook_endpoint, command, actor=actor_of(caller))
    except BadInput as error:
        return await _one(request, house, caller, endpoint_id, problem=error)
    return done(f"{AT}/{endpoint_id}", "saved")


@router.post(AT + "/{endpoint_id}/rotate")
async def rotate(
    request: Request,
    endpoint_id: str,
    caller: Admin,
    house: TheHouse,
    grace_hours: Annotated[int, Form(ge=0, le=LONGEST_GRACE_HOURS)] = 24,
) -> Response:
    """Give an endpoint a new secret. The answer is the only page that ever shows it."""
    command = RotateWebhookSecret(endpoint_id, grace_hours * 3600)
    made = await house.write(caller.operator_id, rotate_webhook_secret, command, actor=actor_of(caller))
    return await _one(request, house, caller, endpoint_id, secret=made.secret)


@router.post(AT + "/{endpoint_id}/enable")
async def enable(
    endpoint_id: str, caller: Admin, house: TheHouse, missed: Annotated[str, Form(max_length=3)] = "yes"
) -> Response:
    """Send to it again."""
    command = EnableWebhookEndpoint(endpoint_id, missed != "no")
    await house.write(caller.operator_id, enable_webhook_endpoint, command, actor=actor_of(caller))
    return done(f"{AT}/{endpoint_id}", "saved")


@router.post(AT + "/{endpoint_id}/disable")
async def disable(endpoint_id: str, caller: Admin, house: TheHouse) -> Response:
    """Send nothing for the time being."""
    command = DisableWebhookEndpoint(endpoint_id)
    await house.write(caller.operator_id, disable_webhook_endpoint, command, actor=actor_of(caller))
    return done(f"{AT}/{endpoint_id}", "saved")


@router.post(AT + "/{endpoint_id}/remove")
async def remove(endpoint_id: str, caller: Admin, house: TheHouse) -> Response:
    """End it for good."""
    command = RemoveWebhookEndpoint(endpoint_id)
    await house.write(caller.operator_id, remove_webhook_endpoint, command, actor=actor_of(caller))
    return done(AT, "removed")


@router.post(AT + "/{endpoint_id}/test")
async def send_test(endpoint_id: str, caller: Operations, house: TheHouse) -> Response:
    """Send a test event; the log shows what came of it."""
    await house.write(caller.operator_id, try_webhook, TryWebhook(endpoint_id), actor=actor_of(caller))
    return done(f"{AT}/{endpoint_id}", "retried", "#log")


@router.post(AT + "/{endpoint_id}/replay")
async def replay(request: Request, endpoint_id: str, caller: Operations, house: TheHouse, since: Text = "") -> Response:
    """Send everything since a moment again; the moment is read in the operator's zone."""
    try:
        command = ReplaySince(endpoint_id, since=await _moment(house, caller, since))
        await house.write(caller.operator_id, replay_since, command, actor=actor_of(caller))
    except BadInput as error:
        return await _one(request, house, caller, endpoint_id, problem=error)
    return done(f"{AT}/{endpoint_id}", "retried", "#log")


@router.post(AT + "/{endpoint_id}/deliveries/{delivery_id}")
async def replay_one(endpoint_id: str, delivery_id: str, caller: Operations, house: TheHouse) -> Response:
    """Send one message again."""
    command = ReplayDelivery(endpoint_id, delivery_id)
    await house.write(caller.operator_id, replay_delivery, command, actor=actor_of(caller))
    return done(f"{AT}/{endpoint_id}/deliveries/{delivery_id}", "retried")


async def _moment(house: House, caller: Caller, text: str) -> Instant:
    from datetime import datetime  # only this form reads a local time

    try:
        local = datetime.fromisoformat(text)
    except ValueError as error:
        msg = "say from when on"
        raise BadInput(msg, code="webhooks.replay_from_where") from error
    if local.tzinfo is None:
        operator = await operator_of(house, caller.operator_id)
        local = local.replace(tzinfo=ZoneInfo(operator["zone"]))
    return instant(local)


def _chosen(types: list[str] | None, more: str) -> tuple[str, ...]:
    """What was ticked, and what was typed; nothing is everything."""
    return (*(types or ()), *more.replace(",", " ").split()) or (EVERYTHING,)


async def _list(
    request: Request,
    house: House,
    caller: Caller,
    problem: TallywattError | None = None,
    typed: dict[str, Any] | None = None,
) -> Response:
    rows = await house.ask(house.views.webhook_endpoints, caller.operator_id, house.machine.now())
    typed = typed or {"url": "", "types": [], "more": "", "description": ""}
    return await shown(
        request,
        house,
        caller,
        "settings_webhooks.html",
        "settings",
        200 if problem is None else 400,
        subject="webhooks",
        rows=rows,
        families=CHOICES,
        typed=typed,
        problem=problem,
    )


async def _one(
    request: Request,
    house: House,
    caller: Caller,
    endpoint_id: str,
    *,
    secret: str | None = None,
    state: DeliveryState | None = None,
    cursor: str | None = None,
    problem: TallywattError | None = None,
) -> Response:
    row = await endpoint_of(house, caller.operator_id, endpoint_id)
    chosen = None if state is None else state.value
    view = house.views.webhook_deliveries
    log = await house.ask(view, caller.operator_id, endpoint_id, PAGE, place_of(cursor), state=chosen)
    ticked = [one for one in row["event_types"] if one.endswith(".*")]
    typed = {
        "url": row["url"],
        "types": ticked,
        "more": " ".join(one for one in row["event_types"] if one not in ticked and one != EVERYTHING),
        "description": row["description"],
    }
    return await shown(
        request,
        house,
        caller,
        "webhook_endpoint.html",
        "settings",
        200 if problem is None else 400,
        subject="webhooks",
        row=row,
        log=log["items"],
        next=None if log["next"] is None else cursor_of(log["next"]),
        state=chosen,
        secret=secret,
        families=CHOICES,
        typed=typed,
        problem=problem,
    )
