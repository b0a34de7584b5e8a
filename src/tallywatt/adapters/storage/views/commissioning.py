"""Views of commissioning: whether a station's sessions can be billed, what is missing, and why it matters."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select

from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.tables import commissioning as tables
from tallywatt.adapters.storage.tables import rating, reports, stations
from tallywatt.adapters.storage.views.asking import Question, Row, columns, mine
from tallywatt.kernel.clock import rfc3339
from tallywatt.stations.commissioning import Found, all_wanted, better, is_billable, judge
from tallywatt.stations.offline import rule_at
from tallywatt.stations.station import StationState

if TYPE_CHECKING:
    from sqlalchemy import Select

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.stations.commissioning import StationCheck
    from tallywatt.stations.offline import OfflineRule
    from tallywatt.stations.reports import Variable

_stations = stations.STATIONS.table
_evses = stations.EVSES.table
_variables = reports.STATION_VARIABLES
_checks = tables.STATION_CHECKS
_offline = tables.OFFLINE_RULES
_rules = tables.COMMISSIONING_RULES.table
_assignments = rating.TARIFF_ASSIGNMENTS.table

STATION: Select[Any] = select(
    *columns(_stations, "identity", "state", "protocol", "location_id", id="station_id")
).where(mine(_stations))
_ALL = Question(STATION.order_by(_stations.c.identity))
_ONE = Question(STATION.where(_stations.c.identity == bindparam("of_identity")))
_EVSES = Question(
    select(*columns(_evses, "station_id", "evse_id", "code", "max_watts")).where(mine(_evses)).order_by(_evses.c.code)
)
_RULES = Question(select(*columns(_rules, "scope", "sets_values")).where(mine(_rules)))
_PRICED = Question(
    select(*columns(_assignments, "scope", "scope_id")).where(mine(_assignments), _assignments.c.valid_until.is_(None))
)
_OFFLINE = select(*[_offline.table.c[name] for name in _offline.names]).where(mine(_offline.table))
_CHECKED = select(*[_checks.table.c[name] for name in _checks.names]).where(mine(_checks.table))


@cache
def _values() -> Select[Any]:
    # Of a whole inventory only what is wanted; stations do not agree on upper and lower case.
    names = sorted({place.name.casefold() for wanted in all_wanted() for place in wanted.places})
    table = _variables.table
    return select(*[table.c[name] for name in _variables.names]).where(mine(table), func.lower(table.c.name).in_(names))


def billable(connection: Connection, operator_id: str, identity: str) -> Row | None:
    """Whether the sessions of a station can be billed, and what of it is missing; None for one that is not there."""
    row = _ONE.first(connection, operator=operator_id, of_identity=identity)
    return None if row is None else _shown(connection, operator_id, [row])[0]


def commissioning(connection: Connection, operator_id: str) -> Row:
    """The same of all stations, by identity; and whether values are written wherever nothing else is said."""
    rows = _shown(connection, operator_id, _ALL.rows(connection, operator=operator_id))
    return {"sets_values": _sets(connection, operator_id).get("", False), "items": rows}


def _shown(connection: Connection, operator_id: str, rows: list[Row]) -> list[Row]:
    told: dict[str, list[Variable]] = {}
    for one in _decoded(connection, operator_id, _values(), _variables):
        told.setdefault(one.station_id, []).append(one)
    checks = {one.station_id: one for one in _decoded(connection, operator_id, _CHECKED, _checks)}
    evses: dict[str, list[Row]] = {}
    for evse in _EVSES.rows(connection, operator=operator_id):
        evses.setdefault(evse["station_id"], []).append(evse)
    sets = _sets(connection, operator_id)
    offline = {one.scope: one for one in _decoded(connection, operator_id, _OFFLINE, _offline)}
    priced = {(one["scope"], one["scope_id"]) for one in _PRICED.rows(connection, operator=operator_id)}
    return [
        _row(
            row,
            _judged(row, told, checks, rule_at(offline, row["id"], row["location_id"])),
            checks.get(row["id"]),
            evses.get(row["id"], []),
            priced,
        )
        | {"sets_values": sets.get(row["id"], sets.get("", False))}
        for row in rows
    ]


def _sets(connection: Connection, operator_id: str) -> dict[str, bool]:
    return {one["scope"]: one["sets_values"] for one in _RULES.rows(connection, operator=operator_id)}


def _decoded(connection: Connection, operator_id: str, clause: Select[Any], mapping: Any) -> list[Any]:
    statement = compiled(clause, connection.dialect)
    rows = connection.execute(statement.sql, statement.bind({"operator": operator_id}))
    return [mapping.decode(row) for row in rows]


def _judged(
    row: Row, told: dict[str, list[Variable]], checks: dict[str, StationCheck], offline: OfflineRule | None
) -> tuple[Found, ...]:
    check = checks.get(row["id"])
    return judge(row["protocol"], told.get(row["id"], []), None if check is None else check.answered_at, offline)


def _row(
    row: Row, found: tuple[Found, ...], check: StationCheck | None, evses: list[Row], priced: set[tuple[str, str]]
) -> Row:
    own = _own(row, evses, priced)
    stands = is_billable(found)
    if any(one["is_needed"] and one["told"] != "good" for one in own):
        stands = False
    return {
        "station": row["identity"],
        "protocol": row["protocol"],
        "billable": stands,
        "asked_at": None if check is None else rfc3339(check.asked_at),
        "answered_at": None if check is None or check.answered_at is None else rfc3339(check.answered_at),
        "set_at": None if check is None or check.set_at is None else rfc3339(check.set_at),
        "next_at": None if check is None or check.next_at is None else rfc3339(check.next_at),
        "items": [*own, *(_item(one) for one in found)],
    }


def _item(one: Found) -> Row:
    return {
        "code": one.wanted.code,
        "place": str(one.place),
        "told": one.told.value,
        "is_off": one.is_off,
        "is_needed": one.wanted.is_needed,
        "value": one.value,
        "wanted": f"{one.wanted.rule.value} {', '.join(one.wanted.wanted)}",
        "better": better(one),
        "why": one.wanted.why,
    }


def _own(row: Row, evses: list[Row], priced: set[tuple[str, str]]) -> list[Row]:
    """What the house itself has to know about a station."""
    blind = [one["code"] for one in evses if one["max_watts"] is None]
    scopes = {("operator", ""), ("station", row["id"]), ("location", row["location_id"] or "")}
    scopes |= {("evse", one["evse_id"]) for one in evses}
    return [
        _known(
            "adopted", row["state"] == StationState.ADOPTED.value, row["state"],
            "A station that is not adopted is not let in, and its sessions are nobody's.",
        ),
        _known(
            "tariff", bool(scopes & priced), None,
            "Without a tariff that holds there, a session has no price and is held.",
        ),
        _known(
            "power", not blind, ", ".join(blind) or None,
            "Without the power of an EVSE it cannot be told whether a session's energy is plausible.", is_needed=False,
        ),
    ]  # fmt: skip


def _known(code: str, is_good: bool, value: str | None, why: str, *, is_needed: bool = True) -> Row:
    return {
        "code": code,
        "place": None,
        "told": "good" if is_good else "wrong",
        "is_off": not is_good,
        "is_needed": is_needed,
        "value": value,
        "wanted": None,
        "better": None,
        "why": why,
    }
