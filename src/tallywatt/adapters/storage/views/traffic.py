"""The message log of a station, newest first: chunks are found by time, action and transaction, then opened and sifted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import bindparam, select, tuple_

from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.tables import metering, reports
from tallywatt.adapters.storage.views.asking import Question, columns, mine
from tallywatt.adapters.storage.views.listing import LARGEST, bad_cursor
from tallywatt.kernel.clock import rfc3339
from tallywatt.kernel.errors import NotFound
from tallywatt.stations.traffic import Kind, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.vault import Vault
    from tallywatt.adapters.storage.views.asking import Row
    from tallywatt.stations.traffic import Logged

_chunks = reports.MESSAGE_CHUNKS.table
_sessions = metering.SESSIONS.table

_Chunk = tuple[int, int, str]
"""When its last message was said, when its first, and its id: that is the order of the log."""

A_PART: Final = 50
MOST_OPENED: Final = 400
"""Chunks that are opened for one page. A rare word in a long log takes several pages, of which some may be empty."""
BEFORE_MS: Final = 600_000
"""What a session is about may have been said a little before its start was written down: it authorises first."""

_SELECT = select(_chunks.c.chunk_id, _chunks.c.last_at, _chunks.c.first_at, _chunks.c.key_id, _chunks.c.sealed).where(
    mine(_chunks), _chunks.c.station_id == bindparam("station")
)
# A station that says several things in one millisecond may begin a chunk in that in which the last one ended.
_PLACE = (_chunks.c.last_at, _chunks.c.first_at, _chunks.c.chunk_id)
_BEHIND: tuple[Any, ...] = (bindparam("behind_at"), bindparam("behind_first"), bindparam("behind_id"))
_TESTS = {
    "since": _chunks.c.last_at >= bindparam("since"),
    "until": _chunks.c.first_at < bindparam("until"),
    "action": _chunks.c.actions.like(bindparam("action"), escape="\\"),
    "transaction": _chunks.c.transactions.like(bindparam("transaction"), escape="\\"),
    "behind": tuple_(*_PLACE) < tuple_(*_BEHIND),
    "from": tuple_(*_PLACE) <= tuple_(*_BEHIND),
}
_SESSION = Question(
    select(*columns(_sessions, "station_id", "transaction_id", received="received_at")).where(
        mine(_sessions), _sessions.c.session_id == bindparam("of_session")
    )
)


def traffic(
    connection: Connection,
    operator_id: str,
    vault: Vault,
    *,
    station_id: str,
    most: int = 50,
    cursor: str | None = None,
    **filters: Any,
) -> Row:
    """A page of messages: `items`, and `next`, the cursor of the page behind, None on the last one.

    Filters: `since`, `until`, `action`, `direction`, `kind`, `session`, `transaction`, `text`. A page may hold fewer than were
    asked for, or none, and still name a next one.
    """
    sift = _Sift(connection, operator_id, station_id, {name: one for name, one in filters.items() if one is not None})
    if sift.is_nothing:
        return {"items": [], "next": None}
    place = None if cursor is None else _read(cursor)
    items: list[Row] = []
    opened = 0
    for chunk, messages in _opened(connection, operator_id, vault, sift, place):
        opened += 1
        newest_first = list(enumerate(messages))[::-1]
        for number, one in newest_first:
            if place is not None and chunk == place[:3] and number >= place[3]:
                continue
            if sift.takes(one, messages):
                items.append(_shown(one, chunk[2], number))
            if len(items) == most:
                return {"items": items, "next": _cursor(chunk, number)}
        if opened >= MOST_OPENED:
            return {"items": items, "next": _cursor(chunk, 0)}
    return {"items": items, "next": None}


class _Sift:
    """What is asked for, as the database can find it and as a message has to be."""

    def __init__(self, connection: Connection, operator_id: str, station_id: str, filters: Row) -> None:
        self._given = filters
        self.is_nothing = False
        self.values: Row = {"operator": operator_id, "station": station_id}
        self.names: list[str] = []
        for name in ("since", "until"):
            if name in filters:
                self._narrow(name, filters[name])
        if filters.get("action"):
            self._narrow("action", _holding(filters["action"]))
        transaction = filters.get("transaction")
        if "session" in filters:
            row = _SESSION.first(connection, operator=operator_id, of_session=filters["session"])
            if row is None or row["station_id"] != station_id or row["transaction_id"] is None:
                self.is_nothing = True
                return
            transaction = row["transaction_id"]
            if "since" not in filters:
                self._narrow("since", row["received"] - BEFORE_MS)
        self._transaction = transaction
        if transaction:
            self._narrow("transaction", _holding(transaction))

    def _narrow(self, name: str, value: Any) -> None:
        self.names.append(name)
        self.values[name] = value

    def takes(self, one: Logged, beside: list[Logged]) -> bool:
        """Whether a message is asked for."""
        given = self._given
        if one.at < given.get("since", 0) or one.at >= given.get("until", LARGEST):
            return False
        if given.get("action", one.action) != one.action or given.get("direction", one.direction) != one.direction:
            return False
        if given.get("kind", one.kind) != one.kind:
            return False
        words = given.get("text")
        if words and words.lower() not in one.text.lower():
            return False
        return self._transaction is None or self._is_of(one, beside)

    def _is_of(self, one: Logged, beside: list[Logged]) -> bool:
        if one.transaction:
            return one.transaction == self._transaction
        # An answer that names no transaction belongs to what it answers.
        return one.kind in {Kind.RESULT, Kind.ERROR} and any(
            other.message_id == one.message_id and other.transaction == self._transaction for other in beside
        )


def _opened(
    connection: Connection, operator_id: str, vault: Vault, sift: _Sift, place: tuple[int, int, str, int] | None
) -> Iterator[tuple[_Chunk, list[Logged]]]:
    names, values = list(sift.names), dict(sift.values)
    if place is not None:
        names.append("from")
        values |= {"behind_at": place[0], "behind_first": place[1], "behind_id": place[2]}
    ciphers: dict[str, Any] = {}
    while True:
        question = (
            _SELECT.where(*(_TESTS[name] for name in names)).order_by(*(one.desc() for one in _PLACE)).limit(A_PART)
        )
        statement = compiled(_kept(tuple(names), question), connection.dialect)
        rows = connection.execute(statement.sql, statement.bind(values))
        for chunk_id, last_at, first_at, key_id, sealed in rows:
            if key_id not in ciphers:
                try:
                    ciphers[key_id] = vault.cipher(connection, operator_id, key_id)
                except NotFound:
                    ciphers[key_id] = None  # its month was dropped
            if ciphers[key_id] is not None:
                content = bytes(sealed)
                messages = unpacked(ciphers[key_id].decrypt(content[:12], content[12:], None))
                yield (int(last_at), int(first_at), str(chunk_id)), messages
        if len(rows) < A_PART:
            return
        names = [*sift.names, "behind"]
        last = rows[-1]
        values = {**sift.values, "behind_at": last[1], "behind_first": last[2], "behind_id": last[0]}


_KEPT: dict[tuple[str, ...], Any] = {}


def _kept(names: tuple[str, ...], question: Any) -> Any:
    """The same clause for the same filters: statements are compiled once."""
    return _KEPT.setdefault(names, question)


def _holding(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f'%"{escaped}"%'


def _shown(one: Logged, chunk_id: str, number: int) -> Row:
    return {
        "id": f"{chunk_id}-{number}",
        "at": rfc3339(one.at),
        "direction": one.direction.value,
        "kind": one.kind.value,
        "action": one.action,
        "message_id": one.message_id,
        "transaction": one.transaction or None,
        "bytes": one.size,
        "text": one.text,
    }


def _cursor(chunk: _Chunk, number: int) -> str:
    return msgspec.json.encode([*chunk, number]).decode()


def _read(cursor: str) -> tuple[int, int, str, int]:
    try:
        last_at, first_at, chunk_id, number = msgspec.json.decode(cursor, type=tuple[int, int, str, int])
    except msgspec.MsgspecError as error:
        raise bad_cursor() from error
    if max(abs(last_at), abs(first_at), abs(number)) > LARGEST or not chunk_id.isprintable():
        raise bad_cursor()
    return last_at, first_at, chunk_id, number
