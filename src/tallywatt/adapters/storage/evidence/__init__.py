"""Reading all that an audit looks at, at one moment, and opening the frames."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from sqlalchemy import bindparam, select

from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.sums import standing
from tallywatt.adapters.storage.tables import (
    banking,
    customers,
    debits,
    invoicing,
    ledger,
    machinery,
    metering,
    own_books,
    payments,
    rating,
    settlements,
    stations,
)
from tallywatt.adapters.storage.vault import NONCE_BYTES
from tallywatt.evidence.audit import audit as compare
from tallywatt.evidence.decode import ENERGY_ACTIONS, RawFrame, decode
from tallywatt.evidence.held import Held
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.mapping import Mapping
    from tallywatt.adapters.storage.vault import Vault
    from tallywatt.evidence.decode import Told
    from tallywatt.evidence.findings import AuditReport

BATCH = 2000

_frames = metering.FRAMES.table
_keys = machinery.DATA_KEYS
_jobs = machinery.JOBS.table
_events = machinery.EVENTS
_operators = customers.OPERATORS.table

_OPERATOR = select(_operators.c.currency, _operators.c.clock_floor).where(
    _operators.c.operator_id == bindparam("operator")
)
_KEYS = select(_keys.c.key_id, _keys.c.wrapped).where(_keys.c.operator_id == bindparam("operator"))
_WAITING = select(_jobs.c.subject_id).where(
    _jobs.c.operator_id == bindparam("operator"), _jobs.c.state.in_(("ready", "leased"))
)
_BEGUN = select(_events.c.aggregate_id).where(
    _events.c.operator_id == bindparam("operator"), _events.c.aggregate == "session", _events.c.version == 1
)
_FRAMES = (
    select(
        _frames.c.frame_id, _frames.c.station_id, _frames.c.protocol, _frames.c.action, _frames.c.received_at,
        _frames.c.key_id, _frames.c.sealed,
    )
    .where(_frames.c.operator_id == bindparam("operator"), _frames.c.frame_id > bindparam("after"))
    .order_by(_frames.c.frame_id)
    .limit(bindparam("most"))
)  # fmt: skip


def audit(connection: Connection, vault: Vault, operator_id: str) -> AuditReport:
    """The audit of one operator on a read-only connection, of one moment: what is written meanwhile is not seen."""
    connection.snapshot()
    try:
        return compare(_read(connection, vault, operator_id))
    finally:
        connection.rollback()


def _read(connection: Connection, vault: Vault, operator_id: str) -> Held:
    known = _ask(connection, _OPERATOR, operator=operator_id)
    if not known:
        msg = "there is no such operator"
        raise NotFound(msg, code="operators.not_found")
    currency, clock_floor = known[0]
    frames = _OpenedFrames(connection, vault, operator_id, Instant(clock_floor))

    def every(mapping: Mapping[Any]) -> list[Any]:
        return [mapping.decode(row) for row in _ask(connection, _everything(mapping), operator=operator_id)]

    return Held(
        currency=currency,
        evses=every(stations.EVSES),
        told=frames.told,
        unread=frames.unread,
        frames=frozenset(frames.ids),
        erased=frozenset(frames.erased),
        sessions=every(metering.SESSIONS),
        readings=every(metering.METER_READINGS),
        explanations=every(metering.EXPLANATIONS),
        inbox=every(metering.INBOX),
        results=every(rating.RATED_RESULTS),
        lines=every(rating.RATED_LINES),
        taxes=every(rating.RATED_TAXES),
        invoices=every(invoicing.INVOICES),
        series=every(invoicing.NUMBER_SERIES),
        skipped=every(invoicing.SKIPPED_NUMBERS),
        payments=every(payments.PAYMENTS),
        operations=every(payments.OPERATIONS),
        allocations=every(payments.ALLOCATIONS),
        holds=every(own_books.CUSTOMER_HOLDS),
        received=every(own_books.RECEIVED_TRANSFERS),
        parts=every(own_books.TRANSFER_PARTS),
        settled=every(settlements.SETTLEMENT_LINES),
        differences=every(settlements.SETTLEMENT_DIFFERENCES),
        disputes=every(settlements.DISPUTES),
        banked=every(banking.BANK_LINES),
        debit_batches=every(debits.DEBIT_BATCHES),
        debits=every(debits.DEBIT_COLLECTIONS),
        debit_parts=every(debits.DEBIT_PARTS),
        accounts=every(ledger.ACCOUNTS),
        entries=every(ledger.ENTRIES),
        transfers=every(ledger.TRANSFERS),
        begun=frozenset(row[0] for row in _ask(connection, _BEGUN, operator=operator_id)),
        sums=standing(connection, operator_id),
        waiting=frozenset(row[0] for row in _ask(connection, _WAITING, operator=operator_id)),
    )


@lru_cache(maxsize=64)
def _everything(mapping: Mapping[Any]) -> Any:
    table = mapping.table
    order = [table.c[name] for name in mapping.key]
    mine = table.c.operator_id == bindparam("operator")
    return select(*[table.c[name] for name in mapping.names]).where(mine).order_by(*order)


def _ask(connection: Connection, clause: Any, **values: Any) -> list[tuple[Any, ...]]:
    statement = compiled(clause, connection.dialect)
    return connection.execute(statement.sql, statement.bind(values))


class _OpenedFrames:
    """The frames of an operator, opened with their month's key and read; only what they say about energy is kept."""

    def __init__(self, connection: Connection, vault: Vault, operator_id: str, clock_floor: Instant) -> None:
        self._ciphers: dict[str, AESGCM | None] = {
            key_id: None if wrapped is None else vault.unwrap(bytes(wrapped), operator_id, key_id)
            for key_id, wrapped in _ask(connection, _KEYS, operator=operator_id)
        }
        self.told: list[Told] = []
        self.unread: list[str] = []
        self.ids: list[str] = []
        self.erased: list[str] = []
        for row in _pages(connection, operator_id):
            self._take(row, clock_floor)
        self.told.sort(key=lambda one: (one.received_at, one.frame_id))

    def _take(self, row: tuple[Any, ...], clock_floor: Instant) -> None:
        frame_id, station_id, protocol, action, received_at, key_id, sealed = row
        self.ids.append(frame_id)
        if action not in ENERGY_ACTIONS:
            return
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            self.erased.append(frame_id)
            return
        try:
            text = cipher.decrypt(bytes(sealed[:NONCE_BYTES]), bytes(sealed[NONCE_BYTES:]), None)
        except InvalidTag:
            # The seal is broken: somebody has written into the frame.
            self.unread.append(frame_id)
            return
        told = decode(RawFrame(frame_id, station_id, protocol, action, received_at, text), clock_floor)
        if told is None:
            self.unread.append(frame_id)
        else:
            self.told.append(told)


def _pages(connection: Connection, operator_id: str) -> Iterator[tuple[Any, ...]]:
    after = ""
    while True:
        page = _ask(connection, _FRAMES, operator=operator_id, after=after, most=BATCH)
        yield from page
        if len(page) < BATCH:
            return
        after = page[-1][0]
