"""Views of payments with their operations and allocations, of invoices, and of accounts at providers."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, func, literal_column, select

from tallywatt.adapters.storage.tables import customers, invoicing, metering, own_books, payments, readers
from tallywatt.adapters.storage.views.asking import Question, Row, columns, joined, mine
from tallywatt.payments.own_books import INVOICE as ON_TERMS

if TYPE_CHECKING:
    from sqlalchemy import BindParameter, ColumnElement, ScalarSelect, Select

    from tallywatt.adapters.storage.connections import Connection

_payments = payments.PAYMENTS.table
_operations = payments.OPERATIONS.table
_allocations = payments.ALLOCATIONS.table
_holds = own_books.CUSTOMER_HOLDS.table
_open = _holds.c.taken_minor - _holds.c.returned_minor - _holds.c.settled_minor
_on_terms = _holds.c.provider == literal_column(f"'{ON_TERMS}'")
_provider_accounts = payments.PROVIDER_ACCOUNTS.table
_health = payments.PROVIDER_HEALTH.table
_methods = payments.PAYMENT_METHODS.table
_webhooks = payments.WEBHOOK_EVENTS.table
_invoices = invoicing.INVOICES.table
_printed = invoicing.PRINTED_INVOICES.table
_customers = customers.CUSTOMERS.table
_readers = readers.READERS.table
_operators = customers.OPERATORS.table
_sessions = metering.SESSIONS.table


def received_for_invoice(operator: ColumnElement[str], invoice_id: ColumnElement[Any]) -> ColumnElement[Any]:
    """What was collected for an invoice and not given back, less what was bought on invoice and is still to be paid."""
    of_invoice = (
        _allocations.c.operator_id == operator,
        _allocations.c.target == "invoice",
        _allocations.c.target_id == invoice_id,
    )
    collected = select(func.sum(_allocations.c.amount_minor)).where(*of_invoice).scalar_subquery()
    # Two deep: by itself it would see only the holds around it, and ask for the invoices of all rows.
    paying = select(_allocations.c.payment_id).where(*of_invoice).correlate_except(_allocations)
    still_open = (
        select(func.sum(_open))
        .where(_holds.c.operator_id == operator, _holds.c.payment_id.in_(paying), _on_terms)
        .scalar_subquery()
    )
    nothing: ColumnElement[Any] = literal_column("0")
    return func.coalesce(collected, nothing) - func.coalesce(still_open, nothing)


_notes = _invoices.alias("notes")


def credited_of_invoice(
    operator: ColumnElement[str], session_id: ColumnElement[Any], invoice_id: ColumnElement[Any]
) -> ScalarSelect[Any]:
    """The sum of what credit notes have taken back of an invoice."""
    return (
        select(func.sum(_notes.c.gross_minor))
        .where(
            _notes.c.operator_id == operator,
            _notes.c.session_id == session_id,
            _notes.c.corrects_invoice_id == invoice_id,
        )
        .scalar_subquery()
    )


PAYMENT: Select[Any] = (
    select(
        *columns(
            _payments, "kind", "state", "session_id", "invoice_id", "customer_id", "evse_id", "offer_id", "currency",
            "amount_minor", "due_minor", "authorised_minor", "captured_minor", "refunded_minor", "suspense_minor",
            "reference", "provider_ref", "page_ref", "hosted_page_url", "hold_expires_at", "card_brand", "card_last4",
            "reason", "created_at", "account_id", id="payment_id",
        ),
        *columns(_provider_accounts, account="name", provider="provider"),
        *columns(_invoices, invoice="number"),
        *columns(_customers, customer="reference"),
        *columns(_holds, "due_on"),
        case((_holds.c.due_on.is_not(None), _open)).label("open_minor"),
        *columns(_readers, reader="label"),
    )
    .select_from(
        _payments.join(_provider_accounts, joined(_payments, _provider_accounts, "account_id"))
        .outerjoin(_holds, joined(_payments, _holds, "payment_id"))
        .outerjoin(_invoices, joined(_payments, _invoices, "invoice_id"))
        .outerjoin(_customers, joined(_payments, _customers, "customer_id"))
        .outerjoin(_readers, joined(_payments, _readers, "reader_id"))
    )
    .where(mine(_payments))
)  # fmt: skip

_named = _customers.alias("named")
PAYMENT_FILTERS: dict[str, ColumnElement[bool]] = {
    "state": _payments.c.state == bindparam("state"),
    "kind": _payments.c.kind == bindparam("kind"),
    "customer": _payments.c.customer_id
    == select(_named.c.customer_id)
    .where(_named.c.operator_id == bindparam("operator"), _named.c.reference == bindparam("customer"))
    .scalar_subquery(),
    "before": _payments.c.payment_id < bindparam("before"),
}


@lru_cache(maxsize=64)
def _listed_payments(names: tuple[str, ...]) -> Question:
    page = PAYMENT.where(*(PAYMENT_FILTERS[name] for name in names)).order_by(_payments.c.payment_id.desc())
    return Question(page.limit(bindparam("most")))


def payments_of(connection: Connection, operator_id: str, most: int = 50, **filters: str | None) -> Row:
    """A page of payments, newest first: `items` with their `operations` and `allocations`, and `next`, the cursor."""
    given = {name: value for name, value in filters.items() if value is not None}
    question = _listed_payments(tuple(sorted(given)))
    found = question.rows(connection, operator=operator_id, most=most + 1, **given)
    items = [with_parts(connection, operator_id, row) for row in found[:most]]
    return {"items": items, "next": items[-1]["id"] if len(found) > most else None}


_of: BindParameter[Any] = bindparam("of_payment")
_PAYMENT = Question(PAYMENT.where(_payments.c.payment_id == _of))
_PAYMENTS_OF_SESSION = Question(
    PAYMENT.where(
        (_payments.c.session_id == bindparam("of_session")) | (_payments.c.payment_id == bindparam("of_payment"))
    ).order_by(_payments.c.payment_id)
)
_OPERATIONS = Question(
    select(
        *columns(
            _operations, "kind", "state", "amount_minor", "currency", "attempts", "provider_ref", "code", "advice", "error",
            "created_at", "first_sent_at", "last_sent_at", "resolved_at", id="operation_id",
        )
    )
    .where(mine(_operations), _operations.c.payment_id == _of)
    .order_by(_operations.c.operation_id)
)  # fmt: skip
_ALLOCATIONS = Question(
    select(
        *columns(
            _allocations,
            "target",
            "target_id",
            "amount_minor",
            "currency",
            "operation_id",
            "created_at",
            id="allocation_id",
        )
    )
    .where(mine(_allocations), _allocations.c.payment_id == _of)
    .order_by(_allocations.c.created_at, _allocations.c.allocation_id)
)
_BY_SECRET = Question(
    select(*columns(_payments, "operator_id", "payment_id", "purpose")).where(
        mine(_payments), _payments.c.driver_secret == bindparam("secret")
    )
)
_OPERATOR_IDS = Question(select(_operators.c.operator_id).order_by(_operators.c.operator_id))
_SECRET_OF_SESSION = Question(
    select(*columns(_sessions, "driver_secret")).where(
        mine(_sessions), _sessions.c.session_id == bindparam("of_session")
    )
)


def payment(connection: Connection, operator_id: str, payment_id: str) -> Row | None:
    """One payment with its `operations` and `allocations`, or None."""
    found = _PAYMENT.first(connection, operator=operator_id, of_payment=payment_id)
    return None if found is None else with_parts(connection, operator_id, found)


def payments_of_session(
    connection: Connection, operator_id: str, session_id: str, payment_id: str | None = None
) -> list[Row]:
    """The payments that collect for a session, oldest first."""
    values = {"operator": operator_id, "of_session": session_id, "of_payment": payment_id or ""}
    return [with_parts(connection, operator_id, row) for row in _PAYMENTS_OF_SESSION.rows(connection, **values)]


def payment_by_secret(connection: Connection, operator_id: str | None, secret: str) -> Row | None:
    """The payment behind a driver's link, its `operator_id` and `purpose`, the `session_secret` once it has a session."""
    for one in [operator_id] if operator_id else [row["operator_id"] for row in _OPERATOR_IDS.rows(connection)]:
        found = _BY_SECRET.first(connection, operator=one, secret=secret)
        if found is None:
            continue
        shown = payment(connection, found["operator_id"], found["payment_id"])
        assert shown is not None, "it was just found"
        session = _SECRET_OF_SESSION.first(connection, operator=found["operator_id"], of_session=shown["session_id"])
        return {
            **shown,
            "operator_id": found["operator_id"],
            "purpose": found["purpose"],
            "session_secret": session["driver_secret"] if session else None,
        }
    return None


