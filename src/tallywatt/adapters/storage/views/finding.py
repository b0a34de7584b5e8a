"""The console's search: a session, station, invoice, customer, token or payment by its number, name or id.

Every question is answered by an index, exactly or by how a number begins; only names of customers are looked through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, func, or_, select

from tallywatt.adapters.storage.tables import customers, invoicing, metering, payments, stations
from tallywatt.adapters.storage.views.asking import Question, Row, columns, joined, mine
from tallywatt.adapters.storage.views.people import CUSTOMER
from tallywatt.customers.customer import fold

if TYPE_CHECKING:
    from sqlalchemy import BindParameter, ColumnElement

    from tallywatt.adapters.storage.connections import Connection

_sessions = metering.SESSIONS.table
_stations = stations.STATIONS.table
_evses = stations.EVSES.table
_locations = stations.LOCATIONS.table
_invoices = invoicing.INVOICES.table
_payments = payments.PAYMENTS.table
_customers = customers.CUSTOMERS.table
_details = customers.CUSTOMER_DETAILS.table
_tokens = customers.TOKENS.table

MOST: Final = 10
"""Of each kind."""
_exact: BindParameter[str] = bindparam("exact")
_start: BindParameter[str] = bindparam("start")
_behind: BindParameter[str] = bindparam("behind")


def _begins(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Begins like what was typed, as a range: an index finds it on both engines, whatever their collation of LIKE."""
    return (column >= _start) & (column < _behind)


_SESSIONS = Question(
    select(*columns(_sessions, "started_at", "state", id="session_id"), *columns(_stations, title="identity"))
    .select_from(_sessions.outerjoin(_stations, joined(_sessions, _stations, "station_id")))
    .where(mine(_sessions), or_(_sessions.c.session_id == _exact, _sessions.c.token_uid == bindparam("folded")))
    .order_by(_sessions.c.session_id.desc())
    .limit(MOST)
)
_STATIONS = Question(
    select(*columns(_stations, "state", id="identity", title="identity"), *columns(_locations, about="name"))
    .select_from(_stations.outerjoin(_locations, joined(_stations, _locations, "location_id")))
    .where(mine(_stations), _begins(_stations.c.identity))
    .order_by(_stations.c.identity)
    .limit(MOST)
)
_EVSES = Question(
    select(*columns(_stations, id="identity"), *columns(_evses, title="code"), *columns(_locations, about="name"))
    .select_from(
        _evses.join(_stations, joined(_evses, _stations, "station_id")).outerjoin(
            _locations, joined(_stations, _locations, "location_id")
        )
    )
    .where(mine(_evses), _begins(_evses.c.code))
    .order_by(_evses.c.code)
    .limit(MOST)
)
_INVOICES = Question(
    select(*columns(_invoices, "gross_minor", "currency", "issue_date", id="session_id", title="number"))
    .where(mine(_invoices), _begins(_invoices.c.number))
    .order_by(_invoices.c.number.desc())
    .limit(MOST)
)
_PAYMENTS = Question(
    select(*columns(_payments, "amount_minor", "currency", "state", id="payment_id", title="reference"))
    .where(mine(_payments), or_(_payments.c.payment_id == _exact, _payments.c.reference == _exact))
    .limit(MOST)
)
_TOKENS = Question(
    select(*columns(_tokens, "state", title="uid"), *columns(_customers, id="reference"))
    .select_from(_tokens.outerjoin(_customers, joined(_tokens, _customers, "customer_id")))
    .where(mine(_tokens), _tokens.c.uid_folded == bindparam("folded"))
    .limit(MOST)
)
_CUSTOMERS = Question(
    select(*columns(_customers, id="reference", title="reference"), *columns(_details, about="name"))
    .select_from(_customers.outerjoin(_details, joined(_customers, _details, "customer_id")))
    .where(
        mine(_customers),
        or_(
            _begins(_customers.c.reference),
            _details.c.email == _exact,
            func.lower(_details.c.name).like(bindparam("named"), escape="\\"),
        ),
    )
    .order_by(_customers.c.reference)
    .limit(MOST)
)
_FOUND_CUSTOMERS = Question(
    CUSTOMER.where(
        or_(
            _begins(_customers.c.reference),
            _details.c.email == _exact,
            func.lower(_details.c.name).like(bindparam("named"), escape="\\"),
            _customers.c.customer_id.in_(
                select(_tokens.c.customer_id).where(mine(_tokens), _tokens.c.uid_folded == bindparam("folded"))
            ),
        )
    )
    .order_by(_customers.c.reference)
    .limit(bindparam("most"))
)
_KINDS: Final = (
    ("invoice", _INVOICES),
    ("station", _STATIONS),
    ("evse", _EVSES),
    ("customer", _CUSTOMERS),
    ("token", _TOKENS),
    ("session", _SESSIONS),
    ("payment", _PAYMENTS),
)


def find(connection: Connection, operator_id: str, text: str) -> list[Row]:
    """What a text may mean, each with its `kind` and an `id` for its page."""
    if not text.strip():
        return []
    hits: list[Row] = []
    for kind, question in _KINDS:
        rows = question.rows(connection, operator=operator_id, **_typed(text))
        hits += [{"kind": kind, **row} for row in rows]
    return hits


def customers_like(connection: Connection, operator_id: str, text: str, most: int = 50) -> list[Row]:
    """Customers whose reference or name begins like a text, or whose e-mail address or card it is."""
    return _FOUND_CUSTOMERS.rows(connection, operator=operator_id, most=most, **_typed(text))


def _typed(text: str) -> dict[str, str]:
    plain = text.strip()
    escaped = plain.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return {
        "exact": plain,
        "folded": fold(plain),
        "start": plain,
        "behind": plain + "\U0010ffff",
        "named": f"%{escaped}%",
    }
