"""What stations may do without a connection, what that means in words, and what money it risks at the prices that hold."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, or_, select

from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.tables import commissioning, customers, rating, stations
from tallywatt.adapters.storage.views.asking import Question, Row, columns, joined, mine
from tallywatt.kernel.clock import Instant, rfc3339
from tallywatt.rating.dearest import dearest
from tallywatt.rating.read import read_tariff_text
from tallywatt.stations.offline import OfflineRule, Starts, risk_of, rule_at, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tallywatt.adapters.storage.connections import Connection

_rules = commissioning.OFFLINE_RULES
_setting = commissioning.COMMISSIONING_RULES.table
_stations, _evses, _locations = stations.STATIONS.table, stations.EVSES.table, stations.LOCATIONS.table
_assignments, _versions = rating.TARIFF_ASSIGNMENTS.table, rating.TARIFF_VERSIONS.table
_operators = customers.OPERATORS.table
_ALL_RULES = select(*[_rules.table.c[name] for name in _rules.names]).where(
    mine(_rules.table), _rules.table.c.removed_at.is_(None)
)
_STATIONS = Question(
    select(*columns(_stations, "identity", "location_id", id="station_id"))
    .where(mine(_stations), _stations.c.state == "adopted")
    .order_by(_stations.c.identity)
)
_LOCATIONS = Question(
    select(*columns(_locations, "reference", "name", id="location_id"))
    .where(mine(_locations))
    .order_by(_locations.c.reference)
)
_EVSES = Question(select(*columns(_evses, "station_id", "evse_id", "max_watts")).where(mine(_evses)))
_SETTING = Question(select(*columns(_setting, "scope", "sets_values")).where(mine(_setting)))
_CURRENCY = Question(select(_operators.c.currency).where(mine(_operators)))
_HOLDING = Question(
    select(*columns(_assignments, "scope", "scope_id"), _versions.c.tariff_version_id, _versions.c.canonical)
    .join(_versions, joined(_assignments, _versions, "tariff_version_id"))
    .where(
        mine(_assignments),
        _assignments.c.valid_from <= bindparam("now"),
        or_(_assignments.c.valid_until.is_(None), _assignments.c.valid_until > bindparam("now")),
    )
)
USUAL: Final = OfflineRule("", Starts.KNOWN, 0, Instant(0))
"""What nobody has said."""


class _House:
    """What the risk of any scope is worked out from: read once, whatever is asked."""

    def __init__(self, connection: Connection, operator_id: str, now: int) -> None:
        self._evses = _EVSES.rows(connection, operator=operator_id)
        self._currency = str((_CURRENCY.first(connection, operator=operator_id) or {})["currency"])
        self._holding = _HOLDING.rows(connection, operator=operator_id, now=now)
        texts = {one["tariff_version_id"]: one["canonical"] for one in self._holding}
        self._prices = {version: dearest(read_tariff_text(text)) for version, text in texts.items()}
        statement = compiled(_ALL_RULES, connection.dialect)
        found = connection.execute(statement.sql, statement.bind({"operator": operator_id}))
        self.rules: dict[str, OfflineRule] = {one.scope: one for one in map(_rules.decode, found)}
        self._sets = {one["scope"]: one["sets_values"] for one in _SETTING.rows(connection, operator=operator_id)}
        self.stations = _STATIONS.rows(connection, operator=operator_id)

    def told(self, rule: OfflineRule, scope: str, at: Iterable[Row] | None) -> Row:
        """A rule as it is shown; `at`: the stations that it is about, None: all of them."""
        places, evses = None, self._evses
        if at is not None:
            ids = {one["id"] for one in at}
            evses = [one for one in self._evses if one["station_id"] in ids]
            sites = {one["location_id"] or "" for one in at}
            places = {"", *ids, *sites, *(one["evse_id"] for one in evses)}
        prices = [
            self._prices[one["tariff_version_id"]]
            for one in self._holding
            if places is None or one["scope"] == "operator" or one["scope_id"] in places
        ]
        watts = max((one["max_watts"] for one in evses if one["max_watts"] is not None), default=None)
        risk = risk_of(rule, max(prices, default=Decimal(0)), watts, self._currency)
        return {
            "starts": rule.starts.value,
            "refused_wh": rule.refused_wh,
            "words": list(words_of(rule, risk)),
            "an_hour": risk.an_hour,
            "each_time": risk.each_time,
            "currency": risk.currency,
            "is_set": self._sets.get(scope, self._sets.get("", False)),
            "changed_at": None if rule is USUAL else rfc3339(rule.changed_at),
        }


def offline_rules(connection: Connection, operator_id: str, now: int) -> Row:
    """What holds wherever nothing else is said, and each site and station of which something else is said."""
    house = _House(connection, operator_id, now)
    sites = [one for one in _LOCATIONS.rows(connection, operator=operator_id) if one["id"] in house.rules]
    by_site: dict[str, list[Row]] = {}
    for one in house.stations:
        by_site.setdefault(one["location_id"] or "", []).append(one)
    return {
        "everywhere": {"is_said": "" in house.rules, **house.told(house.rules.get("", USUAL), "", None)},
        "sites": [
            {"location": one["reference"], "name": one["name"]}
            | house.told(house.rules[one["id"]], "", by_site.get(one["id"], []))
            for one in sites
        ],
        "stations": [
            {"station": one["identity"], **house.told(house.rules[one["id"]], one["id"], [one])}
            for one in house.stations
            if one["id"] in house.rules
        ],
    }


def offline_of(connection: Connection, operator_id: str, identity: str, now: int) -> Row | None:
    """What one adopted station may do offline, and whether that was said of it, of its site, of all, or of none."""
    house = _House(connection, operator_id, now)
    row = next((one for one in house.stations if one["identity"] == identity), None)
    if row is None:
        return None
    found = rule_at(house.rules, row["id"], row["location_id"])
    said = {row["id"]: "station", "": "operator"}.get(found.scope, "location") if found is not None else "nobody"
    return {"station": identity, "said_of": said, **house.told(found or USUAL, row["id"], [row])}
