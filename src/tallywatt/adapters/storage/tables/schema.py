"""The words in which tables are written: column factories, keys that start with the operator, one naming convention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

if TYPE_CHECKING:
    from enum import StrEnum

    from sqlalchemy.schema import SchemaItem
    from sqlalchemy.sql.elements import ColumnElement, TextClause

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

OPERATOR_FREE: dict[str, str] = {}
"""The one list of tables without an operator in their key, each with its reason (RULES §9)."""

ACROSS_OPERATORS: dict[str, str] = {
    "ix_answered_requests_forget_at": "the janitor forgets answers that tell secrets, whoever was told",
    "ix_challenges_expires_at": "the janitor drops what expired, whoever it was for",
    "ix_console_links_browser_hash": "a browser that asked for a link does not say with which operator",
    "ix_evses_code": "a driver scans the code before anybody knows the operator",
    "ix_events_unsequenced": "the sequencer looks for events of all operators",
    "ix_jobs_due": "workers claim jobs of all operators",
    "ix_people_email_folded": "who asks for a sign-in link does not say with which operator",
    "ix_stations_identity": "a station that connects by the short form does not say whose it is",
    "uq_api_keys_prefix": "a key is shown before its operator is known",
    "uq_console_links_secret_hash": "a link is followed before its operator is known",
    "uq_console_sessions_secret_hash": "a cookie is shown before its operator is known",
    "uq_events_position": "one line of positions runs through the events of all operators",
    "uq_invitations_secret_hash": "an invitation is followed before its operator is known",
    "uq_operators_slug": "the slug is how an operator is found before its id is known",
    "uq_passkeys_credential_id": "a passkey is used before anybody knows whose it is",
}
"""The one list of indexes that do not begin with the operator, each with its reason (RULES §9)."""

PERSONAL: dict[str, str] = {}
"""The one list of tables that hold personal data, each with its retention class (RULES §9)."""

# SQLite's STRICT tables know INTEGER only; it holds 64 bits there.
WHOLE = BigInteger().with_variant(Integer(), "sqlite")


def text(name: str, *, null: bool = False) -> Column[Any]:
    """Text; ids, codes and decimals in canonical form too."""
    return Column(name, Text, nullable=null)


def whole(name: str, *, null: bool = False) -> Column[Any]:
    """A whole number of up to 64 bits: minor units, milliwatt-hours, counts, milliseconds."""
    return Column(name, WHOLE, nullable=null)


def instant(name: str, *, null: bool = False) -> Column[Any]:
    """Milliseconds since 1970 in UTC."""
    return Column(name, WHOLE, nullable=null)


def flag(name: str, *, null: bool = False) -> Column[Any]:
    """True or false, kept as 1 or 0."""
    return Column(name, WHOLE, nullable=null, info={"codec": "flag"})


def choice(name: str, kinds: type[StrEnum], *, null: bool = False) -> Column[Any]:
    """One of a closed list; the list is checked by the table that `table` makes."""
    return Column(name, Text, nullable=null, info={"codec": "choice", "choices": kinds})


def decimal_text(name: str, *, null: bool = False) -> Column[Any]:
    """An exact decimal, kept as its canonical text."""
    return Column(name, Text, nullable=null, info={"codec": "decimal"})


def json_text(name: str, *, null: bool = False) -> Column[Any]:
    """A mapping as JSON with sorted keys."""
    return Column(name, Text, nullable=null, info={"codec": "json"})


def texts(name: str) -> Column[Any]:
    """A tuple of texts as a JSON list."""
    return Column(name, Text, nullable=False, info={"codec": "texts"})


def blob(name: str, *, null: bool = False) -> Column[Any]:
    """Bytes."""
    return Column(name, LargeBinary, nullable=null)


def version() -> Column[Any]:
    """How often the aggregate was written; every change names the version that it saw."""
    return Column("version", WHOLE, nullable=False)


def check(condition: str, name: str) -> CheckConstraint:
    """An invariant of one row, enforced by the database."""
    return CheckConstraint(condition, name=name)


def unique(*columns: str) -> UniqueConstraint:
    """A natural key of one operator."""
    return UniqueConstraint("operator_id", *columns)


def unique_where(name: str, *columns: str, where: ColumnElement[bool]) -> Index:
    """A natural key among the rows that satisfy a condition."""
    return partial_index(name, "operator_id", *columns, unique=True, where=where)


def partial_index(name: str, *columns: str, where: ColumnElement[bool] | TextClause, unique: bool = False) -> Index:
    """An index over the rows that satisfy a condition.

    The condition is told to SQLite alone: naming PostgreSQL here would load its dialect and all its drivers on every start.
    `for_postgresql` tells it there, for who makes or compares tables.
    """
    return Index(name, *columns, unique=unique, sqlite_where=where, info={"where": where})


def for_postgresql() -> MetaData:
    """The metadata, with the conditions of its partial indexes as PostgreSQL is told them."""
    for one in metadata.tables.values():
        for found in one.indexes:
            if "where" in found.info:
                found.dialect_options["postgresql"]["where"] = found.info["where"]
    return metadata


def index(*columns: str) -> Index:
    """A way to find rows of one operator."""
    return Index(None, "operator_id", *columns)


def refers(
    columns: str | tuple[str, ...], table_name: str, to: str | tuple[str, ...] | None = None
) -> ForeignKeyConstraint:
    """A reference to a row of the same operator."""
    own = (columns,) if isinstance(columns, str) else columns
    other = own if to is None else (to,) if isinstance(to, str) else to
    return ForeignKeyConstraint(
        ["operator_id", *own], [f"{table_name}.operator_id", *(f"{table_name}.{one}" for one in other)]
    )


def table(name: str, *items: SchemaItem, key: tuple[str, ...], personal: str | None = None) -> Table:
    """A table whose every key starts with the operator. `personal` names the retention class of what it tells about people."""
    if personal is not None:
        PERSONAL[name] = personal
    checks = [
        CheckConstraint(
            f"{item.name} IN ({', '.join(repr(one.value) for one in item.info['choices'])})", name=item.name
        )
        for item in items
        if isinstance(item, Column) and item.info.get("codec") == "choice"
    ]
    return Table(
        name,
        metadata,
        Column("operator_id", Text, nullable=False),
        *items,
        *checks,
        PrimaryKeyConstraint("operator_id", *key),
        sqlite_strict=True,
        info={"key": key},
    )


def operator_free_table(name: str, *items: SchemaItem, reason: str) -> Table:
    """A table that belongs to the installation and not to an operator; it says why."""
    OPERATOR_FREE[name] = reason
    return Table(name, metadata, *items, sqlite_strict=True)
