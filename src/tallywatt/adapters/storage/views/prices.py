"""Views of tariffs and of where they hold."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, case, func, or_, select

from tallywatt.adapters.storage.tables import market, rating, stations
from tallywatt.adapters.storage.views.asking import Question, Row, columns, joined, mine
from tallywatt.kernel.clock import Instant
from tallywatt.rating.freeze import Wanted, follows_market, freeze

if TYPE_CHECKING:
    from sqlalchemy import Select

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.rating.tariff import Tariff

_versions = rating.TARIFF_VERSIONS.table
_market = market.MARKET_PRICES.table
_policies = rating.POLICY_VERSIONS.table
_assignments = rating.TARIFF_ASSIGNMENTS.table
_locations = stations.LOCATIONS.table
_stations = stations.STATIONS.table
_evses = stations.EVSES.table

TARIFF: Select[Any] = select(
    *columns(_versions, "reference", "name", "currency", "tax_basis", "created_at", "canonical", id="tariff_version_id")
).where(mine(_versions))
PUT_DOWN: Select[Any] = TARIFF.where(_versions.c.frozen_of.is_(None))
"""Without the versions that were frozen for offers."""
_TARIFFS = Question(PUT_DOWN.order_by(_versions.c.reference, _versions.c.created_at, _versions.c.tariff_version_id))
_TARIFF_BY_ID = Question(TARIFF.where(_versions.c.tariff_version_id == bindparam("of_version")))


MARKET_PRICE: Select[Any] = select(
    *columns(_market, "market", "minutes", "currency", "starts_at", "per_mwh", "created_at", "changed_at")
).where(mine(_market))
_MARKET_PRICES = Question(
    MARKET_PRICE.where(or_(bindparam("of_market") == "", _market.c.market == bindparam("of_market")))
    .order_by(_market.c.starts_at.desc(), _market.c.market, _market.c.minutes, _market.c.currency)
    .limit(bindparam("most"))
)
_SLOTS = Question(
    select(_market.c.starts_at.label("begins"), _market.c.per_mwh)
    .where(
        mine(_market),
        _market.c.market == bindparam("of_market"),
        _market.c.minutes == bindparam("of_minutes"),
        _market.c.currency == bindparam("of_currency"),
        _market.c.starts_at >= bindparam("since"),
        _market.c.starts_at <= bindparam("until"),
    )
    .order_by(_market.c.starts_at)
)
_MARKETS = Question(select(*columns(_market, "market", "minutes", "currency")).where(mine(_market)).distinct())


def _place(table: Any, key: str) -> Any:
    return (table.c.operator_id == _assignments.c.operator_id) & (table.c[key] == _assignments.c.scope_id)


ASSIGNMENT: Select[Any] = (
    select(
        *columns(
            _assignments, "tariff_version_id", "scope", "scope_id", "audience", "valid_from", "valid_until", "created_at",
            id="assignment_id",
        ),
        *columns(_versions, tariff="reference", tariff_name="name"),
        case(
            (_assignments.c.scope == "operator", ""),
            else_=func.coalesce(_locations.c.reference, _stations.c.identity, _evses.c.code),
        ).label("target"),
    )
    .select_from(
        _assignments.join(_versions, joined(_assignments, _versions, "tariff_version_id"))
        .outerjoin(_locations, _place(_locations, "location_id"))
        .outerjoin(_stations, _place(_stations, "station_id"))
        .outerjoin(_evses, _place(_evses, "evse_id"))
    )
    .where(mine(_assignments))
)  # fmt: skip
_ASSIGNMENTS = Question(ASSIGNMENT.order_by(_assignments.c.valid_from, _assignments.c.assignment_id))


_POLICY_BY_ID = Question(
    select(*columns(_policies, "name", "canonical", "created_at", id="policy_version_id")).where(
        mine(_policies), _policies.c.policy_version_id == bindparam("of_policy")
    )
)


_newest = PUT_DOWN.where(_versions.c.reference == bindparam("of_reference"))
_NEWEST = Question(_newest.order_by(_versions.c.created_at.desc(), _versions.c.tariff_version_id.desc()).limit(1))


def _named(scope: str, column: Any) -> Any:
    return and_(bindparam("of_scope") == scope, column == bindparam("of_target"))


_SITES = Question(
    select(
        _locations.c.country,
        _evses.c.max_watts,
        func.min(_evses.c.code).label("code"),
        func.count().label("points"),
    )
    .select_from(
        _evses.join(_stations, joined(_evses, _stations, "station_id")).join(
            _locations, joined(_stations, _locations, "location_id")
        )
    )
    .where(
        mine(_evses),
        _stations.c.state == "adopted",
        or_(
            bindparam("of_scope") == "operator",
            _named("location", _locations.c.reference),
            _named("station", _stations.c.identity),
            _named("evse", _evses.c.code),
        ),
    )
    .group_by(_locations.c.country, _evses.c.max_watts)
    .order_by(_locations.c.country, _evses.c.max_watts)
)


def sites(connection: Connection, operator_id: str, scope: str = "operator", target: str = "") -> list[Row]:
    """The charging points of a place by what rules ask of them: country and power; one code of each kind, and how many."""
    return _SITES.rows(connection, operator=operator_id, of_scope=scope, of_target=target)


def newest_tariff(connection: Connection, operator_id: str, reference: str) -> Row | None:
    """The newest version of a tariff by its own id, or None."""
    return _NEWEST.first(connection, operator=operator_id, of_reference=reference)


def tariffs(connection: Connection, operator_id: str) -> list[Row]:
    """Tariff versions by reference and time, each with its `canonical` JSON text."""
    return _TARIFFS.rows(connection, operator=operator_id)


def market_prices(
    connection: Connection, operator_id: str, name: str | None = None, most: int | None = None
) -> list[Row]:
    """Prices of markets, of one of them if it is named; the newest slots first."""
    return _MARKET_PRICES.rows(connection, operator=operator_id, of_market=name or "", most=most or 100_000)


def markets(connection: Connection, operator_id: str) -> list[Wanted]:
    """The series of which prices are known."""
    return [Wanted(**row) for row in _MARKETS.rows(connection, operator=operator_id)]


def as_offered(connection: Connection, operator_id: str, tariff: Tariff, at: Instant) -> Tariff:
    """A tariff as it would be offered at an instant: one that follows a market with the prices that are known now."""
    if not follows_market(tariff):
        return tariff

    def prices_of(wanted: Wanted, since: Instant, until: Instant) -> list[tuple[Instant, Decimal]]:
        series = {f"of_{name}": value for name, value in wanted._asdict().items()}
        rows = _SLOTS.rows(connection, operator=operator_id, **series, since=since, until=until)
        return [(Instant(row["begins"]), Decimal(row["per_mwh"]).scaleb(-3)) for row in rows]

    return freeze(tariff, at, prices_of)


def tariff(connection: Connection, operator_id: str, tariff_version_id: str) -> Row | None:
    """One tariff version, or None."""
    return _TARIFF_BY_ID.first(connection, operator=operator_id, of_version=tariff_version_id)


def tariff_assignments(connection: Connection, operator_id: str) -> list[Row]:
    """From when which tariff holds where: `scope`, and `target`, the reference, identity or code of the place."""
    return _ASSIGNMENTS.rows(connection, operator=operator_id)


def policy(connection: Connection, operator_id: str, policy_version_id: str) -> Row | None:
    """One version of the rating policy with its `canonical` JSON text, or None."""
    return _POLICY_BY_ID.first(connection, operator=operator_id, of_policy=policy_version_id)
