"""What a customer had before a session that still runs, as far as its tariff asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.tables import metering, rating
from tallywatt.adapters.storage.views.asking import joined, mine
from tallywatt.kernel.clock import Instant
from tallywatt.metering.session import PayerKind
from tallywatt.rating.before import NOTHING, Before, Billed, gather
from tallywatt.workflows.gather_before import LONGEST_MS

if TYPE_CHECKING:
    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.metering.session import Session
    from tallywatt.rating.records import RatedLine
    from tallywatt.rating.tariff import Tariff

_sessions = metering.SESSIONS.table
_results = rating.RATED_RESULTS.table
_versions = rating.TARIFF_VERSIONS.table
_lines = rating.RATED_LINES.table
_BILLED = (
    select(_results.c.rated_id, _sessions.c.started_at, _sessions.c.zone, _results.c.milliwatt_hours)
    .select_from(
        _sessions.join(_results, joined(_sessions, _results, "rated_id")).join(
            _versions, joined(_results, _versions, "tariff_version_id")
        )
    )
    .where(
        mine(_sessions),
        _sessions.c.payer == PayerKind.CUSTOMER.value,
        _sessions.c.payer_id == bindparam("customer"),
        _sessions.c.started_at >= bindparam("since"),
        _sessions.c.session_id != bindparam("itself"),
        _versions.c.reference == bindparam("reference"),
    )
    .order_by(_sessions.c.started_at, _sessions.c.session_id)
)
_LINES = select(*[_lines.c[name] for name in rating.RATED_LINES.names]).where(
    mine(_lines), _lines.c.rated_id == bindparam("of_rated")
)


def before_of(connection: Connection, operator_id: str, session: Session, tariff: Tariff) -> Before:
    """What counts before a session that is not billed yet."""
    if session.payer is not PayerKind.CUSTOMER or session.payer_id is None or not tariff.asks_before:
        return NOTHING
    rows = _asked(
        connection, _BILLED, operator=operator_id, customer=session.payer_id, since=session.started_at - LONGEST_MS,
        itself=session.session_id, reference=tariff.reference,
    )  # fmt: skip
    billed = [
        Billed(Instant(started), zone, energy, _lines_of(connection, operator_id, rated))
        for rated, started, zone, energy in rows
    ]
    return gather(billed, session.started_at, session.zone)


def _lines_of(connection: Connection, operator_id: str, rated_id: str) -> tuple[RatedLine, ...]:
    return tuple(map(rating.RATED_LINES.decode, _asked(connection, _LINES, operator=operator_id, of_rated=rated_id)))


def _asked(connection: Connection, clause: Any, **values: Any) -> list[tuple[Any, ...]]:
    statement = compiled(clause, connection.dialect)
    return connection.execute(statement.sql, statement.bind(values))
