"""Change an endpoint: where it is, what it hears, whether it hears anything."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.kernel.errors import NotFound
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import natural_key
from tallywatt.metering.session import InboxState
from tallywatt.partners.address import read_allow_list, read_url
from tallywatt.partners.catalogue import read_event_types
from tallywatt.partners.delivery import DeliveryState
from tallywatt.partners.endpoint import Disabled, EndpointState
from tallywatt.workflows.add_webhook_endpoint import described
from tallywatt.workflows.listen import to_inbox
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from typing import Any

    from tallywatt.partners.endpoint import Endpoint
    from tallywatt.workflows.ports import UnitOfWork

DISABLED_NOTICE = "webhook_endpoint_disabled"
"""The kind of the inbox's item that says so."""


@dataclass(frozen=True, slots=True)
class ChangeWebhookEndpoint:
    """What is to be otherwise; None: as it is."""

    endpoint_id: str
    url: str | None = None
    event_types: tuple[str, ...] | None = None
    description: str | None = None
    allow: str = ""


def change_webhook_endpoint(work: UnitOfWork, command: ChangeWebhookEndpoint) -> Endpoint:
    """What waits for it goes to the new address; other event types hold from now on."""
    endpoint = lock_endpoint(work, command.endpoint_id)
    changed = endpoint
    if command.url is not None:
        changed = replace(changed, url=read_url(command.url, read_allow_list(command.allow)).geturl())
    if command.event_types is not None:
        changed = replace(changed, event_types=read_event_types(command.event_types))
    if command.description is not None:
        changed = replace(changed, description=described(command.description))
    if changed == endpoint:
        return endpoint
    if changed.url != endpoint.url:
        # Whatever was wrong with the old address says nothing about the new one.
        changed = replace(changed, failures=0, failing_since=None, paused_until=None)
    _record(work, "webhook_endpoint.change", endpoint, changed)
    return work.webhook_endpoints.put(changed)


@dataclass(frozen=True, slots=True)
class EnableWebhookEndpoint:
    """Which endpoint, and whether it hears of what happened while it was disabled."""

    endpoint_id: str
    send_missed: bool = True


def enable_webhook_endpoint(work: UnitOfWork, command: EnableWebhookEndpoint) -> Endpoint:
    """Send to it again: what waited, what it missed (unless it is not to), and everything from now on."""
    told = work.queries.told_position()
    endpoint = lock_endpoint(work, command.endpoint_id)
    if endpoint.is_enabled:
        return endpoint
    # A position of its own lets it catch up. Beyond what anybody has been told it waits for the others to come along.
    position = endpoint.position if command.send_missed else max(told, work.queries.last_position())
    changed = replace(
        endpoint,
        state=EndpointState.ENABLED,
        disabled_because=None,
        disabled_at=None,
        position=position,
        failures=0,
        failing_since=None,
        paused_until=None,
    )
    for waiting in work.webhook_deliveries.by(endpoint_id=endpoint.endpoint_id, state=DeliveryState.READY.value):
        work.webhook_deliveries.put(replace(waiting, due_at=work.machine_now, failures=0))
    settle_notice(work, endpoint, "it was enabled again")
    _record(work, "webhook_endpoint.enable", endpoint, changed)
    return work.webhook_endpoints.put(changed)


@dataclass(frozen=True, slots=True)
class DisableWebhookEndpoint:
    """Which endpoint."""

    endpoint_id: str


def disable_webhook_endpoint(work: UnitOfWork, command: DisableWebhookEndpoint) -> Endpoint:
    """Send nothing for the time being. What waits stays, and what happens meanwhile is not forgotten."""
    told = work.queries.told_position()
    endpoint = lock_endpoint(work, command.endpoint_id)
    if not endpoint.is_enabled:
        return endpoint
    changed = disabled(work, endpoint, Disabled.BY_PERSON, told)
    _record(work, "webhook_endpoint.disable", endpoint, changed)
    return work.webhook_endpoints.put(changed)


@dataclass(frozen=True, slots=True)
class RemoveWebhookEndpoint:
    """Which endpoint."""

    endpoint_id: str


def remove_webhook_endpoint(work: UnitOfWork, command: RemoveWebhookEndpoint) -> Endpoint:
    """End it for good. Its log stays; its secrets sign nothing any more. Removing it again changes nothing."""
    work.queries.told_position()
    endpoint = work.webhook_endpoints.lock(command.endpoint_id)
    if endpoint.state is EndpointState.REMOVED:
        return endpoint
    for secret in work.webhook_secrets.by(endpoint_id=endpoint.endpoint_id):
        work.webhook_secrets.put(replace(secret, expires_at=work.machine_now))
    settle_notice(work, endpoint, "the endpoint was removed")
    changed = replace(endpoint, state=EndpointState.REMOVED, disabled_at=work.machine_now)
    _record(work, "webhook_endpoint.remove", endpoint, changed)
    return work.webhook_endpoints.put(changed)


def lock_endpoint(work: UnitOfWork, endpoint_id: str) -> Endpoint:
    """An endpoint that was not removed, held."""
    endpoint = work.webhook_endpoints.lock(endpoint_id)
    if endpoint.state is EndpointState.REMOVED:
        msg = "this endpoint was removed"
        raise NotFound(msg, code="webhook_endpoints.not_found")
    return endpoint


def disabled(work: UnitOfWork, endpoint: Endpoint, because: Disabled, told: int) -> Endpoint:
    """The endpoint as it is without anything being sent to it; it remembers where it stopped hearing."""
    return replace(
        endpoint,
        state=EndpointState.DISABLED,
        disabled_because=because.value,
        disabled_at=work.machine_now,
        position=told if endpoint.position is None else endpoint.position,
        paused_until=None,
    )


def give_notice(work: UnitOfWork, endpoint: Endpoint, why: str) -> None:
    """Put it before a person that an endpoint was disabled, and tell the open pages."""
    summary = f"the webhook endpoint {endpoint.url} was disabled: {why}"
    to_inbox(work, DISABLED_NOTICE, summary, endpoint.endpoint_id, endpoint.disabled_at)
    data = {"reason": endpoint.disabled_because}
    work.events.append(Event("webhook_endpoint", endpoint.endpoint_id, "WebhookEndpointDisabled", data))


def settle_notice(work: UnitOfWork, endpoint: Endpoint, resolution: str) -> None:
    """Close what waits for a person about an endpoint that was disabled."""
    key = natural_key(DISABLED_NOTICE, endpoint.endpoint_id, endpoint.disabled_at)
    item = work.inbox.lock_by(natural_key=key)
    if item is not None and item.state is InboxState.OPEN:
        work.inbox.put(
            replace(
                item,
                state=InboxState.RESOLVED,
                resolved_at=work.machine_now,
                resolved_by=work.actor,
                resolution=resolution,
            )
        )


def _record(work: UnitOfWork, action: str, before: Endpoint, after: Endpoint) -> None:
    record_action(work, action, "webhook_endpoint", before.endpoint_id, before=_shown(before), after=_shown(after))
    work.events.append(Event("webhook_endpoint", before.endpoint_id, "WebhookEndpointChanged"))


def _shown(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "url": endpoint.url,
        "event_types": list(endpoint.event_types),
        "description": endpoint.description,
        "state": endpoint.state.value,
    }
