"""The archive of a backup: one file that says what is in it, with a checksum of every part."""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
import zlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import msgspec

from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
DATABASE: Final = "database"
SEALED_KEY: Final = "installation.key.sealed"
CHUNK: Final = 1024 * 1024
_UNREADABLE: Final = (zipfile.BadZipFile, zlib.error, KeyError, EOFError, NotImplementedError, RuntimeError)
"""What Python says of a damaged archive, and of one that asks for a password or a method that ours never have."""


class Part(msgspec.Struct, frozen=True):
    """One file of the archive."""

    name: str
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What an archive says about itself."""

    format: int
    tallywatt: str
    """The version that made it."""
    engine: str
    revision: str
    made_at: str
    """RFC 3339, machine time: nothing that was written later is in it."""
    made_at_ms: int
    key_fingerprint: str
    """Of the installation's key, which is needed to open what is sealed; the key itself is only here if it was asked for."""
    parts: tuple[Part, ...]

    @property
    def has_key(self) -> bool:
        """Whether the installation's key is in it, sealed with a passphrase."""
        return any(one.name == SEALED_KEY for one in self.parts)


class ArchiveWriter:
    """Adds files to an archive and takes note of them."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.parts: list[Part] = []

    def add_file(self, name: str, path: Path) -> None:
        """Add the content of a file."""
        digest, size = hashlib.sha256(), 0
        with path.open("rb") as source, self._archive.open(name, "w", force_zip64=True) as target:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                target.write(chunk)
        self.parts.append(Part(name, size, digest.hexdigest()))

    def add_bytes(self, name: str, content: bytes) -> None:
        """Add a few bytes."""
        self._archive.writestr(name, content)
        self.parts.append(Part(name, len(content), hashlib.sha256(content).hexdigest()))

    def close_with(self, manifest: Manifest) -> None:
        """The last part: what is in it. An archive without it was not finished."""
        self._archive.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=2))


@contextmanager
def new_archive(path: Path) -> Iterator[ArchiveWriter]:
    """Write an archive that has its name only when it is whole and on the disk. It never replaces another one."""
    if path.exists():
        msg = f"{path} is there already"
        raise BadInput(msg, code="backup.exists", remedy="name a file that is not there yet")
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
                yield ArchiveWriter(archive)
            file.flush()
            os.fsync(file.fileno())
        _name(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _name(draft: Path, path: Path) -> None:
    try:
        path.hardlink_to(draft)  # unlike a rename, it fails when somebody was faster
    except FileExistsError:
        msg = f"{path} is there already"
        raise BadInput(msg, code="backup.exists", remedy="name a file that is not there yet") from None
    except OSError:
        draft.rename(path)  # a file system without links
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Let a new name in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # not every file system can
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


class ArchiveReader:
    """An archive whose manifest could be read. Parts are checked while they are taken out."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest, digest: str) -> None:
        self._archive = archive
        self.manifest = manifest
        self.sha256 = digest
        """Of the manifest, and through its checksums of everything."""

    def take_out(self, name: str, path: Path) -> None:
        """Write a part to a new file, and refuse it when a single bit differs."""
        part = self._part(name)
        digest = hashlib.sha256()
        try:
            with self._archive.open(name) as source, path.open("xb") as target:
                while chunk := source.read(CHUNK):
                    digest.update(chunk)
                    target.write(chunk)
                target.flush()
                os.fsync(target.fileno())
        except _UNREADABLE as error:
            raise _broken(name) from error
        if digest.hexdigest() != part.sha256 or path.stat().st_size != part.bytes:
            raise _broken(name)

    def read(self, name: str) -> bytes:
        """A small part, checked."""
        part = self._part(name)
        try:
            content = self._archive.read(name)
        except _UNREADABLE as error:
            raise _broken(name) from error
        if hashlib.sha256(content).hexdigest() != part.sha256:
            raise _broken(name)
        return content

    def _part(self, name: str) -> Part:
        found = next((one for one in self.manifest.parts if one.name == name), None)
        if found is None:
            raise _broken(name)
        return found


@contextmanager
def open_archive(path: Path) -> Iterator[ArchiveReader]:
    """Read an archive; BadInput with a remedy for anything that is none, or none of ours."""
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        msg = f"there is no file {path}"
        raise BadInput(msg, code="restore.no_file") from None
    except (zipfile.BadZipFile, OSError) as error:
        raise _broken(path.name) from error
    with archive:
        try:
            told = archive.read(MANIFEST)
            manifest = msgspec.json.decode(told, type=Manifest)
        except (*_UNREADABLE, msgspec.DecodeError) as error:
            raise _broken(MANIFEST) from error
        if manifest.format != FORMAT:
            msg = f"the archive has format {manifest.format}, this version reads {FORMAT}"
            remedy = f"restore it with the version that made it: {manifest.tallywatt}"
            raise BadInput(msg, code="restore.other_format", remedy=remedy)
        yield ArchiveReader(archive, manifest, hashlib.sha256(told).hexdigest())


def _broken(name: str) -> BadInput:
    msg = f"the archive is damaged: {name} is not what was put in"
    return BadInput(msg, code="restore.damaged", remedy="use another copy of it, or an older backup")


def room_for(path: Path, size: int) -> None:
    """Refuse before the work what could only end in a full disk."""
    free = shutil.disk_usage(path).free
    if free < size:
        msg = f"{path} has {free // 1_000_000} MB free, and {size // 1_000_000} MB are needed"
        raise BadInput(msg, code="backup.no_room", remedy="free some space, or name a file on another disk")
