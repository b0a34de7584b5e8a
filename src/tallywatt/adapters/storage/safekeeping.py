"""Backup and return: the database, and the installation's key if it is asked for, in one checked archive."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tallywatt.adapters.storage.archive import (
    DATABASE,
    FORMAT,
    SEALED_KEY,
    Manifest,
    new_archive,
    open_archive,
    room_for,
    sync_folder,
)
from tallywatt.adapters.storage.backup import (
    RETURNING,
    engine_of,
    open_again,
    put_back,
    require_empty,
    revision_of,
    size_of,
    take_copy,
)
from tallywatt.adapters.storage.connections import connect, is_sqlite, sqlite_path
from tallywatt.adapters.storage.keyring import Keyring, fingerprint
from tallywatt.adapters.storage.migrations import HEAD, migrate, upgrade
from tallywatt.adapters.storage.store import take_write_lock
from tallywatt.adapters.storage.vault import NONCE_BYTES
from tallywatt.adapters.storage.writer import GroupWriter
from tallywatt.kernel.clock import Instant, rfc3339
from tallywatt.kernel.errors import BadInput, SchemaUnknown
from tallywatt.workflows.begin_restoration import BeginRestoration, begin_restoration

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tallywatt.adapters.storage.archive import ArchiveReader
    from tallywatt.kernel.identity import Draw

SCRYPT: Final = {"n": 2**15, "r": 8, "p": 1, "maxmem": 64 * 1024 * 1024, "dklen": 32}
SALT_BYTES: Final = 16
POSITIONS_LEFT_OUT: Final = 1_000_000_000
"""More than any installation writes between two backups."""


@dataclass(frozen=True, slots=True)
class Sealing:
    """A passphrase, and the chance that keeps two archives under the same one apart."""

    passphrase: str
    salt: bytes


def back_up(url: str, path: Path, *, key: bytes, version: str, now: Instant, sealing: Sealing | None) -> Manifest:
    """Write an archive of the database as it is at one moment. It may be in use."""
    revision = revision_of(url)
    path.parent.mkdir(parents=True, exist_ok=True)
    room_for(path.parent, size_of(url))
    with TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder, new_archive(path) as archive:
        copy = Path(folder) / DATABASE
        take_copy(url, copy)
        archive.add_file(DATABASE, copy)
        if sealing is not None:
            archive.add_bytes(SEALED_KEY, _sealed(key, sealing))
        manifest = Manifest(
            FORMAT, version, engine_of(url), revision, rfc3339(now), now, fingerprint(key), tuple(archive.parts)
        )
        archive.close_with(manifest)
    return manifest


def _sealed(key: bytes, sealing: Sealing) -> bytes:
    return sealing.salt + _cipher(sealing.passphrase, sealing.salt).encrypt(b"\0" * NONCE_BYTES, key, None)


def _cipher(passphrase: str, salt: bytes) -> AESGCM:
    # The salt makes the key, and a key seals once: the nonce need not tell anything.
    return AESGCM(hashlib.scrypt(passphrase.encode(), salt=salt, **SCRYPT))


def _opened(sealed: bytes, passphrase: str) -> bytes:
    try:
        cipher = _cipher(passphrase, sealed[:SALT_BYTES])
        return cipher.decrypt(b"\0" * NONCE_BYTES, sealed[SALT_BYTES:], None)
    except InvalidTag:
        msg = "the passphrase does not open the key in the archive"
        raise BadInput(msg, code="restore.wrong_passphrase") from None


@dataclass(frozen=True, slots=True)
class Place:
    """Where an installation comes back to: an empty database, its key if it is there, and how to keep one."""

    url: str
    key: bytes | None
    keep_key: Callable[[bytes], bytes]
    unfinished: Path
    """A file that is there while a return goes on: nobody opens the house meanwhile."""
    keyring: Callable[[str, bytes], Keyring]
    """The ring of a database that was brought back, opened with the installation's own key."""
    draw: Callable[[], Draw]


