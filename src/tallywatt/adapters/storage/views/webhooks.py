"""Views of outgoing webhooks: endpoints, what waits for them, and the log of deliveries. No secret is ever shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, or_, select

from tallywatt.adapters.storage.tables import partners
from tallywatt.adapters.storage.views.asking import Question, Row, columns, joined, mine
from tallywatt.adapters.storage.views.listing import Listing
from tallywatt.kernel.clock import Instant, rfc3339
from tallywatt.partners.delivery import DeliveryState
from tallywatt.partners.endpoint import EndpointState

if TYPE_CHECKING:
    from sqlalchemy import Select

    from tallywatt.adapters.storage.connections import Connection

_endpoints = partners.ENDPOINTS.table
_secrets = partners.SECRETS.table
_messages = partners.MESSAGES.table
_deliveries = partners.DELIVERIES.table
_attempts = partners.ATTEMPTS.table

_ENDPOINT: Select[Any] = select(
    *columns(
        _endpoints, "url", "description", "event_types", "state", "disabled_because", "disabled_at", "failures",
        "failing_since", "paused_until", "last_delivered_at", "created_at", id="endpoint_id",
    )
).where(mine(_endpoints), _endpoints.c.state != EndpointState.REMOVED.value)  # fmt: skip
_ALL = Question(_ENDPOINT.order_by(_endpoints.c.endpoint_id))
_ONE = Question(_ENDPOINT.where(_endpoints.c.endpoint_id == bindparam("endpoint")))
_SECRETS = Question(
    select(*columns(_secrets, "endpoint_id", "created_at", "expires_at", id="secret_id"))
    .where(mine(_secrets), or_(_secrets.c.expires_at.is_(None), _secrets.c.expires_at > bindparam("now")))
    .order_by(_secrets.c.secret_id.desc())
)
# What was delivered is not counted: there may be millions.
_COUNTED = [state.value for state in DeliveryState if state is not DeliveryState.DELIVERED]
_COUNTS = Question(
    select(_deliveries.c.endpoint_id, _deliveries.c.state, func.count().label("deliveries"))
    .where(mine(_deliveries), _deliveries.c.endpoint_id == bindparam("endpoint"), _deliveries.c.state.in_(_COUNTED))
    .group_by(_deliveries.c.endpoint_id, _deliveries.c.state)
)
_DELIVERY: Select[Any] = select(
    *columns(
        _deliveries, "endpoint_id", "message_id", "position", "type", "aggregate", "aggregate_id", "aggregate_version", "state",
        "due_at", "attempts", "last_status", "last_error", "created_at", "ended_at", id="delivery_id",
    )
).where(mine(_deliveries))  # fmt: skip
_LOG = Listing(
    _DELIVERY,
    (_deliveries.c.position,),
    {
        "endpoint": _deliveries.c.endpoint_id == bindparam("endpoint"),
        "state": _deliveries.c.state == bindparam("state"),
        "subject": _deliveries.c.aggregate_id == bindparam("subject"),
    },
    newest_first=True,
)
_DELIVERED = Question(
    select(*_DELIVERY.selected_columns, _messages.c.body)
    .select_from(_deliveries.join(_messages, joined(_deliveries, _messages, "message_id")))
    .where(
        mine(_deliveries),
        _deliveries.c.endpoint_id == bindparam("endpoint"),
        _deliveries.c.delivery_id == bindparam("delivery"),
    )
)
_ATTEMPTS = Question(
    select(
        *columns(
            _attempts, "number", "outcome", "status", "error", "answer", "milliseconds", "started_at", id="attempt_id"
        )
    )
    .where(mine(_attempts), _attempts.c.delivery_id == bindparam("delivery"))
    .order_by(_attempts.c.started_at, _attempts.c.attempt_id)
)


def webhook_endpoints(connection: Connection, operator_id: str, now: int) -> list[Row]:
    """Endpoints, oldest first, each with its secrets by id and what waits for it."""
    rows = _ALL.rows(connection, operator=operator_id)
    return [_whole(connection, operator_id, row, now) for row in rows]


def webhook_endpoint(connection: Connection, operator_id: str, endpoint_id: str, now: int) -> Row | None:
    """One endpoint, or None."""
    row = _ONE.first(connection, operator=operator_id, endpoint=endpoint_id)
    return None if row is None else _whole(connection, operator_id, row, now)


def webhook_deliveries(
    connection: Connection,
    operator_id: str,
    endpoint_id: str,
    most: int = 50,
    cursor: str | None = None,
    **filters: Any,
) -> Row:
    """A page of an endpoint's log, newest event first. Filters: `state`, `subject`."""
    return _LOG.page(connection, operator_id, most, cursor, endpoint=endpoint_id, **filters)


def webhook_delivery(connection: Connection, operator_id: str, endpoint_id: str, delivery_id: str) -> Row | None:
    """One delivery with its message and every attempt, or None."""
    row = _DELIVERED.first(connection, operator=operator_id, endpoint=endpoint_id, delivery=delivery_id)
    if row is None:
        return None
    return {**row, "tries": _ATTEMPTS.rows(connection, operator=operator_id, delivery=delivery_id)}


def _whole(connection: Connection, operator_id: str, row: Row, now: int) -> Row:
    counts = {
        one["state"]: one["deliveries"] for one in _COUNTS.rows(connection, operator=operator_id, endpoint=row["id"])
    }
    given_up = counts.pop(DeliveryState.GIVEN_UP.value, 0)
    secrets = [
        {key: value for key, value in one.items() if key != "endpoint_id"}
        for one in _SECRETS.rows(connection, operator=operator_id, now=now)
        if one["endpoint_id"] == row["id"]
    ]
    since = row["failing_since"]
    return {
        **row,
        "failing_since": None if since is None else rfc3339(Instant(since)),
        "waiting": sum(counts.values()),
        "given_up": given_up,
        "secrets": secrets,
    }