def with_parts(connection: Connection, operator_id: str, row: Row) -> Row:
    """A payment with its `operations` and `allocations`."""
    place = {"operator": operator_id, "of_payment": row["id"]}
    row["operations"] = _OPERATIONS.rows(connection, **place)
    row["allocations"] = _ALLOCATIONS.rows(connection, **place)
    return row


INVOICE: Select[Any] = (
    select(
        *columns(
            _invoices, "number", "series", "year", "sequence", "kind", "session_id", "rated_id", "payer", "payer_id",
            "issue_date", "issued_at", "currency", "net_minor", "tax_minor", "gross_minor", "corrects_invoice_id",
            id="invoice_id",
        ),
        *columns(_customers, customer="reference"),
        received_for_invoice(_invoices.c.operator_id, _invoices.c.invoice_id).label("captured_minor"),
        credited_of_invoice(_invoices.c.operator_id, _invoices.c.session_id, _invoices.c.invoice_id).label(
            "credited_minor"
        ),
    )
    .select_from(
        _invoices.outerjoin(
            _customers,
            (_invoices.c.operator_id == _customers.c.operator_id) & (_invoices.c.payer_id == _customers.c.customer_id),
        )
    )
    .where(mine(_invoices))
)  # fmt: skip
_INVOICES = Question(INVOICE.order_by(_invoices.c.invoice_id.desc()).limit(bindparam("most")))
_INVOICES_BEFORE = Question(
    INVOICE.where(_invoices.c.invoice_id < bindparam("before"))
    .order_by(_invoices.c.invoice_id.desc())
    .limit(bindparam("most"))
)
_INVOICE = Question(
    INVOICE.where((_invoices.c.invoice_id == bindparam("wanted")) | (_invoices.c.number == bindparam("wanted_number")))
)
_PRINTED = Question(
    select(*columns(_printed, "media_type", "sha256", "printed_at"))
    .where(mine(_printed), _printed.c.invoice_id == bindparam("of_invoice"))
    .order_by(_printed.c.media_type)
)
_CONTENT = Question(
    select(*columns(_printed, "content", "sha256", "printed_at")).where(
        mine(_printed), _printed.c.invoice_id == bindparam("of_invoice"), _printed.c.media_type == bindparam("of_type")
    )
)


