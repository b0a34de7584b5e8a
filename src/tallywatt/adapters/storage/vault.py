"""Raw frames and webhook bodies, sealed with AES-256-GCM under a key per operator, class and month.

Dropping a month's key erases what it sealed. The keys themselves are wrapped by a key of the ring (`keyring.py`), and that
one by the master key, which lies outside of the database.
"""

from __future__ import annotations

import base64
import hashlib
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import bindparam, select

from tallywatt.adapters.storage.statements import Statement, compiled, inserting
from tallywatt.adapters.storage.tables.machinery import DATA_KEYS
from tallywatt.kernel.clock import Instant, moment
from tallywatt.kernel.errors import NotFound

if TYPE_CHECKING:
    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.kernel.identity import Draw

NONCE_BYTES = 12
ALWAYS = "always"
"""In the place of a month: the key under which names are made must not change with it."""
NAME_BYTES = 10
NAME_LETTERS = 10
BOUND = b"\1"
"""Before a wrapped key that is bound to its row; the first ones were not, and are shorter."""
UNBOUND_BYTES = NONCE_BYTES + 32 + 16
DAY = 86_400_000

_BY_MONTH = select(DATA_KEYS.c.key_id, DATA_KEYS.c.wrapped).where(
    DATA_KEYS.c.operator_id == bindparam("operator"),
    DATA_KEYS.c["class"] == bindparam("kind"),
    DATA_KEYS.c.month == bindparam("month_"),
)
_BY_ID = select(DATA_KEYS.c.wrapped).where(
    DATA_KEYS.c.operator_id == bindparam("operator"), DATA_KEYS.c.key_id == bindparam("id")
)


class Opened(Protocol):
    """What the vault needs of a unit of work: for whom, when, by which draw, and on which connection."""

    @property
    def connection(self) -> Connection:
        """Where its rows are."""
        ...

    @property
    def dialect(self) -> str:
        """Which engine that is."""
        ...

    @property
    def operator(self) -> str:
        """For whom it was opened."""
        ...

    @property
    def draw(self) -> Draw:
        """From which keys and nonces are derived."""
        ...

    @property
    def machine_now(self) -> Instant:
        """Whose month decides which key is used."""
        ...


class Vault:
    """The keys that one process has unwrapped. A key made in a transaction counts only after its commit."""

    def __init__(self, wrapping_key: bytes, *before: bytes) -> None:
        self._wrapping = AESGCM(wrapping_key)
        self._before = tuple(AESGCM(key) for key in before)
        self._known: dict[tuple[str, str, str], tuple[str, AESGCM]] = {}
        self._uncommitted: dict[tuple[str, str, str], tuple[str, AESGCM]] = {}

    def on(self, unit: Opened) -> UnitVault:
        """The vault as a workflow sees it."""
        return UnitVault(self, unit)

    def keep_committed(self) -> None:
        """The transaction is durable: its keys are too."""
        if self._uncommitted:
            self._known.update(self._uncommitted)
            self._uncommitted = {}

    def forget_uncommitted(self) -> None:
        """The transaction is gone: so are its keys."""
        self._uncommitted = {}

    def mark(self) -> dict[tuple[str, str, str], tuple[str, AESGCM]]:
        """What this transaction has made so far, to come back to when one command of it is undone."""
        return dict(self._uncommitted)

    def back_to(self, mark: dict[tuple[str, str, str], tuple[str, AESGCM]]) -> None:
        """A command was undone, and with it the rows of the keys that it made: what they seal could never be opened."""
        self._uncommitted = mark

    def wrap(self, key: bytes, nonce: bytes, operator: str, key_id: str) -> bytes:
        """A data key under the newest wrapping key, bound to its place: moved to another row it opens nothing."""
        return BOUND + nonce + self._wrapping.encrypt(nonce, key, _place(operator, key_id))

    def unwrapped(self, wrapped: bytes, operator: str, key_id: str) -> bytes:
        """A data key in the clear; InvalidTag when no key of ours wrapped it."""
        about: bytes | None = None
        if len(wrapped) > UNBOUND_BYTES:
            about, wrapped = _place(operator, key_id), wrapped[len(BOUND) :]
        for cipher in (self._wrapping, *self._before):
            with suppress(InvalidTag):
                return cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], about)
        raise InvalidTag

    def unwrap(self, wrapped: bytes, operator: str, key_id: str) -> AESGCM:
        """The cipher of a wrapped data key."""
        return AESGCM(self.unwrapped(wrapped, operator, key_id))

    def known(self, place: tuple[str, str, str]) -> tuple[str, AESGCM] | None:
        """The key of operator, class and month, if this process has it."""
        return self._known.get(place) or self._uncommitted.get(place)

    def remember(self, place: tuple[str, str, str], key: tuple[str, AESGCM]) -> None:
        """Keep a key until the transaction ends."""
        self._uncommitted[place] = key

    def open(self, connection: Connection, operator: str, key_id: str, sealed: bytes, about: str = "") -> bytes:
        """The plain bytes; NotFound when the key was dropped. `about` is what they were sealed with."""
        cipher = self.cipher(connection, operator, key_id)
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about.encode() or None)

    def cipher(self, connection: Connection, operator: str, key_id: str) -> AESGCM:
        """The cipher of a key; NotFound when it was dropped."""
        statement = compiled(_BY_ID, connection.dialect)
        rows = connection.execute(statement.sql, statement.bind({"operator": operator, "id": key_id}))
        if not rows or rows[0][0] is None:
            msg = "the key of this record was dropped: its content is erased"
            raise NotFound(msg, code="storage.erased")
        return self.unwrap(bytes(rows[0][0]), operator, key_id)