def bring_back(path: Path, place: Place, passphrase: str | None) -> tuple[Manifest, int]:
    """Fill an empty place from an archive; what it said about itself, and how many operators came back.

    Everything is checked before anything is written. Until the end no server starts on what is there.
    """
    with open_archive(path) as archive:
        manifest = archive.manifest
        if manifest.engine != engine_of(place.url):
            msg = f"the archive is of {manifest.engine}, and this place is {engine_of(place.url)}"
            raise BadInput(
                msg, code="restore.other_engine", remedy="set TALLYWATT_DATABASE_URL to an empty database of its engine"
            )
        if manifest.revision > HEAD:
            msg = f"the archive has revision {manifest.revision}, this version knows up to {HEAD}"
            raise SchemaUnknown(msg, remedy=f"restore it with Tallywatt {manifest.tallywatt} or newer")
        require_empty(place.url)
        key = _key_for(archive, place, passphrase)
        place.unfinished.parent.mkdir(parents=True, exist_ok=True)
        place.unfinished.write_text(f"a return from {path} is going on, or was broken off\n", encoding="utf-8")
        operators = _fill(archive, place, key)
        place.unfinished.unlink()
        return manifest, operators


def _key_for(archive: ArchiveReader, place: Place, passphrase: str | None) -> bytes:
    wanted = archive.manifest.key_fingerprint
    key = place.key
    if key is None and archive.manifest.has_key:
        if passphrase is None:
            msg = "the archive has the installation's key, and a passphrase opens it"
            raise BadInput(msg, code="restore.passphrase_needed", remedy="name its file with --passphrase-file")
        key = _opened(archive.read(SEALED_KEY), passphrase)
    if key is None:
        msg = "the installation's key is neither here nor in the archive; without it sealed data is lost"
        remedy = "copy installation.key of the old data directory into the new one, or set TALLYWATT_MASTER_KEY"
        raise BadInput(msg, code="restore.no_key", remedy=remedy)
    if fingerprint(key) != wanted:
        msg = "the installation's key here is not the one that the archive was made with"
        remedy = "put the old installation.key into the data directory, or restore into a new one"
        raise BadInput(msg, code="restore.other_key", remedy=remedy)
    return key


def _fill(archive: ArchiveReader, place: Place, key: bytes) -> int:
    manifest = archive.manifest
    if not is_sqlite(place.url):
        with TemporaryDirectory(prefix="tallywatt-restore-") as folder:
            taken = Path(folder) / DATABASE
            archive.take_out(DATABASE, taken)
            put_back(taken, place.url, manifest.revision)
        migrate(place.url, versions=RETURNING)
        operators = _begin(place.url, archive, key, place)
        place.keep_key(key)
        # Last of all: a server of another machine, which sees no file of ours, opens what has a revision.
        open_again(place.url)
        return operators
    target = Path(sqlite_path(place.url))
    target.parent.mkdir(parents=True, exist_ok=True)
    with take_write_lock(place.url), TemporaryDirectory(prefix=".restore.", dir=target.parent) as folder:
        taken = Path(folder) / DATABASE
        archive.take_out(DATABASE, taken)
        upgrade(f"sqlite:///{taken}")
        operators = _begin(f"sqlite:///{taken}", archive, key, place)
        place.keep_key(key)
        put_back(taken, place.url, manifest.revision)
        sync_folder(target.parent)
    return operators


def _begin(url: str, archive: ArchiveReader, key: bytes, place: Place) -> int:
    """Let every operator know that its last days are missing."""
    writer = GroupWriter(lambda: connect(url), place.draw, place.keyring(url, key).vault())
    reader = connect(url, read_only=True)
    try:
        operators = [row[0] for row in reader.execute("SELECT operator_id FROM operators ORDER BY operator_id")]
    finally:
        reader.close()
    command = BeginRestoration(archive.sha256, Instant(archive.manifest.made_at_ms))
    answers: list[Any] = []
    for operator in operators:
        writer.submit(operator, begin_restoration, command, answers.append, actor="cli:restore")
        writer.step()
    writer.stop()
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    _leave_room_for_what_was_told(url)
    return len(operators)


def _leave_room_for_what_was_told(url: str) -> None:
    """Programs have read events behind the backup, and keep their positions: what comes now must come behind those."""
    connection = connect(url)
    try:
        connection.begin()
        connection.execute(f"UPDATE sequencer SET last_position = last_position + {POSITIONS_LEFT_OUT}")
        connection.commit()
    finally:
        connection.close()
