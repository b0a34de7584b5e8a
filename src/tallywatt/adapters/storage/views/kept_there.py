"""What a station keeps to and shows: limits of its power and texts on its display, as far as it was told or has told itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallywatt.adapters.storage.views.telling import reports_of, told_of
from tallywatt.kernel.clock import Instant, parse_instant, rfc3339
from tallywatt.stations import charging
from tallywatt.stations import messages_shown as texts
from tallywatt.stations.command import Asked

if TYPE_CHECKING:
    from decimal import Decimal

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.views.asking import Row


def limits_of(connection: Connection, operator_id: str, station_id: str, now: Instant) -> Row:
    """The profiles that a station has, and what it says that they come to at each place."""
    told = _about(connection, operator_id, station_id, charging.ABOUT_POWER)
    report, told_at = _report(connection, operator_id, told, charging.LIST)
    profiles = charging.profiles_of(_asked(told, now), charging.with_told(report), told_at, now)
    return {
        "profiles": [
            {
                "number": one.number,
                "purpose": one.purpose,
                "evse": one.evse_number,
                "limit": _plain(one.limit),
                "unit": one.unit,
                "periods": one.periods,
                "until": _when(one.until),
                "source": one.source,
                "command_id": one.command_id,
            }
            for one in profiles
        ],
        "told_at": _when(told_at),
        "schedules": _schedules(told),
    }


def texts_of(connection: Connection, operator_id: str, station_id: str, now: Instant) -> Row:
    """The texts that a station's display has."""
    told = _about(connection, operator_id, station_id, texts.ABOUT_DISPLAYS)
    report, told_at = _report(connection, operator_id, told, texts.LIST)
    held = texts.texts_of(_asked(told, now), texts.with_told(report), told_at, now)
    return {
        "texts": [
            {
                "number": one.number,
                "text": one.text,
                "priority": one.priority,
                "state": one.state,
                "begins": _when(one.begins),
                "ends": _when(one.ends),
                "command_id": one.command_id,
            }
            for one in held
        ],
        "told_at": _when(told_at),
    }


def _about(connection: Connection, operator_id: str, station_id: str, names: tuple[str, ...]) -> list[Row]:
    return [one for one in told_of(connection, operator_id, station_id) if one["name"] in names]


def _report(
    connection: Connection, operator_id: str, told: list[Row], name: str
) -> tuple[list[dict[str, Any]], Instant | None]:
    """The newest whole report about what it has, and when it was whole; nothing, where there is none."""
    asked = next((one for one in told if one["name"] == name and one["state"] == "completed"), None)
    if asked is None:
        return [], None
    rows = reports_of(connection, operator_id, asked["id"])
    return [one["content"] for one in rows if isinstance(one["content"], dict)], parse_instant(asked["ended_at"])


def _asked(told: list[Row], now: Instant) -> list[Asked]:
    """What it was told, oldest first, as the room of stations reads it."""
    return [
        Asked(
            one["id"],
            one["name"],
            one["state"],
            one["payload"].get("content") or {},
            now if one["ended_at"] is None else parse_instant(one["ended_at"]),
        )
        for one in reversed(told)
    ]


def _schedules(told: list[Row]) -> list[Row]:
    """The newest answer of each place to the question what all its profiles come to."""
    found: dict[int, Row] = {}
    for one in told:
        if one["name"] != charging.SCHEDULE or one["answered_at"] is None:
            continue
        at = parse_instant(one["answered_at"])
        made = charging.composite_of(one["answer"], one["payload"].get("content") or {}, at)
        if made is not None and made.evse_number not in found:
            found[made.evse_number] = {
                "evse": made.evse_number,
                "unit": made.unit,
                "steps": [
                    {"at": rfc3339(step.at), "limit": _plain(step.limit), "phases": step.phases} for step in made.steps
                ],
                "at": one["answered_at"],
                "command_id": one["id"],
            }
    return [found[place] for place in sorted(found)]


def _plain(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount.normalize():f}"


def _when(at: Instant | None) -> str | None:
    return None if at is None else rfc3339(at)
