"""Finding and removing what leads to one person, in every table but those that a named list leaves out.

A search reads beside the writer, for as long as it takes, and says where something is. The removal looks at each place again
in the writer, a few at a time. A table that is added later is searched without anybody having to think of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidTag
from sqlalchemy import Text, bindparam, delete, func, or_, select, tuple_, update

from tallywatt.adapters.storage import tables
from tallywatt.adapters.storage.statements import Statement
from tallywatt.adapters.storage.tables import invoicing, payments
from tallywatt.adapters.storage.tables.schema import OPERATOR_FREE, metadata
from tallywatt.customers.erasure import Traces
from tallywatt.kernel.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Column, Table

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.unit import SqlUnitOfWork
    from tallywatt.adapters.storage.vault import Vault

assert tables.__all__, "importing the tables fills the metadata"

WITHOUT_PEOPLE: Final = {
    "the operator's own words": (
        "operators", "parties", "locations", "stations", "evses", "evse_roles", "web_codes", "connectors", "connector_states",
        "meter_keys", "api_keys", "provider_accounts", "market_prices", "tariff_versions", "tariff_assignments",
        "policy_versions", "offers", "circles", "coupons", "station_variables", "security_events", "money_limits",
        "authorities", "station_certificates", "corrections", "list_rules", "creditors", "debit_batches",
    ),
    "ids and digests": ("key_changes", "local_lists", "profile_changes"),
    "figures and ids, in rows that are never edited": (
        "rated_results", "rated_lines", "rated_taxes", "accounts", "entries", "transfers", "invoices", "allocations",
        "number_series", "skipped_numbers", "explanations", "meter_readings", "transaction_counters", "revenue_by_day",
        "running_sums", "coupon_uses", "restorations", "data_keys", "audits", "audit_findings", "settlement_lines", "disputes",
        "debit_parts",
        "settlement_readings", "signature_verdicts", "meter_pages", "provider_health", "given_away", "corrected_sessions",
    ),
    "kept by law until its term ends": ("printed_invoices",),
    "cards are hidden before it is written, and it ends after its days": ("message_chunks", "station_notices"),
    "what is searched for, sealed until the search ends": ("erasures",),
}  # fmt: skip
"""The one list of tables that no search looks into, by reason. The test over all tables proves it."""

SEALED: Final = {
    "frames": "seal again",
    "webhook_events": "drop",
    "import_parts": "seal again",
    "import_rows": "seal again",
}
"""Tables with a sealed body, and what becomes of one that leads to the person."""
PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """A row in which something was found."""

    table: str
    key: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Removal:
    """A few places, and what is to be removed from them. `customer_id`: whose payments lose what is left of a card."""

    places: tuple[Place, ...]
    traces: Traces
    customer_id: str


def searched() -> list[Table]:
    """The tables that are searched."""
    left_out = {name for names in WITHOUT_PEOPLE.values() for name in names} | set(OPERATOR_FREE)
    return [one for one in metadata.sorted_tables if one.name not in left_out]


def search(connection: Connection, vault: Vault, operator_id: str, traces: Traces) -> list[Place]:
    """Where something leads to the person."""
    found: list[Place] = []
    for table in searched():
        found += _in_texts(connection, operator_id, table, traces)
        if table.name in SEALED:
            found += _in_sealed(connection, vault, operator_id, table, traces)
    return list(dict.fromkeys(found))


def _keys(table: Table) -> list[Column[Any]]:
    return [one for one in table.primary_key.columns if one.name != "operator_id"]


@lru_cache(maxsize=256)
def _texts(name: str) -> tuple[str, ...]:
    """The columns that can hold words: no keys, and none of a closed list."""
    table = metadata.tables[name]
    keys = {one.name for one in table.primary_key.columns}
    foreign = {one.parent.name for one in table.foreign_keys}
    return tuple(
        one.name
        for one in table.columns
        if isinstance(one.type, Text)
        and one.name not in keys | foreign
        and one.info.get("codec") not in {"choice", "decimal"}
    )


def _in_texts(connection: Connection, operator_id: str, table: Table, traces: Traces) -> Iterator[Place]:
    columns = [table.c[name] for name in _texts(table.name)]
    if not columns or not traces.needles:
        return
    values = {f"needle_{place}": f"%{_escaped(one)}%" for place, one in enumerate(traces.needles)}
    holds = [func.lower(one).like(bindparam(name), escape="\\") for one in columns for name in values]
    keys = _keys(table)
    clause = select(*keys, *columns).where(table.c.operator_id == bindparam("operator"), or_(*holds))
    statement = Statement(clause, connection.dialect)
    for row in connection.execute(statement.sql, statement.bind({**values, "operator": operator_id})):
        if any(isinstance(text, str) and traces.is_in(text) for text in row[len(keys) :]):
            yield Place(table.name, tuple(row[: len(keys)]))


def _escaped(needle: str) -> str:
    return needle.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _in_sealed(connection: Connection, vault: Vault, operator_id: str, table: Table, traces: Traces) -> Iterator[Place]:
    ciphers: dict[str, Any] = {}
    keys = _keys(table)
    first = (
        select(*keys, table.c.key_id, table.c.sealed)
        .where(table.c.operator_id == bindparam("operator"), table.c.sealed.is_not(None))
        .order_by(*keys)
        .limit(bindparam("most"))
    )
    behind = tuple_(*keys) > tuple_(*(bindparam(f"after_{one.name}") for one in keys))
    statement, following = (Statement(one, connection.dialect) for one in (first, first.where(behind)))
    values: dict[str, Any] = {"operator": operator_id, "most": PAGE}
    while True:
        rows = connection.execute(statement.sql, statement.bind(values))
        for *key, key_id, sealed in rows:
            if key_id not in ciphers:
                try:
                    ciphers[key_id] = vault.cipher(connection, operator_id, key_id)
                except NotFound:
                    ciphers[key_id] = None
            if ciphers[key_id] is not None and traces.is_in(_opened(ciphers[key_id], bytes(sealed))):
                yield Place(table.name, tuple(key))
        if len(rows) < PAGE:
            return
        values |= {f"after_{one.name}": value for one, value in zip(keys, rows[-1], strict=False)}
        statement = following


def _opened(cipher: Any, sealed: bytes) -> str:
    try:
        plain: bytes = cipher.decrypt(sealed[:12], sealed[12:], None)
    except InvalidTag:
        return ""  # the audit tells that somebody has written into it
    return plain.decode("utf-8", "surrogateescape")


def remove(unit: SqlUnitOfWork, command: Removal) -> int:
    """Remove what leads to the person from a few places; how many of them still had something."""
    changed = sum(_clean(unit, place, command.traces) for place in command.places)
    cards = payments.PAYMENTS.table
    of_card = (
        update(cards)
        .where(cards.c.operator_id == bindparam("operator"), cards.c.customer_id == bindparam("whose"))
        .values(card_brand=None, card_last4=None)
    )
    statement = Statement(of_card, unit.connection.dialect)
    unit.connection.change(statement.sql, statement.bind({"operator": unit.operator, "whose": command.customer_id}))
    # Rows were changed behind the back of what the connection knows of them.
    unit.scope.memory.forget()
    return changed


def _clean(unit: SqlUnitOfWork, place: Place, traces: Traces) -> bool:
    table, connection = metadata.tables[place.table], unit.connection
    names = [*_texts(table.name), *(("key_id", "sealed") if table.name in SEALED else ())]
    where = [table.c.operator_id == bindparam("operator")]
    where += [one == bindparam(f"k_{one.name}") for one in _keys(table)]
    key = {f"k_{one.name}": value for one, value in zip(_keys(table), place.key, strict=True)} | {
        "operator": unit.operator
    }
    statement = Statement(
        select(*(table.c[name] for name in names)).where(*where).with_for_update(), connection.dialect
    )
    rows = connection.execute(statement.sql, statement.bind(key))
    if not rows:
        return False
    before = dict(zip(names, rows[0], strict=True))
    after = {name: traces.removed_from(value) if isinstance(value, str) else value for name, value in before.items()}
    if table.name in SEALED and before["sealed"] is not None:
        after |= _without(unit, place, before, traces)
    news = {name: value for name, value in after.items() if value != before[name]}
    if not news:
        return False
    changing = Statement(
        update(table).where(*where).values({name: bindparam(f"n_{name}") for name in news}), connection.dialect
    )
    connection.change(changing.sql, changing.bind({**key, **{f"n_{name}": value for name, value in news.items()}}))
    return True


def _without(unit: SqlUnitOfWork, place: Place, before: dict[str, Any], traces: Traces) -> dict[str, Any]:
    text = _opened(unit.vault.cipher(before["key_id"]), bytes(before["sealed"]))
    if not traces.is_in(text):
        return {"key_id": before["key_id"], "sealed": before["sealed"]}
    if SEALED[place.table] == "drop":
        return {"key_id": None, "sealed": None}
    plain = traces.removed_from(text).encode("utf-8", "surrogateescape")
    name = "/".join(map(str, place.key))
    return {"key_id": before["key_id"], "sealed": unit.vault.seal_again(before["key_id"], name, plain)}


def drop_papers(unit: SqlUnitOfWork, invoice_ids: list[str]) -> int:
    """Forget printed invoices; the figures stay."""
    printed = invoicing.PRINTED_INVOICES.table
    mine = printed.c.operator_id == bindparam("operator")
    clause = delete(printed).where(mine, printed.c.invoice_id == bindparam("one"))
    statement = Statement(clause, unit.connection.dialect)
    dropped = 0
    for invoice_id in invoice_ids:
        dropped += unit.connection.change(statement.sql, statement.bind({"operator": unit.operator, "one": invoice_id}))
    unit.scope.memory.forget()
    return dropped
