"""Views of people, what they are to an operator, their sessions, and who was invited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from tallywatt.adapters.storage.tables import customers
from tallywatt.adapters.storage.views.asking import MOST_ROWS, Question, Row, columns, joined, mine
from tallywatt.customers.roles import ROLES, Role

if TYPE_CHECKING:
    from sqlalchemy import Select

    from tallywatt.adapters.storage.connections import Connection

_operators = customers.OPERATORS.table
_people = customers.PEOPLE.table
_memberships = customers.MEMBERSHIPS.table
_invitations = customers.INVITATIONS.table
_links = customers.CONSOLE_LINKS.table
_consoles = customers.CONSOLE_SESSIONS.table
_customers = customers.CUSTOMERS.table
_passkeys = customers.PASSKEYS.table
_providers = customers.IDENTITY_PROVIDERS.table

_RANK = {role.value: place for place, role in enumerate(Role)}
STAFF = frozenset(role.value for role, duties in ROLES.items() if not duties.is_bound)

_MEMBER: Select[Any] = (
    select(
        *columns(_memberships, "person_id", "role", "customer_ids", "created_at", id="membership_id"),
        *columns(_people, "name", "email"),
    )
    .select_from(_memberships.join(_people, joined(_memberships, _people, "person_id")))
    .where(_memberships.c.ended_at.is_(None))
)
_MEMBERS = Question(
    _MEMBER.where(mine(_memberships), _memberships.c.membership_id > bindparam("after"))
    .order_by(_memberships.c.membership_id)
    .limit(bindparam("most"))
)
_MEMBERSHIPS_OF = Question(_MEMBER.where(mine(_memberships), _memberships.c.person_id == bindparam("of_person")))
_MEMBER_BY_ID = Question(_MEMBER.where(mine(_memberships), _memberships.c.membership_id == bindparam("of_id")))
_BY_EMAIL = Question(
    select(
        *columns(_memberships, "operator_id", "person_id", "role", id="membership_id"),
        *columns(_operators, "slug", operator="name"),
    )
    .select_from(
        _people.join(_memberships, joined(_people, _memberships, "person_id")).join(
            _operators, _operators.c.operator_id == _people.c.operator_id
        )
    )
    .where(_people.c.email_folded == bindparam("folded"), _memberships.c.ended_at.is_(None))
)
_PERSON = Question(
    select(*columns(_people, "name", "email", "created_at", id="person_id")).where(
        mine(_people), _people.c.person_id == bindparam("of_person")
    )
)
_REFERENCE = Question(
    select(*columns(_customers, "reference", id="customer_id")).where(
        mine(_customers), _customers.c.customer_id == bindparam("of_customer")
    )
)
_INVITATIONS = Question(
    select(*columns(_invitations, "email", "role", "customer_ids", "created_at", "expires_at", id="invitation_id"))
    .where(mine(_invitations), _invitations.c.accepted_at.is_(None), _invitations.c.revoked_at.is_(None))
    .order_by(_invitations.c.invitation_id.desc())
    .limit(bindparam("most"))
)
_INVITATION = Question(
    select(
        *columns(
            _invitations, "operator_id", "email", "role", id="invitation_id", expires="expires_at", accepted="accepted_at",
            revoked="revoked_at",
        ),
        *columns(_people, known_as="name"),
        *columns(_operators, operator="name"),
    )
    .select_from(
        _invitations.join(_operators, _operators.c.operator_id == _invitations.c.operator_id).outerjoin(
            _people, joined(_invitations, _people, "email_folded")
        )
    )
    .where(_invitations.c.secret_hash == bindparam("hashed"))
)  # fmt: skip
_LINK = Question(
    select(
        *columns(
            _links, "operator_id", "browser_hash", "membership_id", id="link_id", expires="expires_at", used="used_at"
        ),
        *columns(_people, "name"),
        *columns(_operators, operator="name"),
    )
    .select_from(
        _links.join(_operators, _operators.c.operator_id == _links.c.operator_id)
        .outerjoin(_memberships, joined(_links, _memberships, "membership_id"))
        .outerjoin(_people, joined(_memberships, _people, "person_id"))
    )
    .where(_links.c.secret_hash == bindparam("hashed"))
)
_LINKS_OF_BROWSER = Question(
    select(*columns(_links, "operator_id", id="link_id", expires="expires_at", used="used_at"))
    .where(_links.c.browser_hash == bindparam("browser"))
    .order_by(_links.c.created_at.desc())
    .limit(bindparam("most"))
)
_SESSIONS = Question(
    select(
        *columns(
            _consoles, "person_id", "membership_id", "way", "label", "created_at", "seen_at", "expires_at",
            id="console_session_id", expires="expires_at",
        ),
        *columns(_memberships, "role"),
    )
    .select_from(_consoles.outerjoin(_memberships, joined(_consoles, _memberships, "membership_id")))
    .where(mine(_consoles), _consoles.c.person_id == bindparam("of_person"), _consoles.c.revoked_at.is_(None))
    .order_by(_consoles.c.seen_at.desc())
)  # fmt: skip


_PASSKEYS = Question(
    select(*columns(_passkeys, "name", "credential_id", "backed_up", "created_at", "last_used_at", id="passkey_id"))
    .where(mine(_passkeys), _passkeys.c.person_id == bindparam("of_person"), _passkeys.c.removed_at.is_(None))
    .order_by(_passkeys.c.passkey_id)
)
_PASSKEY = Question(
    select(
        *columns(
            _passkeys, "operator_id", "person_id", "public_key", "sign_count", id="passkey_id", removed="removed_at"
        )
    ).where(_passkeys.c.credential_id == bindparam("of_credential"))
)


_PROVIDER = Question(
    select(
        *columns(_providers, "operator_id", "issuer", "client_id", "secret_key_id", "client_secret", id="provider_id")
    ).where(_providers.c.provider_id == bindparam("of_id"), _providers.c.ended_at.is_(None))
)
_OPEN_PROVIDERS = Question(
    select(*columns(_providers, "operator_id", "name", id="provider_id"), *columns(_operators, operator="name"))
    .select_from(_providers.join(_operators, _operators.c.operator_id == _providers.c.operator_id))
    .where(_providers.c.ended_at.is_(None))
    .order_by(_operators.c.name, _providers.c.name)
)
_PROVIDERS = Question(
    select(
        *columns(
            _providers, "name", "issuer", "client_id", "allowed_domains", "role_claim", "roles", "default_role",
            "created_at", id="provider_id",
        )
    )
    .where(mine(_providers), _providers.c.ended_at.is_(None))
    .order_by(_providers.c.provider_id)
)  # fmt: skip


def members(connection: Connection, operator_id: str, after: str = "", most: int = MOST_ROWS) -> list[Row]:
    """Who is what to an operator, in order of the membership's id, behind `after`; customers by their references."""
    rows = _MEMBERS.rows(connection, operator=operator_id, after=after, most=most)
    return [_with_customers(connection, operator_id, row) for row in rows]


