"""Views of coupons, and of who used which one when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from tallywatt.adapters.storage.tables import coupons, customers
from tallywatt.adapters.storage.views.asking import MOST_ROWS, Question, Row, columns, joined, mine
from tallywatt.rating.coupon import fold_code

if TYPE_CHECKING:
    from sqlalchemy import Select

    from tallywatt.adapters.storage.connections import Connection

_coupons = coupons.COUPONS.table
_uses = coupons.COUPON_USES.table
_customers = customers.CUSTOMERS.table

COUPON: Select[Any] = select(
    *columns(
        _coupons, "code", "title", "terms", "currency", "most_uses", "uses_per_customer", "uses", "valid_from", "valid_until",
        "created_at", id="coupon_id",
    )
).where(mine(_coupons))  # fmt: skip
_COUPONS = Question(COUPON.order_by(_coupons.c.coupon_id.desc()).limit(bindparam("most")))
_BY_ID = Question(COUPON.where(_coupons.c.coupon_id == bindparam("of_coupon")))
_BY_CODE = Question(COUPON.where(_coupons.c.code == bindparam("of_code")))

USE: Select[Any] = (
    select(
        *columns(
            _uses, "coupon_id", "state", "offer_id", "created_at", "claimed_at", "ended_at", "session_id", id="use_id"
        ),
        *columns(_coupons, "code"),
        *columns(_customers, customer="reference"),
    )
    .select_from(
        _uses.join(_coupons, joined(_uses, _coupons, "coupon_id")).outerjoin(
            _customers, joined(_uses, _customers, "customer_id")
        )
    )
    .where(mine(_uses))
)
_OF_COUPON = Question(
    USE.where(_uses.c.coupon_id == bindparam("of_coupon")).order_by(_uses.c.use_id.desc()).limit(bindparam("most"))
)
_OF_CUSTOMER = Question(
    select(
        *columns(_uses, "state", "created_at", "ended_at", id="use_id"),
        *columns(_coupons, "code", "title", "terms", "currency", "valid_until"),
    )
    .select_from(_uses.join(_coupons, joined(_uses, _coupons, "coupon_id")))
    .where(mine(_uses), _uses.c.customer_id == bindparam("of_customer"), _uses.c.state != "released")
    .order_by(_uses.c.use_id.desc())
    .limit(bindparam("most"))
)


def coupons_of(connection: Connection, operator_id: str) -> list[Row]:
    """Coupons, the newest first."""
    return _COUPONS.rows(connection, operator=operator_id, most=MOST_ROWS)


def coupon(connection: Connection, operator_id: str, coupon_id: str) -> Row | None:
    """One coupon, or None."""
    return _BY_ID.first(connection, operator=operator_id, of_coupon=coupon_id)


def coupon_by_code(connection: Connection, operator_id: str, code: str) -> Row | None:
    """The coupon of a code, in whatever case it is written, or None."""
    return _BY_CODE.first(connection, operator=operator_id, of_code=fold_code(code))


def uses_of_coupon(connection: Connection, operator_id: str, coupon_id: str, most: int = MOST_ROWS) -> list[Row]:
    """Who used it when, the newest first."""
    return _OF_COUPON.rows(connection, operator=operator_id, of_coupon=coupon_id, most=most)


def coupons_of_customer(connection: Connection, operator_id: str, customer_id: str) -> list[Row]:
    """What a customer keeps, and has used."""
    return _OF_CUSTOMER.rows(connection, operator=operator_id, of_customer=customer_id, most=MOST_ROWS)
