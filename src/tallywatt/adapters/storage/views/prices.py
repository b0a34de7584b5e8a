"""Views of tariffs and of where they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, case, func, or_, select

from tallywatt.adapters.storage.tables import rating, stations
from tallywatt.adapters.storage.views.asking import Question, Row, columns, joined, mine

if TYPE_CHECKING:
    from sqlalchemy import Select

    from tallywatt.adapters.storage.connections import Connection

_versions = rating.TARIFF_VERSIONS.table
_policies = rating.POLICY_VERSIONS.table
_assignments = rating.TARIFF_ASSIGNMENTS.table
_locations = stations.LOCATIONS.table
_stations = stations.STATIONS.table
_evses = stations.EVSES.table

TARIFF: Select[Any] = select(
    *columns(_versions, "reference", "name", "currency", "tax_basis", "created_at", "canonical", id="tariff_version_id")
).where(mine(_versions))
_TARIFFS = Question(TARIFF.order_by(_versions.c.reference, _versions.c.created_at, _versions.c.tariff_version_id))
_TARIFF_BY_ID = Question(TARIFF.where(_versions.c.tariff_version_id == bindparam("of_version")))


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


_newest = TARIFF.where(_versions.c.reference == bindparam("of_reference"))
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


def tariff(connection: Connection, operator_id: str, tariff_version_id: str) -> Row | None:
    """One tariff version, or None."""
    return _TARIFF_BY_ID.first(connection, operator=operator_id, of_version=tariff_version_id)


def tariff_assignments(connection: Connection, operator_id: str) -> list[Row]:
    """From when which tariff holds where: `scope`, and `target`, the reference, identity or code of the place."""
    return _ASSIGNMENTS.rows(connection, operator=operator_id)


def policy(connection: Connection, operator_id: str, policy_version_id: str) -> Row | None:
    """One version of the rating policy with its `canonical` JSON text, or None."""
    return _POLICY_BY_ID.first(connection, operator=operator_id, of_policy=policy_version_id)
