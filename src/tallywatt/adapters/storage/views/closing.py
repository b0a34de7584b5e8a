"""The view behind the close of a day: what is open up to its end, by its own rows and not by a difference."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, exists, func, select

from tallywatt.adapters.storage.tables import invoicing, machinery, metering, payments, settlements
from tallywatt.adapters.storage.views.asking import Question, mine
from tallywatt.adapters.storage.views.equations import ledger_balanced, overview
from tallywatt.kernel.errors import BadInput
from tallywatt.kernel.identity import RANDOM_BYTES, uuid7
from tallywatt.reporting.day_close import DayClose, OpenItem, Series
from tallywatt.reporting.equations import day_period

if TYPE_CHECKING:
    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.kernel.clock import Instant

_sessions = metering.SESSIONS.table
_inbox = metering.INBOX.table
_jobs = machinery.JOBS.table
_payments = payments.PAYMENTS.table
_operations = payments.OPERATIONS.table
_lines = settlements.SETTLEMENT_LINES.table
_differences = settlements.SETTLEMENT_DIFFERENCES.table
_disputes = settlements.DISPUTES.table
_invoices = invoicing.INVOICES.table
_series = invoicing.NUMBER_SERIES.table
_skipped = invoicing.SKIPPED_NUMBERS.table

UNRESOLVED = ("intended", "unknown", "pending")

_before: Any = bindparam("behind")
_SESSIONS = Question(
    select(_sessions.c.state, func.count().label("count"))
    .where(mine(_sessions), _sessions.c.state.in_(("held", "ended")), _sessions.c.booked_at < _before)
    .group_by(_sessions.c.state)
)
_HOLDS = Question(
    select(
        _payments.c.currency,
        func.count().label("count"),
        func.sum(_payments.c.authorised_minor - _payments.c.captured_minor).label("minor"),
    )
    .where(mine(_payments), _payments.c.state == "authorised", _payments.c.created_at < _before)
    .group_by(_payments.c.currency)
)
# Of the day alone: what was captured long ago and is still not listed has become a difference.
_UNSETTLED = Question(
    select(_payments.c.currency, func.count().label("count"), func.sum(_payments.c.captured_minor).label("minor"))
    .where(
        mine(_payments),
        _payments.c.created_at >= bindparam("first"),
        _payments.c.created_at < _before,
        _payments.c.captured_minor > 0,
        ~exists().where(
            _lines.c.operator_id == _payments.c.operator_id,
            _lines.c.payment_id == _payments.c.payment_id,
            _lines.c.kind == "charge",
        ),
    )
    .group_by(_payments.c.currency)
)
_DIFFERENCES = Question(
    select(
        _differences.c.currency,
        func.count().label("count"),
        func.sum(_differences.c.found_minor - _differences.c.expected_minor - _differences.c.booked_minor).label(
            "minor"
        ),
    )
    .where(mine(_differences), _differences.c.state == "open")
    .group_by(_differences.c.currency)
)
_DISPUTED = Question(
    select(_disputes.c.currency, func.count().label("count"), func.sum(_disputes.c.withdrawn_minor).label("minor"))
    .where(mine(_disputes), _disputes.c.state.in_(("warning", "open", "answered")))
    .group_by(_disputes.c.currency)
)
_ON_THEIR_WAY = Question(
    select(func.count().label("count")).where(
        mine(_operations), _operations.c.state.in_(UNRESOLVED), _operations.c.operation_id < bindparam("made_before")
    )
)
# What is about a session of a later day is no matter of this one; what is about none may be.
_INBOX = Question(
    select(func.count().label("count")).where(
        mine(_inbox),
        _inbox.c.state == "open",
        ~exists().where(
            _sessions.c.operator_id == _inbox.c.operator_id,
            _sessions.c.session_id == _inbox.c.session_id,
            _sessions.c.booked_at >= _before,
        ),
    )
)
_FAILED = Question(select(func.count().label("count")).where(mine(_jobs), _jobs.c.state == "failed"))
_NUMBERS = Question(
    select(
        _series.c.series,
        _series.c.year,
        (_series.c.next_number - 1).label("last"),
        select(func.count())
        .select_from(_invoices)
        .where(
            _invoices.c.operator_id == _series.c.operator_id,
            _invoices.c.series == _series.c.series,
            _invoices.c.year == _series.c.year,
        )
        .scalar_subquery()
        .label("papers"),
        select(func.sum(_skipped.c.last - _skipped.c.first + 1))
        .where(
            _skipped.c.operator_id == _series.c.operator_id,
            _skipped.c.series == _series.c.series,
            _skipped.c.year == _series.c.year,
        )
        .scalar_subquery()
        .label("skipped"),
        select(func.count())
        .select_from(_invoices)
        .where(
            _invoices.c.operator_id == _series.c.operator_id,
            _invoices.c.series == _series.c.series,
            _invoices.c.year == _series.c.year,
            _invoices.c.issue_date == bindparam("day"),
        )
        .scalar_subquery()
        .label("of_day"),
    )
    .where(mine(_series))
    .order_by(_series.c.series, _series.c.year)
)


def day_close(connection: Connection, operator_id: str, day: str, zone: str, now: Instant) -> DayClose:
    """How a day of the operator's zone stands. `now` (machine time): an operation of this minute is still on its way."""
    period = day_period(_day(day), zone)
    place: dict[str, Any] = {"operator": operator_id, "behind": period.end}
    sessions = {row["state"]: row["count"] for row in _SESSIONS.rows(connection, **place)}

    def one(question: Question, **more: Any) -> int:
        return int((question.first(connection, operator=operator_id, **more) or {"count": 0})["count"])

    def summed(code: str, question: Question, *, blocks: bool = True, **more: Any) -> OpenItem:
        rows = question.rows(connection, operator=operator_id, **more)
        sums = tuple((row["currency"], row["minor"]) for row in rows)
        return OpenItem(code, sum(row["count"] for row in rows), sums, blocks)

    made_before = uuid7(now, bytes(RANDOM_BYTES))
    figures = overview(connection, operator_id, day)
    owed = tuple((code, sums["owed_minor"]) for code, sums in figures["money"].items() if sums["owed_minor"])
    items = (
        summed("unmatched", _DIFFERENCES),
        OpenItem("held", sessions.get("held", 0)),
        OpenItem("unfinished", sessions.get("ended", 0), blocks=False),
        OpenItem("on_their_way", one(_ON_THEIR_WAY, made_before=made_before)),
        summed("disputed", _DISPUTED, blocks=False),
        summed("holds", _HOLDS, blocks=False, behind=period.end),
        summed("unsettled", _UNSETTLED, blocks=False, first=period.start, behind=period.end),
        OpenItem("owed", len(owed), owed, blocks=False),
        OpenItem("inbox", one(_INBOX, behind=period.end)),
        OpenItem("jobs_failed", one(_FAILED)),
    )
    series = tuple(
        Series(
            row["series"],
            row["year"],
            row["last"],
            row["last"] - row["papers"] - (row["skipped"] or 0),
            row["of_day"],
        )
        for row in _NUMBERS.rows(connection, operator=operator_id, day=day)
    )
    revenue = tuple(figures["revenue"]["by_currency"].items())
    return DayClose(day, revenue, items, series, ledger_balanced(connection, operator_id))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        msg = f"{text!r} is no day"
        raise BadInput(msg, code="request.bad_day", remedy="write it like 2026-11-21") from error
