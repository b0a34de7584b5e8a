"""Tables of the room `partners`: endpoints, their sealed secrets, messages, deliveries and every attempt."""

from __future__ import annotations

from sqlalchemy import column

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import (
    blob,
    choice,
    index,
    instant,
    partial_index,
    refers,
    table,
    text,
    texts,
    unique,
    unique_where,
    version,
    whole,
)
from tallywatt.partners.delivery import Attempt, Delivery, DeliveryState, Message, Outcome
from tallywatt.partners.endpoint import Endpoint, EndpointSecret, EndpointState

ENDPOINTS = Mapping(
    table(
        "webhook_endpoints",
        text("endpoint_id"),
        text("url"),
        text("description"),
        texts("event_types"),
        choice("state", EndpointState),
        text("disabled_because", null=True),
        instant("disabled_at", null=True),
        whole("position", null=True),
        whole("replay_to", null=True),
        whole("failures"),
        instant("failing_since", null=True),
        instant("paused_until", null=True),
        instant("last_delivered_at", null=True),
        instant("created_at"),
        version(),
        key=("endpoint_id",),
    ),
    Endpoint,
)

SECRETS = Mapping(
    table(
        "webhook_secrets",
        text("secret_id"),
        text("endpoint_id"),
        text("key_id"),
        blob("sealed_secret"),
        instant("created_at"),
        instant("expires_at", null=True),
        refers("endpoint_id", "webhook_endpoints"),
        index("endpoint_id"),
        key=("secret_id",),
    ),
    EndpointSecret,
)

MESSAGES = Mapping(
    table(
        "webhook_messages",
        text("message_id"),
        whole("position"),
        text("type"),
        whole("schema_version"),
        text("body"),
        instant("created_at"),
        refers("message_id", "events", "event_id"),
        key=("message_id",),
    ),
    Message,
)

_open = ("blocked", "ready", "sending")
_on_its_way = column("state").in_(("ready", "sending"))

DELIVERIES = Mapping(
    table(
        "webhook_deliveries",
        text("delivery_id"),
        text("endpoint_id"),
        text("message_id"),
        whole("position"),
        text("type"),
        text("aggregate"),
        text("aggregate_id"),
        whole("aggregate_version"),
        choice("state", DeliveryState),
        instant("due_at"),
        whole("failures"),
        whole("attempts"),
        instant("lease_until", null=True),
        text("leased_by", null=True),
        whole("last_status", null=True),
        text("last_error", null=True),
        instant("created_at"),
        instant("ended_at", null=True),
        unique("endpoint_id", "position"),
        refers("endpoint_id", "webhook_endpoints"),
        refers("message_id", "webhook_messages"),
        # The order of one aggregate's events is kept by the database itself: only one of them can be on its way.
        unique_where("uq_webhook_deliveries_on_its_way", "endpoint_id", "aggregate", "aggregate_id", where=_on_its_way),
        partial_index(
            "ix_webhook_deliveries_open",
            "operator_id",
            "endpoint_id",
            "aggregate",
            "aggregate_id",
            "aggregate_version",
            where=column("state").in_(_open),
        ),
        index("endpoint_id", "state", "due_at"),
        index("message_id"),
        key=("delivery_id",),
    ),
    Delivery,
)

ATTEMPTS = Mapping(
    table(
        "webhook_attempts",
        text("attempt_id"),
        text("delivery_id"),
        text("endpoint_id"),
        whole("number"),
        choice("outcome", Outcome),
        whole("status", null=True),
        text("error", null=True),
        text("answer", null=True),
        whole("milliseconds"),
        instant("started_at"),
        refers("delivery_id", "webhook_deliveries"),
        index("delivery_id"),
        key=("attempt_id",),
        # Whatever a receiver answers is kept for a while: it may say anything.
        personal="webhook_answer",
    ),
    Attempt,
)
