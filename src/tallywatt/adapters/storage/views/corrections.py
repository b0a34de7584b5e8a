"""Views of price corrections, and of the sessions in each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select

from tallywatt.adapters.storage.tables import corrections, invoicing, payments, rating
from tallywatt.adapters.storage.views.asking import Question, Row, columns, joined, mine
from tallywatt.payments.capabilities import capabilities_of
from tallywatt.payments.limits import least_charge
from tallywatt.payments.payment import REST

if TYPE_CHECKING:
    from sqlalchemy import Select

    from tallywatt.adapters.storage.connections import Connection

_corrections = corrections.CORRECTIONS.table
_sessions = corrections.CORRECTED_SESSIONS.table
_tariffs = rating.TARIFF_VERSIONS.table
_invoices = invoicing.INVOICES.table
_new = _invoices.alias("new_invoice")
_payments = payments.PAYMENTS.table
_accounts = payments.PROVIDER_ACCOUNTS.table

CORRECTION: Select[Any] = (
    select(
        *columns(
            _corrections, "state", "reason", "tariff_version_id", "since_at", "until_at", "priced_by", "currency",
            "less_minor", "more_minor", "largest_minor", "others", "ask_above_minor", "asked_by", "decided_by",
            "created_at", "ended_at",
            id="correction_id", sessions="looked",
        ),
        *columns(_tariffs, tariff="reference"),
    )
    .select_from(_corrections.join(_tariffs, joined(_corrections, _tariffs, "tariff_version_id")))
    .where(mine(_corrections))
)  # fmt: skip
CORRECTED: Select[Any] = (
    select(
        *columns(
            _sessions,
            "session_id",
            "was_minor",
            "now_minor",
            "was_tax_minor",
            "now_tax_minor",
            "outcome",
            "credited_minor",
            "refunded_minor",
            "asked_minor",
            "waived_minor",
            "decided_by",
            "note",
        ),
        *columns(_invoices, "currency", invoice="number"),
        _new.c.number.label("new_invoice"),
    )
    .select_from(
        _sessions.join(_invoices, joined(_sessions, _invoices, "invoice_id")).outerjoin(
            _new,
            (_new.c.operator_id == _sessions.c.operator_id) & (_new.c.invoice_id == _sessions.c.new_invoice_id),
        )
    )
    .where(mine(_sessions))
)
_LISTED = Question(
    CORRECTION.where(_corrections.c.correction_id < bindparam("before"))
    .order_by(_corrections.c.correction_id.desc())
    .limit(bindparam("most"))
)
_ONE = Question(CORRECTION.where(_corrections.c.correction_id == bindparam("of_correction")))
_OF = Question(
    CORRECTED.where(
        _sessions.c.correction_id == bindparam("of_correction"), _sessions.c.session_id > bindparam("after")
    )
    .order_by(_sessions.c.session_id)
    .limit(bindparam("most"))
)
_OPEN = Question(
    select(_sessions.c.session_id.label("id"))
    .where(
        mine(_sessions),
        _sessions.c.correction_id == bindparam("of_correction"),
        _sessions.c.outcome == "open",
        _sessions.c.session_id > bindparam("after"),
    )
    .order_by(_sessions.c.session_id)
    .limit(bindparam("most"))
)
_ASKED = Question(
    select(
        *columns(_sessions, "was_minor", "now_minor", "asked_minor", "correction_id"),
        *columns(_corrections, "reason", "currency"),
    )
    .select_from(_sessions.join(_corrections, joined(_sessions, _corrections, "correction_id")))
    .where(mine(_sessions), _sessions.c.session_id == bindparam("of_session"), _sessions.c.asked_minor > 0)
    .order_by(_sessions.c.correction_id)
)
_PAID = Question(
    select(func.sum(_payments.c.captured_minor).label("minor")).where(
        mine(_payments), _payments.c.session_id == bindparam("of_session"), _payments.c.purpose == REST
    )
)
_OPEN_ACCOUNTS = Question(
    select(*columns(_accounts, "provider", "currencies")).where(mine(_accounts), _accounts.c.closed_at.is_(None))
)
LAST = "g"
"""Behind every id."""


def corrections_of(connection: Connection, operator_id: str, most: int = 50, before: str | None = None) -> Row:
    """A page of corrections, newest first: `items`, and `next`, the cursor."""
    found = _LISTED.rows(connection, operator=operator_id, most=most + 1, before=before or LAST)
    return {"items": found[:most], "next": found[most - 1]["id"] if len(found) > most else None}


def correction(connection: Connection, operator_id: str, correction_id: str) -> Row | None:
    """One correction, or None."""
    return _ONE.first(connection, operator=operator_id, of_correction=correction_id)


def corrected_sessions(
    connection: Connection, operator_id: str, correction_id: str, after: str = "", most: int = 200
) -> list[Row]:
    """Sessions of a correction that differ, behind `after`."""
    return _OF.rows(connection, operator=operator_id, of_correction=correction_id, after=after, most=most)


def open_corrected(
    connection: Connection, operator_id: str, correction_id: str, after: str = "", most: int = 200
) -> list[Row]:
    """Ids of the sessions of a correction that are still to be done, behind `after`."""
    return _OPEN.rows(connection, operator=operator_id, of_correction=correction_id, after=after, most=most)


def asked_rest(connection: Connection, operator_id: str, session_id: str) -> Row | None:
    """What was asked for besides the first price of a session: `asked_minor`, `paid_minor`, and why; or None.

    `least_minor`: the least that can be paid of it on a page; None: there is no page.
    """
    found = _ASKED.rows(connection, operator=operator_id, of_session=session_id)
    if not found:
        return None
    paid = _PAID.first(connection, operator=operator_id, of_session=session_id)
    return {
        **found[-1],
        "asked_minor": sum(one["asked_minor"] for one in found),
        "paid_minor": int(paid["minor"] or 0) if paid else 0,
        "least_minor": _least_on_page(connection, operator_id, found[-1]["currency"]),
    }


def _least_on_page(connection: Connection, operator_id: str, currency: str) -> int | None:
    able = [
        least_charge(one["provider"], currency)
        for one in _OPEN_ACCOUNTS.rows(connection, operator=operator_id)
        if currency in one["currencies"] and capabilities_of(one["provider"]).hosted_page
    ]
    return min(able, default=None)
