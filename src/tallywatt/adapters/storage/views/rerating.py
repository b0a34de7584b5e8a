"""Views of rated results with all that their prices were worked out from, for working them out again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, or_, select

from tallywatt.adapters.storage.tables import invoicing, metering, rating, stations
from tallywatt.adapters.storage.views.asking import Question, Row, columns, joined, mine

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from tallywatt.adapters.storage.connections import Connection

_sessions = metering.SESSIONS.table
_results = rating.RATED_RESULTS.table
_lines = rating.RATED_LINES.table
_taxes = rating.RATED_TAXES.table
_tariffs = rating.TARIFF_VERSIONS.table
_stations = stations.STATIONS.table
_invoices = invoicing.INVOICES.table

ANY = ""
"""Of any tariff."""


def _wanted() -> list[ColumnElement[bool]]:
    return [
        mine(_sessions),
        _sessions.c.session_id > bindparam("after"),
        _sessions.c.started_at >= bindparam("since"),
        _sessions.c.started_at < bindparam("until"),
    ]


_RATED = Question(
    select(
        *columns(_sessions, "started_at", "zone", id="session_id"),
        *columns(
            _results, "rated_id", "tariff_version_id", "policy_version_id", "canonical_input", "engine_version",
            "zone_data_version", "currency", "net_minor", "tax_minor", "gross_minor", energy_wh="milliwatt_hours",
        ),
        *columns(_tariffs, tariff="reference"),
        *columns(_stations, station="identity"),
        *columns(_invoices, invoice="number"),
    )
    .select_from(
        _sessions.join(_results, joined(_sessions, _results, "rated_id"))
        .join(_tariffs, joined(_results, _tariffs, "tariff_version_id"))
        .outerjoin(_stations, joined(_sessions, _stations, "station_id"))
        .outerjoin(_invoices, joined(_sessions, _invoices, "invoice_id"))
    )
    .where(*_wanted(), or_(bindparam("of_tariff") == ANY, _tariffs.c.reference == bindparam("of_tariff")))
    .order_by(_sessions.c.session_id)
    .limit(bindparam("most"))
)  # fmt: skip
_REASONS = Question(
    select(
        _lines.c.rated_id, _lines.c.reason_code, func.sum(_lines.c.gross_minor).label("gross_minor")
    )
    .select_from(
        _sessions.join(
            _lines, (_sessions.c.operator_id == _lines.c.operator_id) & (_sessions.c.rated_id == _lines.c.rated_id)
        )
    )
    .where(*_wanted(), _sessions.c.session_id <= bindparam("last"))
    .group_by(_lines.c.rated_id, _lines.c.reason_code)
    .order_by(_lines.c.rated_id, func.min(_lines.c.line_number))
)  # fmt: skip
_RATES = Question(
    select(_taxes.c.rated_id, *columns(_taxes, "tax_rate", "net_minor", "tax_minor", "gross_minor"))
    .select_from(
        _sessions.join(
            _taxes, (_sessions.c.operator_id == _taxes.c.operator_id) & (_sessions.c.rated_id == _taxes.c.rated_id)
        )
    )
    .where(*_wanted(), _sessions.c.session_id <= bindparam("last"))
    .order_by(_taxes.c.rated_id, _taxes.c.tax_number)
)


def rated_sessions(
    connection: Connection,
    operator_id: str,
    *,
    after: str = "",
    most: int = 500,
    since: int | None = None,
    until: int | None = None,
    tariff: str = ANY,
) -> list[Row]:
    """Sessions that have a price, in the order of their ids, with the input from which it was worked out.

    `by_reason` is the gross amount of the lines of each reason code, in the order of the lines.
    """
    wanted: dict[str, Any] = {
        "operator": operator_id,
        "after": after,
        "since": 0 if since is None else since,
        "until": 1 << 62 if until is None else until,
    }
    found = _RATED.rows(connection, **wanted, of_tariff=tariff, most=most)
    if not found:
        return []
    reasons: dict[str, dict[str, int]] = {}
    for line in _REASONS.rows(connection, **wanted, last=found[-1]["id"]):
        reasons.setdefault(line["rated_id"], {})[line["reason_code"]] = line["gross_minor"]
    return [{**one, "by_reason": reasons.get(one["rated_id"], {})} for one in found]


def rated_taxes(
    connection: Connection, operator_id: str, *, after: str, last: str, since: int, until: int
) -> dict[str, list[Row]]:
    """The tax of each rate of those results: net, tax and gross, by the id of the result."""
    found: dict[str, list[Row]] = {}
    wanted = {"operator": operator_id, "after": after, "since": since, "until": until}
    for row in _RATES.rows(connection, **wanted, last=last):
        found.setdefault(row["rated_id"], []).append(row)
    return found
