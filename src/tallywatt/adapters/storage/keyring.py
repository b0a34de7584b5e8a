"""The keys of an installation, kept in its database under the master key, which lies outside of it.

What is sealed, hashed or signed uses keys of this ring, each made by chance for one purpose. So the master key can be changed
without sealing everything again: the ring is wrapped anew. A wrong or missing master key is told when the house opens.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import bindparam, select, update

from tallywatt.adapters.storage.connections import connect
from tallywatt.adapters.storage.statements import Statement, compiled, inserting
from tallywatt.adapters.storage.tables.customers import OPERATORS
from tallywatt.adapters.storage.tables.machinery import DATA_KEYS, KEYRING
from tallywatt.adapters.storage.vault import NONCE_BYTES, Vault
from tallywatt.kernel.errors import Broken

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.sql import ClauseElement

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.kernel.clock import Instant

KEY_BYTES: Final = 32
STATIONS: Final = "station keys"
SIGNATURES: Final = "signatures"
SEALED: Final = "sealed data"
REMEDY: Final = (
    "set TALLYWATT_MASTER_KEY or TALLYWATT_MASTER_KEY_FILE to the key that this installation was made with, or put its "
    "file back into the data directory"
)

_RING = select(KEYRING.c.purpose, KEYRING.c.number, KEYRING.c.sealed_by, KEYRING.c.wrapped).order_by(
    KEYRING.c.purpose, KEYRING.c.number.desc()
)
_FIRST_OPERATOR = select(OPERATORS.table.c.operator_id).limit(1)
_DATA_KEYS = select(DATA_KEYS.c.operator_id, DATA_KEYS.c.key_id, DATA_KEYS.c.wrapped).where(
    DATA_KEYS.c.wrapped.is_not(None)
)
_WRAP_RING = (
    update(KEYRING)
    .where(KEYRING.c.purpose == bindparam("of_purpose"), KEYRING.c.number == bindparam("of_number"))
    .values(sealed_by=bindparam("by"), wrapped=bindparam("anew"))
)
_WRAP_DATA_KEY = (
    update(DATA_KEYS)
    .where(DATA_KEYS.c.operator_id == bindparam("of_operator"), DATA_KEYS.c.key_id == bindparam("of_key"))
    .values(wrapped=bindparam("anew"))
)


def derived(key: bytes, purpose: str) -> bytes:
    """A key for one purpose from another key: knowing one tells nothing about the others."""
    return hashlib.blake2b(purpose.encode(), key=key, digest_size=KEY_BYTES).digest()


def fingerprint(key: bytes) -> str:
    """By which a key is recognised and which tells nothing about it."""
    return hashlib.blake2b(b"tallywatt installation key", key=key, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys in the clear, as one process holds them."""

    stations: bytes
    """What the keys of stations are hashed with. It stays: stations know their keys, and we do not."""
    signatures: bytes
    sealing: tuple[bytes, ...]
    """What data keys are wrapped with: the newest first, then those before it."""

    def vault(self) -> Vault:
        """A vault with these keys."""
        return Vault(*self.sealing)


def open_keyring(
    url: str, known: bytes | None, make: Callable[[], bytes], chance: Callable[[int], bytes], now: Instant
) -> Keyring:
    """The keys of an installation. The first time they are made, and the master key too where none was given."""
    connection = connect(url)
    try:
        found = read_keyring(connection, known)
        if found is not None:
            return found
        lived_in = bool(_rows(connection, _FIRST_OPERATOR))
        if lived_in and known is None:
            raise _missing()
        master = known if known is not None else make()
        if lived_in:
            # Made by a version without a ring: what it has used until now goes into the ring.
            _require_opens(connection, derived(master, SEALED))
        keys = {one: derived(master, one) if lived_in else chance(KEY_BYTES) for one in (STATIONS, SIGNATURES, SEALED)}
        connection.begin()
        for purpose, key in keys.items():
            _add(connection, master, purpose, 1, key, chance, now)
        connection.commit()
        made = read_keyring(connection, master)
        assert made is not None, "it was just written, by us or by whoever was first"
        return made
    finally:
        connection.close()


def read_keyring(connection: Connection, master: bytes | None) -> Keyring | None:
    """The ring of a database, or None where there is none yet; Broken without the right master key."""
    rows = _rows(connection, _RING)
    if not rows:
        return None
    if master is None:
        raise _missing()
    keys: dict[str, list[bytes]] = {}
    for purpose, number, sealed_by, wrapped in rows:
        if sealed_by != fingerprint(master):
            raise _wrong(str(sealed_by), master)
        try:
            key = _cipher(master).decrypt(wrapped[:NONCE_BYTES], bytes(wrapped[NONCE_BYTES:]), _about(purpose, number))
        except InvalidTag as error:
            msg = f"the key {purpose}/{number} in the database was altered"
            raise Broken(msg, code="keys.altered", remedy="bring back a backup: tallywatt restore FILE") from error
        keys.setdefault(purpose, []).append(key)
    return Keyring(keys[STATIONS][0], keys[SIGNATURES][0], tuple(keys[SEALED]))