def member(connection: Connection, operator_id: str, membership_id: str) -> Row | None:
    """One open membership, with its person."""
    row = _MEMBER_BY_ID.first(connection, operator=operator_id, of_id=membership_id)
    return None if row is None else _with_customers(connection, operator_id, row)


def members_by_email(connection: Connection, folded: str) -> list[Row]:
    """What a person of this address is, at any operator of the installation: one row an operator, of the widest role."""
    rows = sorted(_BY_EMAIL.rows(connection, folded=folded), key=lambda row: _RANK[row["role"]])
    return list({row["operator_id"]: row for row in reversed(rows)}.values())


def person(connection: Connection, operator_id: str, person_id: str) -> Row | None:
    """A person, with all that they are to the operator."""
    found = _PERSON.first(connection, operator=operator_id, of_person=person_id)
    if found is None:
        return None
    rows = _MEMBERSHIPS_OF.rows(connection, operator=operator_id, of_person=person_id)
    held = sorted(rows, key=lambda row: _RANK[row["role"]])
    return {**found, "memberships": [_with_customers(connection, operator_id, row) for row in held]}


def invitations(connection: Connection, operator_id: str, most: int = MOST_ROWS) -> list[Row]:
    """Offers that were neither taken nor taken back, newest first; some may have expired."""
    rows = _INVITATIONS.rows(connection, operator=operator_id, most=most)
    return [_with_customers(connection, operator_id, row) for row in rows]


def invitation_by_hash(connection: Connection, hashed: str) -> Row | None:
    """An offer by its secret's hash. `expires`, `accepted`, `revoked` are instants."""
    return _INVITATION.first(connection, hashed=hashed)


def console_link_by_hash(connection: Connection, hashed: str) -> Row | None:
    """A link by its secret's hash, and whom it lets in. `expires` and `used` are instants."""
    return _LINK.first(connection, hashed=hashed)


def links_of_browser(connection: Connection, browser: str, most: int = 10) -> list[Row]:
    """The last links that a browser asked for, whoever they let in. `expires` and `used` are instants."""
    return _LINKS_OF_BROWSER.rows(connection, browser=browser, most=most)


def sessions_of_person(connection: Connection, operator_id: str, person_id: str) -> list[Row]:
    """A person's sessions that were not ended, the last used first; those that expired are told by `expires`."""
    return _SESSIONS.rows(connection, operator=operator_id, of_person=person_id)


def passkeys_of(connection: Connection, operator_id: str, person_id: str) -> list[Row]:
    """A person's passkeys, the oldest first."""
    return _PASSKEYS.rows(connection, operator=operator_id, of_person=person_id)


def passkey_by_credential(connection: Connection, credential_id: str) -> Row | None:
    """A passkey as an authenticator names it, with its public half. `removed` is an instant."""
    found = _PASSKEY.first(connection, of_credential=credential_id)
    return None if found is None else {**found, "public_key": bytes(found["public_key"])}


def identity_provider(connection: Connection, provider_id: str) -> Row | None:
    """A provider that is in use, whoever's it is, with its sealed secret: for the door that speaks to it."""
    found = _PROVIDER.first(connection, of_id=provider_id)
    return None if found is None else {**found, "client_secret": bytes(found["client_secret"])}


def open_identity_providers(connection: Connection) -> list[Row]:
    """The providers that a sign-in page offers, of all operators."""
    return _OPEN_PROVIDERS.rows(connection)


def identity_providers(connection: Connection, operator_id: str) -> list[Row]:
    """An operator's providers that are in use; never a secret."""
    return _PROVIDERS.rows(connection, operator=operator_id)


def _with_customers(connection: Connection, operator_id: str, row: Row) -> Row:
    """The same row with the references of its customers in place of their ids."""
    ids = row.pop("customer_ids")
    found = [_REFERENCE.first(connection, operator=operator_id, of_customer=one) for one in ids]
    return {**row, "customers": [one["reference"] for one in found if one is not None]}
