"""Views of card readers: whose each is, where it stands, and which EVSEs are paid for there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, or_, select

from tallywatt.adapters.storage.tables import payments, readers, stations
from tallywatt.adapters.storage.views.asking import MOST_ROWS, Question, Row, columns, joined, mine
from tallywatt.payments.reader import MOST_UNPAID, PAUSE_MS, is_unpaid, told_apart

if TYPE_CHECKING:
    from sqlalchemy import Select

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.kernel.clock import Instant

_readers, _accounts = readers.READERS.table, payments.PROVIDER_ACCOUNTS.table
_payments = payments.PAYMENTS.table
_stations, _evses, _locations = stations.STATIONS.table, stations.EVSES.table, stations.LOCATIONS.table

READER: Select[Any] = (
    select(
        *columns(_readers, "reader_ref", "label", "evse_ids", "location_id", "added_at", "removed_at", id="reader_id"),
        *columns(_accounts, "provider", "currencies", "closed_at", account="name"),
        *columns(_locations, location="reference", location_name="name"),
    )
    .select_from(
        _readers.join(_accounts, joined(_readers, _accounts, "account_id")).outerjoin(
            _locations, joined(_readers, _locations, "location_id")
        )
    )
    .where(mine(_readers))
)
_ALL = Question(READER.order_by(_readers.c.label, _readers.c.reader_id).limit(bindparam("most")))
_BY_ID = Question(READER.where(_readers.c.reader_id == bindparam("of_reader")))
_IN_USE = READER.where(_readers.c.removed_at.is_(None), _accounts.c.closed_at.is_(None)).order_by(
    _readers.c.label, _readers.c.reader_id
)
_AT_LOCATION = Question(_IN_USE.where(_readers.c.location_id == bindparam("at_location")))
_AT_NONE = Question(_IN_USE.where(_readers.c.location_id.is_(None)))
_same_place = or_(
    _stations.c.location_id == _readers.c.location_id,
    _stations.c.location_id.is_(None) & _readers.c.location_id.is_(None),
)
_NAMED = Question(
    select(_readers.c.reader_id, _evses.c.code)
    .select_from(
        _readers.join(_stations, (_stations.c.operator_id == _readers.c.operator_id) & _same_place).join(
            _evses, joined(_stations, _evses, "station_id")
        )
    )
    .where(mine(_readers), _readers.c.evse_ids.like("%" + _evses.c.evse_id + "%"))
    .order_by(_evses.c.code)
)


_LATELY = Question(
    select(*columns(_payments, "reader_id", "state", "authorised_minor", "reason"))
    .where(mine(_payments), _payments.c.created_at >= bindparam("since"), _payments.c.reader_id.is_not(None))
    .order_by(_payments.c.created_at.desc(), _payments.c.payment_id.desc())
)


def resting_readers(connection: Connection, operator_id: str, now: Instant) -> frozenset[str]:
    """The readers that have asked often lately, and nobody has paid: they are not offered for a while."""
    lately: dict[str, list[bool]] = {}
    for row in _LATELY.rows(connection, operator=operator_id, since=now - PAUSE_MS):
        told = lately.setdefault(row["reader_id"], [])
        told.append(is_unpaid(row["state"], row["authorised_minor"], row["reason"]))
    return frozenset(one for one, told in lately.items() if len(told) >= MOST_UNPAID and all(told[:MOST_UNPAID]))


_UNSHOWN = ("evse_ids", "location_id", "location_name", "currencies", "closed_at")


def readers_of(connection: Connection, operator_id: str) -> list[Row]:
    """All readers by label, those that were removed too; `evses` are the codes that each is there for, empty for all."""
    codes: dict[str, list[str]] = {}
    for row in _NAMED.rows(connection, operator=operator_id):
        codes.setdefault(row["reader_id"], []).append(row["code"])
    rows = _ALL.rows(connection, operator=operator_id, most=MOST_ROWS)
    return [_shown(row, codes.get(row["id"], [])) for row in rows]


def reader(connection: Connection, operator_id: str, reader_id: str) -> Row | None:
    """One reader, or None."""
    if _BY_ID.first(connection, operator=operator_id, of_reader=reader_id) is None:
        return None
    return next(one for one in readers_of(connection, operator_id) if one["id"] == reader_id)


def readers_at(
    connection: Connection, operator_id: str, location_id: str | None, evse_id: str, currency: str
) -> list[Row]:
    """The readers at which an EVSE can be paid for now in a currency, those that are there for it alone first."""
    asked = {"operator": operator_id}
    rows = (
        _AT_NONE.rows(connection, **asked)
        if location_id is None
        else _AT_LOCATION.rows(connection, **asked, at_location=location_id)
    )
    able = [one for one in rows if currency in one["currencies"]]
    fit = [one for one in able if not one["evse_ids"] or evse_id in one["evse_ids"]]
    labels = told_apart([(one["label"], one["reader_ref"]) for one in fit])
    named = [{**one, "label": label} for one, label in zip(fit, labels, strict=True)]
    return sorted(named, key=lambda one: not one["evse_ids"])


def _shown(row: Row, evses: list[str]) -> Row:
    return {**{name: value for name, value in row.items() if name not in _UNSHOWN}, "evses": evses}
