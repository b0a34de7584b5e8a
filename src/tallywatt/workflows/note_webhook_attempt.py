"""Write down what came of an attempt to deliver a message, and let the next one of the same aggregate go."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.partners.delivery import Attempt, DeliveryState, Outcome
from tallywatt.partners.endpoint import Disabled
from tallywatt.partners.schedule import DISABLE_AFTER_SECONDS, next_probe, next_try
from tallywatt.workflows.change_webhook_endpoint import disabled, give_notice

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.partners.delivery import Delivery, Reply
    from tallywatt.partners.endpoint import Endpoint
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class NoteWebhookAttempt:
    """What a sender brings back. `chance` in [0, 1) spreads the next try."""

    endpoint_id: str
    delivery_id: str
    leased_by: str
    started_at: Instant
    reply: Reply
    chance: float


def note_webhook_attempt(work: UnitOfWork, command: NoteWebhookAttempt) -> Delivery:
    """Delivered, to be tried again, or given up. The same report again changes nothing."""
    # Whoever disables an endpoint remembers up to where it was told, and holds that first.
    told = work.queries.told_position() if _may_disable(work, command) else 0
    endpoint = work.webhook_endpoints.lock(command.endpoint_id)
    delivery = work.webhook_deliveries.lock(command.delivery_id)
    if not _keep(work, delivery, command):
        return delivery
    good = command.reply.outcome is Outcome.DELIVERED
    ours = delivery.state is DeliveryState.SENDING and delivery.leased_by == command.leased_by
    if not ours and not (good and delivery.is_open):
        # Its lease ran out and somebody else has it: what they find out counts. That it was delivered counts always.
        return delivery
    seen = replace(
        delivery,
        lease_until=None,
        leased_by=None,
        last_status=command.reply.status,
        last_error=command.reply.error,
    )
    if good:
        after = replace(seen, state=DeliveryState.DELIVERED, ended_at=work.machine_now)
        endpoint = replace(
            endpoint, failures=0, failing_since=None, paused_until=None, last_delivered_at=work.machine_now
        )
    else:
        after = _failed(work, seen, command)
        endpoint = _suffered(work, endpoint, command, told)
    stored = work.webhook_deliveries.put(after)
    work.webhook_endpoints.put(endpoint)
    if not stored.is_open:
        let_next_go(work, stored)
    return stored


def let_next_go(work: UnitOfWork, delivery: Delivery) -> None:
    """If nothing of its aggregate is on its way to its endpoint, the earliest that waits goes."""
    waiting = work.webhook_deliveries.by(
        endpoint_id=delivery.endpoint_id,
        aggregate=delivery.aggregate,
        aggregate_id=delivery.aggregate_id,
        state=DeliveryState.BLOCKED.value,
    )
    if not waiting:
        return
    for state in (DeliveryState.READY, DeliveryState.SENDING):
        if work.webhook_deliveries.by(
            endpoint_id=delivery.endpoint_id,
            aggregate=delivery.aggregate,
            aggregate_id=delivery.aggregate_id,
            state=state.value,
        ):
            return
    first = min(waiting, key=lambda one: one.aggregate_version)
    work.webhook_deliveries.put(replace(first, state=DeliveryState.READY, due_at=work.machine_now))


def _keep(work: UnitOfWork, delivery: Delivery, command: NoteWebhookAttempt) -> bool:
    """Write the attempt down; False when this very attempt is known."""
    number = int(command.leased_by.rpartition("/")[2])
    known = work.webhook_attempts.by(delivery_id=delivery.delivery_id, number=number, started_at=command.started_at)
    if known:
        return False
    reply = command.reply
    return work.webhook_attempts.add(
        Attempt(
            attempt_id=work.draw.id(f"webhook attempt/{delivery.delivery_id}"),
            delivery_id=delivery.delivery_id,
            endpoint_id=delivery.endpoint_id,
            number=number,
            outcome=reply.outcome,
            status=reply.status,
            error=reply.error,
            answer=reply.answer,
            milliseconds=reply.milliseconds,
            started_at=command.started_at,
        )
    )


def _failed(work: UnitOfWork, delivery: Delivery, command: NoteWebhookAttempt) -> Delivery:
    if command.reply.outcome is Outcome.GONE:
        # It waits for somebody who enables the endpoint again.
        return replace(delivery, state=DeliveryState.READY, due_at=work.machine_now)
    failures = delivery.failures + 1
    again = next_try(failures, work.machine_now, command.chance, command.reply.wait_seconds)
    if again is None:
        return replace(delivery, state=DeliveryState.GIVEN_UP, failures=failures, ended_at=work.machine_now)
    return replace(delivery, state=DeliveryState.READY, failures=failures, due_at=again)


def _suffered(work: UnitOfWork, endpoint: Endpoint, command: NoteWebhookAttempt, told: int) -> Endpoint:
    """The endpoint after a failure: paused after many in a row, disabled after days, or at once when it is gone."""
    failures = endpoint.failures + 1
    since = work.machine_now if endpoint.failing_since is None else endpoint.failing_since
    endpoint = replace(
        endpoint,
        failures=failures,
        failing_since=since,
        paused_until=next_probe(failures, work.machine_now, command.chance, command.reply.wait_seconds),
    )
    if not endpoint.is_enabled:
        return endpoint
    if command.reply.outcome is Outcome.GONE:
        after = disabled(work, endpoint, Disabled.GONE, told)
        give_notice(work, after, "it answered 410 Gone")
        return after
    if work.machine_now - since >= DISABLE_AFTER_SECONDS * 1000:
        after = disabled(work, endpoint, Disabled.FAILING, told)
        give_notice(work, after, f"nothing could be delivered for {DISABLE_AFTER_SECONDS // 86_400} days")
        return after
    return endpoint


def _may_disable(work: UnitOfWork, command: NoteWebhookAttempt) -> bool:
    if command.reply.outcome is Outcome.DELIVERED:
        return False
    since = work.webhook_endpoints.get(command.endpoint_id).failing_since
    long = since is not None and work.machine_now - since >= DISABLE_AFTER_SECONDS * 1000
    return long or command.reply.outcome is Outcome.GONE
