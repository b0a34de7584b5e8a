"""Views of settlements: what providers list, what does not agree, where collected money stands on its way to the bank."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, text

from tallywatt.adapters.storage.sums import standing
from tallywatt.adapters.storage.tables import invoicing, payments, settlements
from tallywatt.adapters.storage.views.asking import Question, Row, columns, joined, mine
from tallywatt.payments.settlement import LineKind

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.sums import Place

_lines = settlements.SETTLEMENT_LINES.table
_readings = settlements.SETTLEMENT_READINGS.table
_differences = settlements.SETTLEMENT_DIFFERENCES.table
_disputes = settlements.DISPUTES.table
_invoices = invoicing.INVOICES.table
_payments = payments.PAYMENTS.table
_provider_accounts = payments.PROVIDER_ACCOUNTS.table

DIFFERENCE: Select[Any] = (
    select(
        *columns(
            _differences, "kind", "state", "subject_ref", "payment_id", "currency", "expected_minor", "found_minor",
            "booked_minor", "suggestion", "created_at", "resolved_at", "resolved_by", "resolution", "account_id",
            id="difference_id",
        ),
        *columns(_provider_accounts, account="name"),
    )
    .select_from(_differences.join(_provider_accounts, joined(_differences, _provider_accounts, "account_id")))
    .where(mine(_differences))
)  # fmt: skip
DIFFERENCE_FILTERS: dict[str, ColumnElement[bool]] = {
    "state": _differences.c.state == bindparam("state"),
    "before": _differences.c.difference_id < bindparam("before"),
}


@lru_cache(maxsize=8)
def _listed(names: tuple[str, ...]) -> Question:
    page = DIFFERENCE.where(*(DIFFERENCE_FILTERS[name] for name in names)).order_by(_differences.c.difference_id.desc())
    return Question(page.limit(bindparam("most")))


def differences(connection: Connection, operator_id: str, most: int = 50, **filters: str | None) -> Row:
    """A page of what does not agree, newest first: `items`, and `next`, the cursor. Filters: `state`, `before`."""
    given = {name: value for name, value in filters.items() if value is not None}
    found = _listed(tuple(sorted(given))).rows(connection, operator=operator_id, most=most + 1, **given)
    return {"items": found[:most], "next": found[most - 1]["id"] if len(found) > most else None}


_DIFFERENCE = Question(DIFFERENCE.where(_differences.c.difference_id == bindparam("of_difference")))


def difference(connection: Connection, operator_id: str, difference_id: str) -> Row | None:
    """One difference, or None."""
    return _DIFFERENCE.first(connection, operator=operator_id, of_difference=difference_id)


DISPUTE: Select[Any] = (
    select(
        *columns(
            _disputes, "dispute_ref", "state", "payment_id", "amount_minor", "currency", "withdrawn_minor", "reason", "due_at",
            "said_at", "opened_at", "decided_at", "account_id", "answer", "answer_note", "answered_by", "answered_at",
            "answer_told_at", "answer_error", id="dispute_id",
        ),
        *columns(_provider_accounts, "provider", account="name"),
        *columns(_payments, "session_id", "card_brand", "card_last4", "invoice_id"),
        *columns(_invoices, invoice="number"),
    )
    .select_from(
        _disputes.join(_provider_accounts, joined(_disputes, _provider_accounts, "account_id"))
        .join(_payments, joined(_disputes, _payments, "payment_id"))
        .outerjoin(_invoices, joined(_payments, _invoices, "invoice_id"))
    )
    .where(mine(_disputes))
)  # fmt: skip
_DISPUTES = Question(DISPUTE.order_by(_disputes.c.dispute_id.desc()).limit(bindparam("most")))
_DISPUTES_BEFORE = Question(
    DISPUTE.where(_disputes.c.dispute_id < bindparam("before"))
    .order_by(_disputes.c.dispute_id.desc())
    .limit(bindparam("most"))
)
_DISPUTE = Question(DISPUTE.where(_disputes.c.dispute_id == bindparam("of_dispute")))


def disputes(connection: Connection, operator_id: str, most: int = 50, before: str | None = None) -> Row:
    """A page of disputes, newest first: `items`, and `next`, the cursor."""
    if before is None:
        found = _DISPUTES.rows(connection, operator=operator_id, most=most + 1)
    else:
        found = _DISPUTES_BEFORE.rows(connection, operator=operator_id, most=most + 1, before=before)
    return {"items": found[:most], "next": found[most - 1]["id"] if len(found) > most else None}


_DISPUTES_DUE = Question(
    DISPUTE.where(text("disputes.state IN ('warning', 'open')"), _disputes.c.answer.is_(None))
    # Those without a day come last: nobody has said until when.
    .order_by(_disputes.c.due_at.is_(None), _disputes.c.due_at, _disputes.c.dispute_id)
    .limit(bindparam("most"))
)


def disputes_due(connection: Connection, operator_id: str, most: int = 200) -> list[Row]:
    """Disputes that wait for an answer of the operator, the one that is due soonest first."""
    return _DISPUTES_DUE.rows(connection, operator=operator_id, most=most)


def dispute(connection: Connection, operator_id: str, dispute_id: str) -> Row | None:
    """One dispute, or None."""
    return _DISPUTE.first(connection, operator=operator_id, of_dispute=dispute_id)


LINE: Select[Any] = (
    select(
        *columns(
            _lines, "line_ref", "kind", "state", "payment_id", "source_ref", "amount_minor", "fee_minor", "currency",
            "source_minor", "source_currency", "exchange_rate", "payout_ref", "said_at", "received_at", "revision",
            "account_id",
        ),
        *columns(_provider_accounts, account="name"),
    )
    .select_from(_lines.join(_provider_accounts, joined(_lines, _provider_accounts, "account_id")))
    .where(mine(_lines))
)  # fmt: skip
_newest = (_lines.c.said_at.desc(), _lines.c.line_ref.desc())
_LINES = Question(LINE.order_by(*_newest).limit(bindparam("most")))
_OF_PAYMENT = Question(LINE.where(_lines.c.payment_id == bindparam("of_payment")).order_by(*_newest))
_OF_PAYOUT = Question(
    LINE.where(_lines.c.account_id == bindparam("account"), _lines.c.payout_ref == bindparam("of_payout"))
    .order_by(*_newest)
    .limit(bindparam("most"))
)


def settlement_lines(
    connection: Connection,
    operator_id: str,
    most: int = 50,
    *,
    payment_id: str | None = None,
    payout: tuple[str, str] | None = None,
) -> list[Row]:
    """What providers list, newest first: of all, about a payment, or of a payout (its account's id and its reference)."""
    if payment_id is not None:
        return _OF_PAYMENT.rows(connection, operator=operator_id, of_payment=payment_id)
    if payout is not None:
        account, ref = payout
        return _OF_PAYOUT.rows(connection, operator=operator_id, account=account, of_payout=ref, most=most)
    return _LINES.rows(connection, operator=operator_id, most=most)


_PAYOUTS = Question(
    LINE.where(_lines.c.kind == LineKind.PAYOUT.value, _lines.c.account_id == bindparam("account"))
    .order_by(*_newest)
    .limit(bindparam("most"))
)
_READINGS = Question(
    select(
        *columns(_provider_accounts, "name", "provider", "live", id="account_id"),
        *columns(_readings, "read_at", "until_at", "error"),
    )
    .select_from(_provider_accounts.outerjoin(_readings, joined(_provider_accounts, _readings, "account_id")))
    .where(mine(_provider_accounts), _provider_accounts.c.closed_at.is_(None))
    .order_by(_provider_accounts.c.account_id)
)


PLACES = ("clearing", "transit", "fees", "suspense", "differences")
SIDES = {"transfers.debits": 1, "transfers.credits": -1}


def settled_accounts(connection: Connection, operator_id: str) -> list[Row]:
    """Each provider account with when it was read, where its money stands by `currency`, and its last payouts."""
    rows = _READINGS.rows(connection, operator=operator_id)
    sums = standing(connection, operator_id)
    for row in rows:
        row["stands"] = _stands(sums, row["id"])
        row["payouts"] = _PAYOUTS.rows(connection, operator=operator_id, account=row["id"], most=6)
    return rows


def _stands(sums: dict[Place, int], account_id: str) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (figure, part, code), minor in sums.items():
        kind, _, own = part.partition("/")
        if figure in SIDES and own == account_id and kind in PLACES:
            found.setdefault(code, dict.fromkeys(PLACES, 0))[kind] += SIDES[figure] * minor
    return dict(sorted(found.items()))