def invoices(connection: Connection, operator_id: str, most: int = 50, before: str | None = None) -> Row:
    """A page of invoices, newest first: `items`, each with `captured_minor` and `owed_minor`, and `next`, the cursor."""
    if before is None:
        found = _INVOICES.rows(connection, operator=operator_id, most=most + 1)
    else:
        found = _INVOICES_BEFORE.rows(connection, operator=operator_id, most=most + 1, before=before)
    items = [with_owed(row) for row in found[:most]]
    return {"items": items, "next": items[-1]["id"] if len(found) > most else None}


def invoice(connection: Connection, operator_id: str, number_or_id: str) -> Row | None:
    """One invoice by its number or id, with what was `printed` of it, or None."""
    found = _INVOICE.first(connection, operator=operator_id, wanted=number_or_id, wanted_number=number_or_id)
    if found is None:
        return None
    return {**with_owed(found), "printed": _PRINTED.rows(connection, operator=operator_id, of_invoice=found["id"])}


def printed_invoice(
    connection: Connection, operator_id: str, invoice_id: str, media_type: str = "application/pdf"
) -> Row | None:
    """The bytes of an invoice as it was printed (`content`), or None while it is not printed yet."""
    found = _CONTENT.first(connection, operator=operator_id, of_invoice=invoice_id, of_type=media_type)
    return None if found is None else {**found, "content": bytes(found["content"])}


def with_owed(row: Row) -> Row:
    """An invoice with what was captured for it, and what is owed."""
    asked = row["gross_minor"] - (row.pop("credited_minor") or 0) if row["kind"] == "invoice" else 0
    row.pop("credited_minor", None)
    row["owed_minor"] = asked - row["captured_minor"]
    return row


_ACCOUNTS = Question(
    select(
        *columns(
            _provider_accounts, "name", "provider", "live", "base_url", "currencies", "secret_reference",
            "webhook_secret_references", "is_default", "created_at", "closed_at", "merchant", "rank", "fee_minor",
            "fee_basis_points", "least_minor", "low_minor", "report_user", "report_secret_reference", "several_captures",
            id="account_id",
        ),
        func.coalesce(_health.c.state, "closed").label("health"),
    )
    .select_from(_provider_accounts.outerjoin(_health, joined(_provider_accounts, _health, "account_id")))
    .where(mine(_provider_accounts))
    .order_by(_provider_accounts.c.rank, _provider_accounts.c.name)
)  # fmt: skip
_METHODS = Question(
    select(*columns(_methods, "customer_id", "account_id", "brand", "last4", "state", "created_at", id="method_id"))
    .where(mine(_methods), _methods.c.customer_id == bindparam("of_customer"))
    .order_by(_methods.c.method_id)
)
_WEBHOOKS = Question(
    select(*columns(_webhooks, "account_id", "event_id", "type", "payment_id", "state", "said_at", "received_at"))
    .where(mine(_webhooks))
    .order_by(_webhooks.c.received_at.desc(), _webhooks.c.event_id)
    .limit(bindparam("most"))
)


def provider_accounts(connection: Connection, operator_id: str) -> list[Row]:
    """Accounts at payment providers, with references to their secrets and never the secrets."""
    return _ACCOUNTS.rows(connection, operator=operator_id)


def payment_methods(connection: Connection, operator_id: str, customer_id: str) -> list[Row]:
    """What a customer has stored with providers, as a receipt shows it."""
    return _METHODS.rows(connection, operator=operator_id, of_customer=customer_id)


def webhook_events(connection: Connection, operator_id: str, most: int = 100) -> list[Row]:
    """What providers told us by themselves, newest first, without the bodies."""
    return _WEBHOOKS.rows(connection, operator=operator_id, most=most)
