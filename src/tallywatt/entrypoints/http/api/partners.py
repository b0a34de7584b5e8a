"""Outgoing webhooks: the event types there are, endpoints that listen, their log, and sending again."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.tariffs import when
from tallywatt.entrypoints.http.doors import Admin, Operations, Reader, TheHouse
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, page, place_of
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.shapes import (
    NewWebhookEndpoint,
    Replay,
    WebhookEnabling,
    WebhookEndpointChange,
    WebhookRotation,
)
from tallywatt.entrypoints.http.telling import as_json, as_versioned, found, told
from tallywatt.kernel.clock import Instant, rfc3339
from tallywatt.partners.catalogue import EVENT_TYPES
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
    lock_endpoint,
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
    from collections.abc import Iterable

    from tallywatt.workflows.add_webhook_endpoint import WithSecret
    from tallywatt.workflows.ports import UnitOfWork

router = APIRouter(tags=["webhooks"], route_class=Resource)

_INSIDE = ("position", "replay_to")


def endpoint_told(row: Any) -> dict[str, Any]:
    """An endpoint as a write answers with it."""
    shown = {key: value for key, value in told(row, "endpoint_id").items() if key not in _INSIDE}
    since = shown["failing_since"]
    return {**shown, "failing_since": None if since is None else rfc3339(Instant(since))}


def _settings_version(url: str, event_types: Iterable[str], description: str) -> int:
    """What tells one state of its settings from another: the row itself is written with every delivery."""
    text = "\0".join((url, *event_types, "", description))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest())


def _tell_secret(made: WithSecret) -> dict[str, Any]:
    return {**endpoint_told(made.endpoint), "secret": made.secret}


def delivery_told(row: Any) -> dict[str, Any]:
    """A delivery as a write answers with it."""
    inside = ("failures", "lease_until", "leased_by")
    return {key: value for key, value in told(row, "delivery_id").items() if key not in inside}


@router.get("/event-types")
async def list_event_types(_: Reader) -> Response:
    """Every event that an endpoint may hear of, with the JSON schema of its message."""
    items = [
        {"type": one.type, "schema_version": one.schema_version, "meaning": one.meaning, "schema": one.schema}
        for one in EVENT_TYPES
    ]
    return as_json({"items": items, "next": None})


@router.get("/webhook-endpoints")
async def list_endpoints(caller: Reader, house: TheHouse) -> Response:
    """All endpoints, oldest first, each with what waits for it."""
    rows = await house.ask(house.views.webhook_endpoints, caller.operator_id, house.machine.now())
    return as_json({"items": rows, "next": None})


@router.post("/webhook-endpoints", status_code=201)
async def post_endpoint(request: Request, body: NewWebhookEndpoint, caller: Admin, house: TheHouse) -> Response:
    """A new endpoint. Its secret is in this answer alone; under an Idempotency-Key it may be asked for again, for a day."""
    command = AddWebhookEndpoint(body.url, tuple(body.event_types), body.description, house.settings.webhook_allow)
    return await write_once(request, house, caller, add_webhook_endpoint, command, _tell_secret, 201, tells_secret=True)


@router.get("/webhook-endpoints/{endpoint_id}")
async def show_endpoint(endpoint_id: str, caller: Reader, house: TheHouse) -> Response:
    """One endpoint."""
    row = await endpoint_of(house, caller.operator_id, endpoint_id)
    return as_versioned({**row, "version": _settings_version(row["url"], row["event_types"], row["description"])})


@router.patch("/webhook-endpoints/{endpoint_id}")
async def patch_endpoint(
    request: Request, endpoint_id: str, body: WebhookEndpointChange, caller: Admin, house: TheHouse
) -> Response:
    """Another address, other event types, another description."""
    types = None if body.event_types is None else tuple(body.event_types)
    allow = house.settings.webhook_allow
    command = ChangeWebhookEndpoint(endpoint_id, body.url, types, body.description, allow)

    def version_of(work: UnitOfWork) -> int:
        now = lock_endpoint(work, endpoint_id)
        return _settings_version(now.url, now.event_types, now.description)

    return await write_once(
        request, house, caller, change_webhook_endpoint, command, endpoint_told, version_of=version_of
    )


@router.delete("/webhook-endpoints/{endpoint_id}")
async def delete_endpoint(request: Request, endpoint_id: str, caller: Admin, house: TheHouse) -> Response:
    """End an endpoint for good."""
    command = RemoveWebhookEndpoint(endpoint_id)
    return await write_once(request, house, caller, remove_webhook_endpoint, command, endpoint_told)


@router.post("/webhook-endpoints/{endpoint_id}/enable")
async def enable(request: Request, endpoint_id: str, body: WebhookEnabling, caller: Admin, house: TheHouse) -> Response:
    """Send to it again: what waited, what it missed, and what comes."""
    command = EnableWebhookEndpoint(endpoint_id, body.send_missed)
    return await write_once(request, house, caller, enable_webhook_endpoint, command, endpoint_told)


@router.post("/webhook-endpoints/{endpoint_id}/disable")
async def disable(request: Request, endpoint_id: str, caller: Admin, house: TheHouse) -> Response:
    """Send nothing for the time being."""
    command = DisableWebhookEndpoint(endpoint_id)
    return await write_once(request, house, caller, disable_webhook_endpoint, command, endpoint_told)


@router.post("/webhook-endpoints/{endpoint_id}/rotate")
async def rotate(request: Request, endpoint_id: str, body: WebhookRotation, caller: Admin, house: TheHouse) -> Response:
    """A new secret, in this answer alone. The old one signs beside it for a while.

    Under an Idempotency-Key the answer may be asked for again, for a day.
    """
    command = RotateWebhookSecret(endpoint_id, body.old_holds_seconds)
    return await write_once(request, house, caller, rotate_webhook_secret, command, _tell_secret, tells_secret=True)


@router.post("/webhook-endpoints/{endpoint_id}/test", status_code=202)
async def send_test(request: Request, endpoint_id: str, caller: Operations, house: TheHouse) -> Response:
    """Send a `webhook_endpoint.tested` event to this endpoint; its log shows what came of it."""
    return await write_once(request, house, caller, try_webhook, TryWebhook(endpoint_id), endpoint_told, 202)


@router.post("/webhook-endpoints/{endpoint_id}/replay", status_code=202)
async def replay(request: Request, endpoint_id: str, body: Replay, caller: Operations, house: TheHouse) -> Response:
    """Send one delivery again, or everything since a time or behind a position: the same ids, the same bytes."""
    if body.delivery is not None:
        one = ReplayDelivery(endpoint_id, body.delivery)
        return await write_once(request, house, caller, replay_delivery, one, delivery_told, 202)
    command = ReplaySince(endpoint_id, body.after, when(body.since))
    return await write_once(
        request,
        house,
        caller,
        replay_since,
        command,
        lambda done: {"id": endpoint_id, "after": done.after, "until": done.until},
        202,
    )


@router.get("/webhook-endpoints/{endpoint_id}/deliveries")
async def list_deliveries(
    request: Request,
    endpoint_id: str,
    caller: Reader,
    house: TheHouse,
    state: DeliveryState | None = None,
    subject: str | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """The log: deliveries, newest event first; `subject`: of one session, payment, station …"""
    await endpoint_of(house, caller.operator_id, endpoint_id)
    filters = {"state": None if state is None else state.value, "subject": subject}
    view = house.views.webhook_deliveries
    return page(request, await house.ask(view, caller.operator_id, endpoint_id, limit, place_of(cursor), **filters))


@router.get("/webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}")
async def show_delivery(endpoint_id: str, delivery_id: str, caller: Reader, house: TheHouse) -> Response:
    """One delivery: the message as it is sent, and every attempt with the beginning of its answer."""
    row = await house.ask(house.views.webhook_delivery, caller.operator_id, endpoint_id, delivery_id)
    return as_json(found(row, "delivery", "webhook_deliveries.not_found"))


async def endpoint_of(house: Any, operator_id: str, endpoint_id: str) -> dict[str, Any]:
    """An endpoint as the view shows it, or NotFound."""
    row = await house.ask(house.views.webhook_endpoint, operator_id, endpoint_id, house.machine.now())
    return found(row, "webhook endpoint", "webhook_endpoints.not_found")