def rotate(url: str, old: bytes, new: bytes, chance: Callable[[int], bytes], now: Instant) -> int:
    """Wrap the ring under a new master key, and every data key under a new key of the ring; how many data keys there are.

    All in one transaction. What signs is made anew, so that whoever had the old master key can sign nothing; the sealing keys
    before stay in the ring, because another process may wrap with one of them until it is started again.
    """
    connection = connect(url)
    try:
        connection.begin()
        ring = read_keyring(connection, old)
        assert ring is not None, "the house was opened before"
        rows = _rows(connection, _RING)
        fresh = chance(KEY_BYTES)
        vault, newest = ring.vault(), Vault(fresh)
        _rewrap(connection, rows, ring, new, chance)
        _add(
            connection,
            new,
            SEALED,
            1 + max(number for purpose, number, *_ in rows if purpose == SEALED),
            fresh,
            chance,
            now,
        )
        data_keys = _rows(connection, _DATA_KEYS)
        for operator, key_id, wrapped in data_keys:
            key = vault.unwrapped(bytes(wrapped), operator, key_id)
            anew = newest.wrap(key, chance(NONCE_BYTES), operator, key_id)
            _change(connection, _WRAP_DATA_KEY, of_operator=operator, of_key=key_id, anew=anew)
        connection.commit()
        return len(data_keys)
    except BaseException:
        connection.rollback()
        raise
    finally:
        connection.close()


def _rewrap(
    connection: Connection,
    rows: list[tuple[str, int, str, bytes]],
    ring: Keyring,
    new: bytes,
    chance: Callable[[int], bytes],
) -> None:
    sealing = iter(ring.sealing)
    for purpose, number, _, _ in rows:
        key = {STATIONS: ring.stations, SIGNATURES: chance(KEY_BYTES)}.get(purpose) or next(sealing)
        wrapped = _wrapped(new, purpose, number, key, chance)
        _change(connection, _WRAP_RING, of_purpose=purpose, of_number=number, by=fingerprint(new), anew=wrapped)


def _add(
    connection: Connection,
    master: bytes,
    purpose: str,
    number: int,
    key: bytes,
    chance: Callable[[int], bytes],
    now: Instant,
) -> None:
    statement = Statement(inserting(KEYRING, connection.dialect).on_conflict_do_nothing(), connection.dialect)
    row = {
        "purpose": purpose,
        "number": number,
        "sealed_by": fingerprint(master),
        "wrapped": _wrapped(master, purpose, number, key, chance),
        "created_at": now,
    }
    connection.change(statement.sql, statement.bind(row))


def _wrapped(master: bytes, purpose: str, number: int, key: bytes, chance: Callable[[int], bytes]) -> bytes:
    nonce = chance(NONCE_BYTES)
    return nonce + _cipher(master).encrypt(nonce, key, _about(purpose, number))


def _cipher(master: bytes) -> AESGCM:
    return AESGCM(derived(master, "keyring"))


def _about(purpose: str, number: int) -> bytes:
    return f"{purpose}/{number}".encode()


def _rows(connection: Connection, clause: ClauseElement) -> list[tuple[Any, ...]]:
    statement = compiled(clause, connection.dialect)
    return connection.execute(statement.sql, statement.bind({}))


def _change(connection: Connection, clause: ClauseElement, **values: object) -> None:
    statement = compiled(clause, connection.dialect)
    connection.change(statement.sql, statement.bind(values))


def _require_opens(connection: Connection, key: bytes) -> None:
    for operator, key_id, wrapped in _rows(connection, _DATA_KEYS)[:1]:
        try:
            Vault(key).unwrapped(bytes(wrapped), operator, key_id)
        except InvalidTag as error:
            msg = "the master key here does not open what is sealed in this database"
            raise Broken(msg, code="keys.wrong", remedy=REMEDY) from error


def _missing() -> Broken:
    msg = "the master key of this installation is not here, and without it nothing that is sealed can be opened"
    return Broken(msg, code="keys.missing", remedy=REMEDY)


def _wrong(sealed_by: str, master: bytes) -> Broken:
    here = fingerprint(master)
    msg = f"this database was sealed under the master key {sealed_by[:8]}…, and the one here is {here[:8]}…"
    return Broken(msg, code="keys.wrong", remedy=REMEDY)
