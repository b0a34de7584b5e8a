"""Views of operators, customers, tokens, and of who may do what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from tallywatt.adapters.storage.tables import customers
from tallywatt.adapters.storage.views.asking import MOST_ROWS, Question, Row, columns, joined, mine
from tallywatt.customers.customer import fold

if TYPE_CHECKING:
    from sqlalchemy import Select

    from tallywatt.adapters.storage.connections import Connection

_operators = customers.OPERATORS.table
_customers = customers.CUSTOMERS.table
_details = customers.CUSTOMER_DETAILS.table
_tokens = customers.TOKENS.table
_keys = customers.API_KEYS.table
_consoles = customers.CONSOLE_SESSIONS.table
_memberships = customers.MEMBERSHIPS.table
_actions = customers.ACTIONS.table

_OPERATOR: Select[Any] = select(
    *columns(
        _operators, "slug", "name", "country", "party_code", "zone", "currency", "address", "tax_id", "policy_version_id",
        "hold_minor", "start_deadline_seconds", "lost_stop_after_seconds", "approval_hours", "pay_to",
        "created_at",
        id="operator_id",
        clock_trusted_from="clock_floor",
    )
)  # fmt: skip
_OPERATORS = Question(_OPERATOR.order_by(_operators.c.slug))
_BY_SLUG = Question(_OPERATOR.where(_operators.c.slug == bindparam("of_slug")))
_BY_ID = Question(_OPERATOR.add_columns(_operators.c.version).where(mine(_operators)))

CUSTOMER: Select[Any] = (
    select(
        *columns(_customers, "reference", "language", "created_at", id="customer_id"),
        *columns(_details, "name", "email", "address"),
    )
    .select_from(_customers.outerjoin(_details, joined(_customers, _details, "customer_id")))
    .where(mine(_customers))
)
_CUSTOMERS = Question(
    CUSTOMER.where(_customers.c.reference > bindparam("after"))
    .order_by(_customers.c.reference)
    .limit(bindparam("most"))
)
_CUSTOMER_BY_REFERENCE = Question(
    CUSTOMER.add_columns(_customers.c.version).where(_customers.c.reference == bindparam("of_reference"))
)

TOKEN: Select[Any] = (
    select(
        *columns(
            _tokens,
            "uid",
            "type",
            "state",
            "customer_id",
            "payment_id",
            "created_at",
            "valid_until",
            "group_uid",
            id="token_id",
        ),
        _customers.c.reference.label("customer"),
    )
    .select_from(_tokens.outerjoin(_customers, joined(_tokens, _customers, "customer_id")))
    .where(mine(_tokens))
)
_TOKENS = Question(
    TOKEN.where(_tokens.c.token_id > bindparam("after")).order_by(_tokens.c.token_id).limit(bindparam("most"))
)
_TOKEN_BY_ID = Question(TOKEN.add_columns(_tokens.c.version).where(_tokens.c.token_id == bindparam("of_token")))
_TOKENS_OF = Question(TOKEN.where(_tokens.c.customer_id == bindparam("of_customer")).order_by(_tokens.c.token_id))
_TOKENS_BY_UID = Question(TOKEN.where(_tokens.c.uid_folded == bindparam("folded")).order_by(_tokens.c.type))

KEY: Select[Any] = select(
    *columns(
        _keys, "name", "prefix", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at", "rotated_at",
        "old_valid_until", id="api_key_id",
    )
).where(mine(_keys))  # fmt: skip
_KEYS = Question(KEY.order_by(_keys.c.api_key_id))
_KEY_BY_PREFIX = Question(
    select(
        *columns(
            _keys,
            "operator_id",
            "name",
            "secret_hash",
            "scopes",
            id="api_key_id",
            expires="expires_at",
            revoked="revoked_at",
            old_hash="old_secret_hash",
            old_until_ms="old_valid_until",
            used="last_used_at",
        )
    ).where(_keys.c.prefix == bindparam("of_prefix"))
)
_CONSOLE_BY_HASH = Question(
    select(
        *columns(
            _consoles, "operator_id", "membership_id", "person_id", id="console_session_id", expires="expires_at",
            revoked="revoked_at", seen="seen_at",
        ),
        *columns(_memberships, "role", "customer_ids", left="ended_at"),
    )
    .select_from(_consoles.outerjoin(_memberships, joined(_consoles, _memberships, "membership_id")))
    .where(_consoles.c.secret_hash == bindparam("hashed"))
)  # fmt: skip
ACTION: Select[Any] = select(
    *columns(
        _actions, "caller_kind", "caller_id", "action", "subject_kind", "subject_id", "before", "after", "recorded_at",
        "booked_at", id="action_id",
    )
).where(mine(_actions))  # fmt: skip
_ACTIONS = Question(
    ACTION.order_by(_actions.c.recorded_at.desc(), _actions.c.action_id.desc()).limit(bindparam("most"))
)


def operators(connection: Connection) -> list[Row]:
    """All operators of the installation, by slug."""
    return _OPERATORS.rows(connection)


def operator_by_slug(connection: Connection, slug: str) -> Row | None:
    """The operator of a slug, or None."""
    return _BY_SLUG.first(connection, of_slug=slug)


def operator_by_id(connection: Connection, operator_id: str, *, versioned: bool = False) -> Row | None:
    """The operator of an id, or None; with its row's `version` if asked for."""
    return _perhaps_versioned(_BY_ID.first(connection, operator=operator_id), versioned=versioned)


