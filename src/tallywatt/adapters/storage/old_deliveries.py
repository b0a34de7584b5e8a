"""Deletes what was delivered to partners, or given up, long ago: the log of webhooks does not grow for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, exists, select

from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.tables.customers import OPERATORS
from tallywatt.adapters.storage.tables.partners import ATTEMPTS, DELIVERIES, MESSAGES
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import RANDOM_BYTES, uuid7
from tallywatt.partners.delivery import DeliveryState
from tallywatt.partners.schedule import LOG_SECONDS

if TYPE_CHECKING:
    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.unit import SqlUnitOfWork

MOST = 200
"""Of one operator in one round: no command of the writer takes long."""

_deliveries, _attempts, _messages = DELIVERIES.table, ATTEMPTS.table, MESSAGES.table
_OPERATORS = select(OPERATORS.table.c.operator_id)
# A delivery's id begins with the time at which it was written down, so the old ones are the first of the primary key.
_OLD = (
    select(_deliveries.c.delivery_id, _deliveries.c.message_id)
    .where(
        _deliveries.c.operator_id == bindparam("operator"),
        _deliveries.c.delivery_id < bindparam("floor"),
        _deliveries.c.state.in_([DeliveryState.DELIVERED.value, DeliveryState.GIVEN_UP.value]),
        _deliveries.c.ended_at < bindparam("before"),
    )
    .order_by(_deliveries.c.delivery_id)
    .limit(MOST)
)
_NO_ATTEMPTS = delete(_attempts).where(
    _attempts.c.operator_id == bindparam("operator"), _attempts.c.delivery_id == bindparam("delivery")
)
_NO_DELIVERY = delete(_deliveries).where(
    _deliveries.c.operator_id == bindparam("operator"), _deliveries.c.delivery_id == bindparam("delivery")
)
_NO_MESSAGE = delete(_messages).where(
    _messages.c.operator_id == bindparam("operator"),
    _messages.c.message_id == bindparam("message"),
    ~exists().where(
        _deliveries.c.operator_id == _messages.c.operator_id, _deliveries.c.message_id == _messages.c.message_id
    ),
)


def forget_deliveries(work: SqlUnitOfWork, _: None) -> int:
    """Delete deliveries that ended long ago, with their attempts and the messages that nobody needs any more; how many."""
    connection = work.connection
    before = Instant(work.machine_now - LOG_SECONDS * 1000)
    floor = uuid7(before, bytes(RANDOM_BYTES))
    gone = 0
    for (operator,) in _run(connection, _OPERATORS):
        for delivery, message in _run(connection, _OLD, operator=operator, floor=floor, before=before):
            _run(connection, _NO_ATTEMPTS, operator=operator, delivery=delivery)
            _run(connection, _NO_DELIVERY, operator=operator, delivery=delivery)
            _run(connection, _NO_MESSAGE, operator=operator, message=message)
            gone += 1
    return gone


def _run(connection: Connection, clause: Any, **values: Any) -> list[tuple[Any, ...]]:
    statement = compiled(clause, connection.dialect)
    return connection.execute(statement.sql, statement.bind(values))
