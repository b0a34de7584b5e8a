"""Views of the rules that work off what is held, and of the profiles by which registers are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select

from tallywatt.adapters.storage.tables import metering
from tallywatt.adapters.storage.views.asking import Question, Row, columns, mine
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import RANDOM_BYTES, uuid7
from tallywatt.metering.session import InboxState

if TYPE_CHECKING:
    from sqlalchemy import Select

    from tallywatt.adapters.storage.connections import Connection

_rules = metering.RESOLUTION_RULES.table
_profiles = metering.METER_PROFILES.table

RULE: Select[Any] = select(
    *columns(_rules, "name", "kind", "decision", "most_minor", "is_on", "created_at", id="rule_id")
).where(mine(_rules))
PROFILE: Select[Any] = select(
    *columns(_profiles, "name", "vendor", "model", "firmware", "habits", "created_at", id="profile_id")
).where(mine(_profiles))
_RULES = Question(RULE.order_by(_rules.c.name))
_PROFILES = Question(PROFILE.order_by(_profiles.c.name))


_inbox = metering.INBOX.table
THIRTY_DAYS_MS = 30 * 86_400_000
_DECIDED = Question(
    select(_inbox.c.resolution, func.count().label("decided"), func.max(_inbox.c.resolved_at).label("last_at"))
    .where(mine(_inbox), _inbox.c.state == InboxState.RESOLVED.value, _inbox.c.item_id >= bindparam("since"))
    .where(_inbox.c.resolution.like("%: by rule %"))
    .group_by(_inbox.c.resolution)
)


def rules(connection: Connection, operator_id: str) -> list[Row]:
    """All rules by name, those that are switched off too."""
    return _RULES.rows(connection, operator=operator_id)


def rules_with_count(connection: Connection, operator_id: str, now: Instant) -> list[Row]:
    """All rules, each with how many items of the last 30 days it has decided, and when last."""
    # An item's id begins with the time at which it came.
    since = uuid7(Instant(max(0, now - THIRTY_DAYS_MS)), bytes(RANDOM_BYTES))
    done = {one["resolution"]: one for one in _DECIDED.rows(connection, operator=operator_id, since=since)}
    rows = rules(connection, operator_id)
    for one in rows:
        found = done.get(f"{one['decision']}: by rule {one['name']}", {})
        one["decided"], one["last_at"] = found.get("decided", 0), found.get("last_at")
    return rows


def profiles(connection: Connection, operator_id: str) -> list[Row]:
    """All profiles by name."""
    return _PROFILES.rows(connection, operator=operator_id)