def _perhaps_versioned(found: Row | None, *, versioned: bool) -> Row | None:
    if found is not None and not versioned:
        del found["version"]
    return found


def customers_of(connection: Connection, operator_id: str, after: str = "", most: int = MOST_ROWS) -> list[Row]:
    """Customers by reference, behind `after`."""
    return _CUSTOMERS.rows(connection, operator=operator_id, after=after, most=most)


def customer(connection: Connection, operator_id: str, reference: str, *, versioned: bool = False) -> Row | None:
    """A customer by reference, with its tokens; with its row's `version` if asked for."""
    row = _CUSTOMER_BY_REFERENCE.first(connection, operator=operator_id, of_reference=reference)
    found = _perhaps_versioned(row, versioned=versioned)
    if found is None:
        return None
    return {**found, "tokens": _TOKENS_OF.rows(connection, operator=operator_id, of_customer=found["id"])}


def token(connection: Connection, operator_id: str, token_id: str) -> Row | None:
    """One token with its row's `version`, or None."""
    return _TOKEN_BY_ID.first(connection, operator=operator_id, of_token=token_id)


def tokens(connection: Connection, operator_id: str, after: str = "", most: int = MOST_ROWS) -> list[Row]:
    """Tokens in order of their id, behind `after`."""
    return _TOKENS.rows(connection, operator=operator_id, after=after, most=most)


def tokens_by_uid(connection: Connection, operator_id: str, uid: str) -> list[Row]:
    """Tokens of a uid in whatever case, one a type."""
    return _TOKENS_BY_UID.rows(connection, operator=operator_id, folded=fold(uid))


def api_keys(connection: Connection, operator_id: str) -> list[Row]:
    """API keys by name and prefix; never what opens a door."""
    return _KEYS.rows(connection, operator=operator_id)


def api_key_by_prefix(connection: Connection, prefix: str) -> Row | None:
    """The key of a prefix with its hashes, for the one place that lets callers in. Its times are instants."""
    return _KEY_BY_PREFIX.first(connection, of_prefix=prefix)


def console_session_by_hash(connection: Connection, hashed: str) -> Row | None:
    """A person's session on the console by its secret's hash. `expires` and `revoked` are instants."""
    return _CONSOLE_BY_HASH.first(connection, hashed=hashed)


def actions(connection: Connection, operator_id: str, most: int = 100) -> list[Row]:
    """What people and keys did, newest first."""
    return _ACTIONS.rows(connection, operator=operator_id, most=most)
