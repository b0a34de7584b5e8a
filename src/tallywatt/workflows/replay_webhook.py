"""Send again: one delivery, or everything since a time or a position; and a test event, to see whether anybody is there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.kernel.events import Event
from tallywatt.partners.catalogue import TESTED
from tallywatt.partners.delivery import DeliveryState
from tallywatt.workflows.change_webhook_endpoint import lock_endpoint
from tallywatt.workflows.note_webhook_attempt import let_next_go
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.partners.delivery import Delivery
    from tallywatt.partners.endpoint import Endpoint
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class ReplayDelivery:
    """Which delivery of which endpoint."""

    endpoint_id: str
    delivery_id: str


def replay_delivery(work: UnitOfWork, command: ReplayDelivery) -> Delivery:
    """Send the same message once more, under the same id; one that waits for its next try is tried now."""
    endpoint = _listening(work, command.endpoint_id)
    delivery = work.webhook_deliveries.lock(command.delivery_id)
    if delivery.endpoint_id != endpoint.endpoint_id:
        msg = "this delivery belongs to another endpoint"
        raise NotFound(msg, code="webhook_deliveries.not_found")
    record_action(work, "webhook_delivery.replay", "webhook_delivery", delivery.delivery_id)
    _wake(work, endpoint)
    if delivery.state is DeliveryState.READY:
        delivery = replace(delivery, due_at=work.machine_now, failures=0)
    elif not delivery.is_open:
        delivery = replace(delivery, state=DeliveryState.BLOCKED, due_at=work.machine_now, failures=0, ended_at=None)
    work.webhook_deliveries.put(delivery)
    let_next_go(work, delivery)
    return work.webhook_deliveries.get(delivery.delivery_id)


@dataclass(frozen=True, slots=True)
class ReplaySince:
    """From where on an endpoint hears everything again: behind a position, or from a time (machine time) on."""

    endpoint_id: str
    after: int | None = None
    since: Instant | None = None


@dataclass(frozen=True, slots=True)
class Replaying:
    """What will be sent again: all events that the endpoint has asked for, behind one position and up to another."""

    endpoint: Endpoint
    after: int
    until: int


def replay_since(work: UnitOfWork, command: ReplaySince) -> Replaying:
    """Set the endpoint back in the line of events. What is sent again has the same ids and the same bytes."""
    if (command.after is None) == (command.since is None):
        msg = "say from where on: a position, or a time"
        raise BadInput(msg, code="webhooks.replay_from_where")
    told = work.queries.told_position()
    endpoint = _listening(work, command.endpoint_id)
    after = command.after if command.since is None else work.queries.position_before(command.since)
    assert after is not None, "one of the two is given"
    own = told if endpoint.position is None else endpoint.position
    if after < 0:
        msg = "positions begin at 1"
        raise BadInput(msg, code="webhooks.replay_from_where")
    until = max(own if endpoint.replay_to is None else endpoint.replay_to, 0)
    record_action(
        work,
        "webhook_endpoint.replay",
        "webhook_endpoint",
        endpoint.endpoint_id,
        after={"after": after, "until": until},
    )
    _wake(work, endpoint)
    if after < own:
        endpoint = work.webhook_endpoints.put(
            replace(work.webhook_endpoints.lock(endpoint.endpoint_id), position=after, replay_to=until)
        )
    return Replaying(endpoint, after, max(until, after))


@dataclass(frozen=True, slots=True)
class TryWebhook:
    """Which endpoint."""

    endpoint_id: str


def try_webhook(work: UnitOfWork, command: TryWebhook) -> Endpoint:
    """An event of its own for this endpoint alone: signed, sent, retried and listed like any other."""
    endpoint = _listening(work, command.endpoint_id)
    record_action(work, "webhook_endpoint.test", "webhook_endpoint", endpoint.endpoint_id)
    work.events.append(Event("webhook_endpoint", endpoint.endpoint_id, TESTED))
    _wake(work, endpoint)
    return endpoint


def _listening(work: UnitOfWork, endpoint_id: str) -> Endpoint:
    endpoint = lock_endpoint(work, endpoint_id)
    if not endpoint.is_enabled:
        msg = "nothing is sent to a disabled endpoint"
        raise Conflict(msg, code="webhooks.endpoint_disabled", remedy="enable it first")
    return endpoint


def _wake(work: UnitOfWork, endpoint: Endpoint) -> None:
    """Somebody stands there and waits: a pause after failures ends."""
    if endpoint.paused_until is not None:
        work.webhook_endpoints.put(replace(endpoint, paused_until=None))
