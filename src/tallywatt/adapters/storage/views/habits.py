"""Views of the rules that work off what is held, and of the profiles by which registers are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tallywatt.adapters.storage.tables import metering
from tallywatt.adapters.storage.views.asking import Question, Row, columns, mine

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


def rules(connection: Connection, operator_id: str) -> list[Row]:
    """All rules by name, those that are switched off too."""
    return _RULES.rows(connection, operator=operator_id)


def profiles(connection: Connection, operator_id: str) -> list[Row]:
    """All profiles by name."""
    return _PROFILES.rows(connection, operator=operator_id)
