"""Views of fleets, groups and memberships, and of who belongs to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, func, or_, select

from tallywatt.adapters.storage.tables import circles, customers
from tallywatt.adapters.storage.views.asking import MOST_ROWS, Question, Row, columns, joined, mine

if TYPE_CHECKING:
    from sqlalchemy import Select

    from tallywatt.adapters.storage.connections import Connection

_circles = circles.CIRCLES.table
_belongings = circles.BELONGINGS.table
_customers = customers.CUSTOMERS.table
_details = customers.CUSTOMER_DETAILS.table

CIRCLE: Select[Any] = select(*columns(_circles, "kind", "name", "title", "created_at", id="circle_id")).where(
    mine(_circles)
)
_CIRCLE_BY_ID = Question(CIRCLE.where(_circles.c.circle_id == bindparam("of_circle")))
_now: Any = bindparam("now")
_HOLDS = and_(
    _belongings.c.valid_from <= _now, or_(_belongings.c.valid_until.is_(None), _belongings.c.valid_until > _now)
)
_HOW_MANY = (
    select(func.count())
    .where(_belongings.c.operator_id == _circles.c.operator_id, _belongings.c.circle_id == _circles.c.circle_id, _HOLDS)
    .scalar_subquery()
    .label("customers")
)
_CIRCLES = Question(CIRCLE.add_columns(_HOW_MANY).order_by(_circles.c.kind, _circles.c.name).limit(bindparam("most")))

BELONGING: Select[Any] = (
    select(
        *columns(_belongings, "circle_id", "valid_from", "valid_until", "created_at", id="belonging_id"),
        *columns(_circles, "kind", "name", "title"),
        *columns(_customers, customer="reference"),
    )
    .select_from(
        _belongings.join(_circles, joined(_belongings, _circles, "circle_id")).join(
            _customers, joined(_belongings, _customers, "customer_id")
        )
    )
    .where(mine(_belongings))
)
_OF_CUSTOMER = Question(
    BELONGING.where(_belongings.c.customer_id == bindparam("of_customer")).order_by(
        _circles.c.kind, _circles.c.name, _belongings.c.valid_from
    )
)
_OF_CUSTOMER_NOW = Question(
    select(*columns(_circles, "kind", "name", "title"))
    .select_from(_belongings.join(_circles, joined(_belongings, _circles, "circle_id")))
    .where(mine(_belongings), _belongings.c.customer_id == bindparam("of_customer"), _HOLDS)
    .order_by(_circles.c.kind, _circles.c.name)
)
_OF_CIRCLE = Question(
    BELONGING.add_columns(
        select(_details.c.name)
        .where(_details.c.operator_id == _belongings.c.operator_id, _details.c.customer_id == _belongings.c.customer_id)
        .scalar_subquery()
        .label("customer_name")
    )
    .where(_belongings.c.circle_id == bindparam("of_circle"), _belongings.c.belonging_id > bindparam("after"))
    .order_by(_belongings.c.belonging_id)
    .limit(bindparam("most"))
)


def circles_of(connection: Connection, operator_id: str, now: int) -> list[Row]:
    """All fleets, groups and memberships, each with how many customers are of it at that instant."""
    return _CIRCLES.rows(connection, operator=operator_id, now=now, most=MOST_ROWS)


def circles_at(connection: Connection, operator_id: str, customer_id: str, at: int) -> list[Row]:
    """To what a customer belongs at an instant."""
    return _OF_CUSTOMER_NOW.rows(connection, operator=operator_id, of_customer=customer_id, now=at)


def circle(connection: Connection, operator_id: str, circle_id: str) -> Row | None:
    """One of them, or None."""
    return _CIRCLE_BY_ID.first(connection, operator=operator_id, of_circle=circle_id)


def circles_of_customer(connection: Connection, operator_id: str, customer_id: str) -> list[Row]:
    """To what a customer belongs, belonged, or will belong."""
    return _OF_CUSTOMER.rows(connection, operator=operator_id, of_customer=customer_id)


def customers_of_circle(
    connection: Connection, operator_id: str, circle_id: str, after: str = "", most: int = MOST_ROWS
) -> list[Row]:
    """Who belongs to a circle, belonged to it, or will; behind `after`."""
    return _OF_CIRCLE.rows(connection, operator=operator_id, of_circle=circle_id, after=after, most=most)
