"""Deletes what stations said on the side when its days are over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, delete, select

from tallywatt.adapters.storage.old_rows import DAY_MS, OldRows, delete_old
from tallywatt.adapters.storage.tables.reports import STATION_NOTICES

if TYPE_CHECKING:
    from tallywatt.adapters.storage.unit import SqlUnitOfWork

MOST: Final = 1000

_notices = STATION_NOTICES.table
OLD_NOTICES: Final = OldRows(
    select(_notices.c.station_id, _notices.c.notice_key)
    .where(_notices.c.operator_id == bindparam("operator"), _notices.c.received_at < bindparam("floor"))
    .order_by(_notices.c.received_at)
    .limit(MOST),
    (
        delete(_notices).where(
            _notices.c.operator_id == bindparam("operator"),
            _notices.c.station_id == bindparam("station_id"),
            _notices.c.notice_key == bindparam("notice_key"),
        ),
    ),
)


def forget_notices(work: SqlUnitOfWork, days: int) -> int:
    """Delete notices of all operators that are older than these days, some at a time; how many."""
    return delete_old(work, OLD_NOTICES, floor=work.machine_now - days * DAY_MS)
