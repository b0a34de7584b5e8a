"""The view behind the page of two equations: delivered = billed + explained, billed = captured - refunded + owed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, func, select

from tallywatt.adapters.storage.tables import (
    customers,
    invoicing,
    ledger,
    machinery,
    metering,
    payments,
    rating,
    stations,
)
from tallywatt.adapters.storage.views.asking import Question, Row, mine
from tallywatt.kernel.errors import NotFound
from tallywatt.reporting.equations import EnergyFigures, MoneyFigures, day_period

if TYPE_CHECKING:
    from datetime import date

    from tallywatt.adapters.storage.connections import Connection

_operators = customers.OPERATORS.table
_sessions = metering.SESSIONS.table
_explanations = metering.EXPLANATIONS.table
_inbox = metering.INBOX.table
_results = rating.RATED_RESULTS.table
_invoices = invoicing.INVOICES.table
_payments = payments.PAYMENTS.table
_allocations = payments.ALLOCATIONS.table
_jobs = machinery.JOBS.table
_stations = stations.STATIONS.table
_connectors = stations.CONNECTORS.table
_entries = ledger.ENTRIES.table
_transfers = ledger.TRANSFERS.table
_accounts = ledger.ACCOUNTS.table

RUNNING = ("active", "ended")
"""States in which energy is delivered and neither billed nor explained yet."""

_signed = case((_invoices.c.kind == "credit_note", -1), else_=1)

_SESSIONS = Question(
    select(_sessions.c.state, func.count().label("sessions"), func.sum(_sessions.c.milliwatt_hours).label("energy"))
    .where(mine(_sessions))
    .group_by(_sessions.c.state)
)
_EXPLAINED = Question(
    select(_explanations.c.reason, func.sum(_explanations.c.milliwatt_hours).label("energy"))
    .where(mine(_explanations))
    .group_by(_explanations.c.reason)
)
_INVOICES = Question(
    select(
        _invoices.c.currency,
        func.count().label("invoices"),
        func.sum(_signed * _invoices.c.gross_minor).label("billed_minor"),
        func.sum(_signed * _invoices.c.net_minor).label("net_minor"),
        func.sum(_signed * _invoices.c.tax_minor).label("tax_minor"),
    )
    .where(mine(_invoices))
    .group_by(_invoices.c.currency)
)
_ALLOCATED = Question(
    select(_allocations.c.currency, func.sum(_allocations.c.amount_minor).label("allocated_minor"))
    .where(mine(_allocations), _allocations.c.target == "invoice")
    .group_by(_allocations.c.currency)
)
_PAYMENTS = Question(
    select(
        _payments.c.currency,
        _payments.c.state,
        func.count().label("payments"),
        func.sum(_payments.c.captured_minor).label("captured_minor"),
        func.sum(_payments.c.refunded_minor).label("refunded_minor"),
        func.sum(_payments.c.suspense_minor).label("suspense_minor"),
        func.sum(case((_payments.c.state == "authorised", _payments.c.authorised_minor), else_=0)).label("held_minor"),
    )
    .where(mine(_payments))
    .group_by(_payments.c.state, _payments.c.currency)
)
_PAYMENT_STATES = Question(
    select(_payments.c.state, func.count().label("payments")).where(mine(_payments)).group_by(_payments.c.state)
)
_SESSION_STATES = Question(
    select(_sessions.c.state, func.count().label("sessions")).where(mine(_sessions)).group_by(_sessions.c.state)
)
_INBOX = Question(select(func.count().label("open")).where(mine(_inbox), _inbox.c.state == "open"))
_FAILED = Question(select(func.count().label("failed")).where(mine(_jobs), _jobs.c.state == "failed"))
_STATIONS = Question(
    select(_stations.c.state, func.count().label("stations")).where(mine(_stations)).group_by(_stations.c.state)
)
_CONNECTORS = Question(
    select(_connectors.c.status, func.count().label("connectors"))
    .where(mine(_connectors))
    .group_by(_connectors.c.status)
)
# Revenue belongs to the day on which it was booked, also when the session is older; paper and entry are of one instant.
_REVENUE = Question(
    select(
        _invoices.c.currency,
        func.count().label("sessions"),
        func.sum(_signed * _invoices.c.gross_minor).label("gross_minor"),
        func.sum(_signed * _invoices.c.net_minor).label("net_minor"),
        func.sum(_signed * _invoices.c.tax_minor).label("tax_minor"),
    )
    .where(mine(_invoices), _invoices.c.issued_at >= bindparam("first"), _invoices.c.issued_at < bindparam("behind"))
    .group_by(_invoices.c.currency)
)
_ZONE = Question(select(_operators.c.zone, _operators.c.currency).where(mine(_operators)))


def overview(connection: Connection, operator_id: str, day: date | str | None = None) -> Row:
    """All figures of the operator. With a `day` (in the operator's zone), also the `revenue` that was booked on it.

    `energy`: delivered_wh = billed_wh + explained_wh + running_wh + unexplained_wh; `explained_by`: reason to Wh.
    `money`, by currency: billed_minor = captured_minor - refunded_minor + owed_minor, and suspense_minor, held_minor.
    """
    place = {"operator": operator_id}
    operator = _ZONE.first(connection, **place)
    if operator is None:
        msg = "there is no such operator"
        raise NotFound(msg, code="operators.not_found")
    by_state = {row["state"]: row for row in _SESSIONS.rows(connection, **place)}
    money = _money(connection, place, operator["currency"])
    return {
        "energy": _energy(connection, place, by_state),
        "money": money,
        "sessions": {state: row["sessions"] for state, row in by_state.items()},
        "invoices": sum(row["invoices"] for row in money.values()),
        "payments": payment_counts(connection, operator_id),
        "inbox_open": _one(_INBOX.first(connection, **place), "open"),
        "jobs_failed": _one(_FAILED.first(connection, **place), "failed"),
        "stations": {row["state"]: row["stations"] for row in _STATIONS.rows(connection, **place)},
        "connectors": {row["status"]: row["connectors"] for row in _CONNECTORS.rows(connection, **place)},
        "revenue": None if day is None else _revenue(connection, place, operator["zone"], day),
        "ledger_balanced": ledger_balanced(connection, operator_id),
    }


def session_counts(connection: Connection, operator_id: str) -> dict[str, int]:
    """How many sessions are in which state."""
    return {row["state"]: row["sessions"] for row in _SESSION_STATES.rows(connection, operator=operator_id)}


def payment_counts(connection: Connection, operator_id: str) -> dict[str, int]:
    """How many payments are in which state."""
    return {row["state"]: row["payments"] for row in _PAYMENT_STATES.rows(connection, operator=operator_id)}


def _one(row: Row | None, name: str) -> int:
    return int(row[name]) if row is not None and row[name] is not None else 0


def _energy(connection: Connection, place: dict[str, Any], by_state: dict[str, Row]) -> Row:
    figures = EnergyFigures(
        delivered=sum(row["energy"] for row in by_state.values()),
        billed=sum(row["energy"] for state, row in by_state.items() if state == "billed"),
        running=sum(row["energy"] for state, row in by_state.items() if state in RUNNING),
        explained_by={row["reason"]: row["energy"] for row in _EXPLAINED.rows(connection, **place)},
    )
    return figures.as_json()


def _money(connection: Connection, place: dict[str, Any], currency: str) -> dict[str, Row]:
    found: dict[str, dict[str, int]] = {currency: {}}
    for question in (_INVOICES, _PAYMENTS, _ALLOCATED):
        for row in question.rows(connection, **place):
            sums = found.setdefault(row.pop("currency"), {})
            for name, minor in row.items():
                if name in _SUMMED:
                    sums[_SUMMED[name]] = sums.get(_SUMMED[name], 0) + minor
    return {code: MoneyFigures(**sums).as_json() for code, sums in found.items()}


_SUMMED = {
    "invoices": "invoices",
    **{
        f"{name}_minor": name
        for name in ("billed", "net", "tax", "captured", "refunded", "suspense", "held", "allocated")
    },
}


def _revenue(connection: Connection, place: dict[str, Any], zone_name: str, day: date | str) -> Row:
    period = day_period(day, zone_name)
    rows = _REVENUE.rows(connection, **place, first=period.start, behind=period.end)
    return {
        "day": day if isinstance(day, str) else day.isoformat(),
        "by_currency": {row.pop("currency"): row for row in rows},
    }


_BALANCES = Question(
    select(
        _accounts.c.code,
        _accounts.c.currency,
        select(func.sum(_transfers.c.amount_minor))
        .where(
            _transfers.c.operator_id == _accounts.c.operator_id,
            _transfers.c.debit_account_id == _accounts.c.account_id,
            _transfers.c.phase.in_(("single", "post")),
        )
        .scalar_subquery()
        .label("debits_minor"),
        select(func.sum(_transfers.c.amount_minor))
        .where(
            _transfers.c.operator_id == _accounts.c.operator_id,
            _transfers.c.credit_account_id == _accounts.c.account_id,
            _transfers.c.phase.in_(("single", "post")),
        )
        .scalar_subquery()
        .label("credits_minor"),
    )
    .where(mine(_accounts))
    .order_by(_accounts.c.code, _accounts.c.currency)
)


def balances(connection: Connection, operator_id: str) -> list[Row]:
    """Every account with what was posted on either side, and its balance: debits less credits."""
    rows = _BALANCES.rows(connection, operator=operator_id)
    for row in rows:
        row["debits_minor"] = row["debits_minor"] or 0
        row["credits_minor"] = row["credits_minor"] or 0
        row["balance_minor"] = row["debits_minor"] - row["credits_minor"]
    return rows


def _side(account: str, sign: int) -> Any:
    return (
        select(_transfers.c[account].label("account"), (sign * func.sum(_transfers.c.amount_minor)).label("minor"))
        .where(mine(_transfers), _transfers.c.phase.in_(("single", "post")))
        .group_by(_transfers.c[account])
    )


_DEBITED = Question(_side("debit_account_id", 1))
_CREDITED = Question(_side("credit_account_id", -1))
_PLACES = Question(select(_accounts.c.account_id, _accounts.c.code, _accounts.c.currency).where(mine(_accounts)))


def ledger_balanced(connection: Connection, operator_id: str) -> bool:
    """Whether the books add up to nothing, and to what invoices and payments say."""
    rows = _PLACES.rows(connection, operator=operator_id)
    places = {row["account_id"]: (row["code"].partition("/")[0], row["currency"]) for row in rows}
    standing: dict[tuple[str, str], int] = {}
    for question in (_DEBITED, _CREDITED):
        for row in question.rows(connection, operator=operator_id):
            _add(standing, *places[row["account"]], row["minor"])
    expected: dict[tuple[str, str], int] = {}
    for row in _INVOICES.rows(connection, operator=operator_id):
        _add(expected, "revenue", row["currency"], -row["net_minor"])
        _add(expected, "tax", row["currency"], -row["tax_minor"])
        _add(expected, "receivable", row["currency"], row["billed_minor"])
    for row in _PAYMENTS.rows(connection, operator=operator_id):
        kept = row["captured_minor"] - row["refunded_minor"]
        _add(expected, "clearing", row["currency"], kept + row["suspense_minor"])
        _add(expected, "suspense", row["currency"], -row["suspense_minor"])
        _add(expected, "receivable", row["currency"], -kept)
    return sum(standing.values()) == 0 and all(
        standing.get(one, 0) == expected.get(one, 0) for one in {*standing, *expected}
    )


def _add(into: dict[tuple[str, str], int], kind: str, currency: str, minor: int) -> None:
    into[kind, currency] = into.get((kind, currency), 0) + minor
