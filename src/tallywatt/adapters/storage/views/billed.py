"""What a customer had before a session that still runs, as far as its tariff asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, or_, select

from tallywatt.adapters.storage.mapping import from_json
from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.tables import coupons, customers, metering, rating
from tallywatt.adapters.storage.views.asking import joined, mine
from tallywatt.customers.circle import CircleKind
from tallywatt.kernel.clock import Instant
from tallywatt.metering.session import PayerKind
from tallywatt.rating.audience import ANYBODY, Who
from tallywatt.rating.before import Before, Billed, gather
from tallywatt.rating.read_reductions import discount_of
from tallywatt.workflows.gather_before import LONGEST_MS

if TYPE_CHECKING:
    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.views.asking import Row
    from tallywatt.metering.session import Session
    from tallywatt.rating.records import RatedLine
    from tallywatt.rating.tariff import Discount, Tariff

_sessions = metering.SESSIONS.table
_results = rating.RATED_RESULTS.table
_versions = rating.TARIFF_VERSIONS.table
_lines = rating.RATED_LINES.table
_coupons = coupons.COUPONS.table
_uses = coupons.COUPON_USES.table
_customers = customers.CUSTOMERS.table
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
_REFERENCE = select(_customers.c.reference).where(
    mine(_customers), _customers.c.customer_id == bindparam("of_customer")
)
_KEPT = (
    select(_coupons.c.code, _coupons.c.terms, _coupons.c.currency)
    .select_from(_uses.join(_coupons, joined(_uses, _coupons, "coupon_id")))
    .where(
        mine(_uses),
        _uses.c.customer_id == bindparam("of_customer"),
        _uses.c.state == "kept",
        _coupons.c.valid_from <= bindparam("at"),
        or_(_coupons.c.valid_until.is_(None), _coupons.c.valid_until > bindparam("at")),
        or_(_coupons.c.most_uses.is_(None), _coupons.c.uses < _coupons.c.most_uses),
    )
    .order_by(_uses.c.created_at, _uses.c.use_id)
)
_GRANTED = (
    select(_coupons.c.code, _coupons.c.terms)
    .select_from(_uses.join(_coupons, joined(_uses, _coupons, "coupon_id")))
    .where(mine(_uses), _uses.c.offer_id == bindparam("of_offer"), _uses.c.state.in_(("claimed", "used")))
    .order_by(_uses.c.use_id)
)
_LINES = select(*[_lines.c[name] for name in rating.RATED_LINES.names]).where(
    mine(_lines), _lines.c.rated_id == bindparam("of_rated")
)


def who_of(connection: Connection, operator_id: str, customer_id: str, circles: list[Row]) -> Who:
    """What a choice of a tariff asks of a customer; the workflow of an offer asks likewise."""
    rows = _asked(connection, _REFERENCE, operator=operator_id, of_customer=customer_id)
    if not rows:
        return ANYBODY
    of = {kind: frozenset(one["name"] for one in circles if one["kind"] == kind) for kind in CircleKind}
    return Who(rows[0][0], of[CircleKind.FLEET], of[CircleKind.GROUP], of[CircleKind.MEMBER], payment="account")


def before_start(
    connection: Connection, operator_id: str, customer_id: str, tariff: Tariff, at: Instant, zone: str
) -> Before:
    """What a customer had before a session that would start now, and what the coupon grants that it would claim."""
    kept = _asked(connection, _KEPT, operator=operator_id, of_customer=customer_id, at=at)
    fitting = [(code, terms) for code, terms, money in kept if money in (None, tariff.currency.code)]
    granted = tuple(discount_of(code, from_json(terms)) for code, terms in fitting[:1])
    if not tariff.asks_before:
        return Before(granted=granted)
    billed = _billed(connection, operator_id, customer_id, at, "", tariff.reference)
    return gather(billed, at, zone, granted)


def before_of(connection: Connection, operator_id: str, session: Session, tariff: Tariff) -> Before:
    """What counts before a session that is not billed yet, and what a coupon grants to it."""
    granted = _granted(connection, operator_id, session.offer_id or "")
    if session.payer is not PayerKind.CUSTOMER or session.payer_id is None or not tariff.asks_before:
        return Before(granted=granted)
    billed = _billed(
        connection, operator_id, session.payer_id, session.started_at, session.session_id, tariff.reference
    )
    return gather(billed, session.started_at, session.zone, granted)


def _billed(
    connection: Connection, operator_id: str, customer_id: str, at: Instant, itself: str, reference: str
) -> list[Billed]:
    rows = _asked(
        connection, _BILLED, operator=operator_id, customer=customer_id, since=at - LONGEST_MS, itself=itself,
        reference=reference,
    )  # fmt: skip
    return [
        Billed(Instant(started), zone, energy, _lines_of(connection, operator_id, rated))
        for rated, started, zone, energy in rows
    ]


def _granted(connection: Connection, operator_id: str, offer_id: str) -> tuple[Discount, ...]:
    rows = _asked(connection, _GRANTED, operator=operator_id, of_offer=offer_id)
    return tuple(discount_of(code, from_json(terms)) for code, terms in rows)


def _lines_of(connection: Connection, operator_id: str, rated_id: str) -> tuple[RatedLine, ...]:
    return tuple(map(rating.RATED_LINES.decode, _asked(connection, _LINES, operator=operator_id, of_rated=rated_id)))


def _asked(connection: Connection, clause: Any, **values: Any) -> list[tuple[Any, ...]]:
    statement = compiled(clause, connection.dialect)
    return connection.execute(statement.sql, statement.bind(values))
