"""Deletes what was delivered to partners, or given up, long ago: the log of webhooks does not grow for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, delete, exists, select

from tallywatt.adapters.storage.old_rows import OldRows, delete_old
from tallywatt.adapters.storage.tables.partners import ATTEMPTS, DELIVERIES, MESSAGES
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import RANDOM_BYTES, uuid7
from tallywatt.partners.delivery import DeliveryState
from tallywatt.partners.schedule import LOG_SECONDS

if TYPE_CHECKING:
    from tallywatt.adapters.storage.unit import SqlUnitOfWork

MOST: Final = 200

_deliveries, _attempts, _messages = DELIVERIES.table, ATTEMPTS.table, MESSAGES.table
# A delivery's id begins with the time at which it was written down, so the old ones are the first of the primary key.
OLD_DELIVERIES: Final = OldRows(
    select(_deliveries.c.delivery_id, _deliveries.c.message_id)
    .where(
        _deliveries.c.operator_id == bindparam("operator"),
        _deliveries.c.delivery_id < bindparam("floor"),
        _deliveries.c.state.in_([DeliveryState.DELIVERED.value, DeliveryState.GIVEN_UP.value]),
        _deliveries.c.ended_at < bindparam("before"),
    )
    .order_by(_deliveries.c.delivery_id)
    .limit(MOST),
    (
        delete(_attempts).where(
            _attempts.c.operator_id == bindparam("operator"), _attempts.c.delivery_id == bindparam("delivery_id")
        ),
        delete(_deliveries).where(
            _deliveries.c.operator_id == bindparam("operator"), _deliveries.c.delivery_id == bindparam("delivery_id")
        ),
        delete(_messages).where(
            _messages.c.operator_id == bindparam("operator"),
            _messages.c.message_id == bindparam("message_id"),
            ~exists().where(
                _deliveries.c.operator_id == _messages.c.operator_id, _deliveries.c.message_id == _messages.c.message_id
            ),
        ),
    ),
)


def forget_deliveries(work: SqlUnitOfWork, _: None) -> int:
    """Delete deliveries that ended long ago, with their attempts and the messages that nobody needs any more; how many."""
    before = Instant(work.machine_now - LOG_SECONDS * 1000)
    return delete_old(work, OLD_DELIVERIES, floor=uuid7(before, bytes(RANDOM_BYTES)), before=before)
