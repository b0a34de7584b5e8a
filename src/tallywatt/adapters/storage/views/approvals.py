"""Views of limits and second pairs of eyes: what waits for another person, and who may give away how much alone."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, literal_column, select

from tallywatt.adapters.storage.tables import approvals, customers
from tallywatt.adapters.storage.views.asking import Question, Row, columns, mine

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select

    from tallywatt.adapters.storage.connections import Connection

_approvals = approvals.APPROVALS.table
_limits = approvals.MONEY_LIMITS.table
_customers = customers.CUSTOMERS.table
_people = customers.PEOPLE.table
_keys = customers.API_KEYS.table


def _name_of(actor: Any) -> Any:
    """The name of a person or a key; None for whoever has none."""
    person = select(_people.c.name).where(
        _people.c.operator_id == _approvals.c.operator_id,
        _people.c.person_id == func.substr(actor, literal_column("8")),
        actor.like(literal_column("'person:%'")),
    )
    key = select(_keys.c.name).where(
        _keys.c.operator_id == _approvals.c.operator_id,
        _keys.c.api_key_id == func.substr(actor, literal_column("5")),
        actor.like(literal_column("'key:%'")),
    )
    return func.coalesce(*(one.correlate(_approvals).scalar_subquery() for one in (person, key)))


APPROVAL: Select[Any] = select(
    *columns(
        _approvals, "kind", "state", "subject_id", "amount_minor", "currency", "reason", "beyond", "asked_by", "created_at",
        "expires_at", "decided_at", "decided_by", "note", "result_id", id="approval_id",
    ),
    _name_of(_approvals.c.asked_by).label("asked_by_name"),
    _name_of(_approvals.c.decided_by).label("decided_by_name"),
    select(_customers.c.reference)
    .where(_customers.c.operator_id == _approvals.c.operator_id, _customers.c.customer_id == _approvals.c.subject_id)
    .scalar_subquery()
    .label("customer"),
).where(mine(_approvals))  # fmt: skip
APPROVAL_FILTERS: dict[str, ColumnElement[bool]] = {
    "state": _approvals.c.state == bindparam("state"),
    "subject": _approvals.c.subject_id == bindparam("subject"),
    "before": _approvals.c.approval_id < bindparam("before"),
}
_APPROVAL = Question(APPROVAL.where(_approvals.c.approval_id == bindparam("of_approval")))
_LIMITS = Question(
    select(*columns(_limits, "holder", "currency", "payment_minor", "day_minor", "changed_at"))
    .where(mine(_limits))
    .order_by(_limits.c.holder, _limits.c.currency)
)


@lru_cache(maxsize=8)
def _listed(names: tuple[str, ...]) -> Question:
    page = APPROVAL.where(*(APPROVAL_FILTERS[name] for name in names)).order_by(_approvals.c.approval_id.desc())
    return Question(page.limit(bindparam("most")))


def approvals_of(connection: Connection, operator_id: str, most: int = 50, **filters: str | None) -> Row:
    """A page of requests, newest first: `items`, and `next`, the cursor. Filters: `state`, `subject`, `before`."""
    given = {name: value for name, value in filters.items() if value is not None}
    found = _listed(tuple(sorted(given))).rows(connection, operator=operator_id, most=most + 1, **given)
    return {"items": found[:most], "next": found[most - 1]["id"] if len(found) > most else None}


def approval(connection: Connection, operator_id: str, approval_id: str) -> Row | None:
    """One request, or None."""
    return _APPROVAL.first(connection, operator=operator_id, of_approval=approval_id)


def money_limits(connection: Connection, operator_id: str) -> list[Row]:
    """The limits that the operator has set."""
    return _LIMITS.rows(connection, operator=operator_id)