def _place(operator: str, key_id: str) -> bytes:
    return f"{operator}/{key_id}".encode()


@lru_cache(maxsize=64)
def _month(day: int) -> str:
    return f"{moment(Instant(day * DAY)):%Y-%m}"


class UnitVault:
    """Seals in the transaction of a unit of work. Nonces come from the command's draw, so a re-run seals alike."""

    def __init__(self, vault: Vault, unit: Opened) -> None:
        self._vault = vault
        self._unit = unit
        dialect = unit.dialect
        self._add = Statement(inserting(DATA_KEYS, dialect).on_conflict_do_nothing(), dialect)
        self._find = compiled(_BY_MONTH, dialect)

    def seal(self, kind: str, name: str, plain: bytes, about: str = "") -> tuple[str, bytes]:
        """The key id and the sealed bytes. `name` is unique within the command; `about` must be given again to open them."""
        unit = self._unit
        place = (unit.operator, kind, _month(unit.machine_now // DAY))
        key_id, cipher = self._vault.known(place) or self._fetch(place)
        nonce = self._derive(f"nonce/{kind}/{name}", NONCE_BYTES)
        return key_id, nonce + cipher.encrypt(nonce, plain, about.encode() or None)

    def name_of(self, kind: str, text: str) -> str:
        """Ten letters that stand for a text, under a key of this operator and class that stays the same."""
        key_id, wrapped = self._row((self._unit.operator, kind, ALWAYS))
        key = self._vault.unwrapped(wrapped, self._unit.operator, key_id)
        digest = hashlib.blake2b(text.encode(), key=key, digest_size=NAME_BYTES, person=b"name").digest()
        return base64.b32encode(digest).decode().lower()[:NAME_LETTERS]

    def seal_again(self, key_id: str, name: str, plain: bytes) -> bytes:
        """Other bytes under the key that sealed a record before: dropping that key still erases it."""
        nonce = self._derive(f"nonce/again/{name}", NONCE_BYTES)
        return nonce + self.cipher(key_id).encrypt(nonce, plain, None)

    def cipher(self, key_id: str) -> AESGCM:
        """The cipher of a key; NotFound when it was dropped."""
        return self._vault.cipher(self._unit.connection, self._unit.operator, key_id)

    def _fetch(self, place: tuple[str, str, str]) -> tuple[str, AESGCM]:
        key_id, wrapped = self._row(place)
        key = (key_id, self._vault.unwrap(wrapped, place[0], key_id))
        self._vault.remember(place, key)
        return key

    def _row(self, place: tuple[str, str, str]) -> tuple[str, bytes]:
        """The id of a key and its wrapped form; the row is made when it is asked for first."""
        unit = self._unit
        values = {"operator": place[0], "kind": place[1], "month_": place[2]}
        rows = unit.connection.execute(self._find.sql, self._find.bind(values))
        if not rows:
            key_id = unit.draw.id(f"key/{place[1]}/{place[2]}")
            row = {
                "operator_id": place[0],
                "key_id": key_id,
                "class": place[1],
                "month": place[2],
                "wrapped": self._vault.wrap(
                    self._derive(f"key/{place}", 32), self._derive(f"wrap/{place}", NONCE_BYTES), place[0], key_id
                ),
                "created_at": unit.machine_now,
                "dropped_at": None,
            }
            unit.connection.change(self._add.sql, self._add.bind(row))
            rows = unit.connection.execute(self._find.sql, self._find.bind(values))
        return str(rows[0][0]), bytes(rows[0][1])

    def _derive(self, name: str, size: int) -> bytes:
        return hashlib.blake2b(name.encode(), key=self._unit.draw.seed, digest_size=size, person=b"vault").digest()
