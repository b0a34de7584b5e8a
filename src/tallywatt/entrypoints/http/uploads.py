"""A file that comes in piece by piece and is kept piece by piece: no request holds all of it, and none of it lies about."""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING, Final

from tallywatt.customers.access import Scope, authorise
from tallywatt.entrypoints.http.doors import actor_of
from tallywatt.kernel.errors import BadInput
from tallywatt.workflows.imports import ImportKind
from tallywatt.workflows.take_import import KeepPart, OpenImport, keep_part, open_import

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

MOST_BYTES: Final = 32 * 1024 * 1024
"""Of a file, also of one that was packed, once it is unpacked."""
PART_BYTES: Final = 256 * 1024
GZIP: Final = b"\x1f\x8b"
LINE_END: Final = b"\n"
"""Parts end with a line, so that what stands in a row is found in one of them."""
SELLS: Final = frozenset((ImportKind.CUSTOMERS, ImportKind.TOKENS, ImportKind.STATIONS))


def authorise_kind(caller: Caller, kind: ImportKind) -> None:
    """Whoever brings customers or stations must be one who may add them."""
    if kind in SELLS:
        authorise(caller, Scope.SELL, caller.operator_id)


class Upload:
    """One file on its way in. `fingerprint` is of the bytes as they were sent."""

    def __init__(self, house: House, caller: Caller, import_id: str) -> None:
        self.import_id = import_id
        self._house = house
        self._caller = caller
        self._digest = hashlib.sha256()
        self._unpack: zlib._Decompress | None = None
        self._began = False
        self._kept = bytearray()
        self._number = 0
        self._size = 0

    async def receive(self, opened: OpenImport, chunks: AsyncIterator[bytes]) -> None:
        """Keep all of a file; BadInput when it is too long, or packed and damaged."""
        await self._write(open_import, opened)
        async for chunk in chunks:
            self._digest.update(chunk)
            await self._take(self._unpacked(chunk))
        if self._unpack is not None and not self._unpack.eof:
            msg = "the packed file breaks off"
            raise BadInput(msg, code="import.unreadable", remedy="send it again, whole")
        await self._take(b"", last=True)

    def fingerprint(self, *about: str) -> str:
        """What makes a request the same request."""
        return hashlib.sha256("\n".join((*about, self._digest.hexdigest())).encode()).hexdigest()

    def _unpacked(self, chunk: bytes) -> bytes:
        if not self._began and chunk:
            self._began = True
            if chunk.startswith(GZIP[:1]):
                # One byte may have come alone; no text that anybody writes begins with it.
                self._unpack = zlib.decompressobj(wbits=31)
        if self._unpack is None:
            return chunk
        try:
            plain = self._unpack.decompress(chunk, MOST_BYTES + 1 - self._size)
        except zlib.error as error:
            msg = f"the packed file is damaged: {error}"
            raise BadInput(msg, code="import.unreadable", remedy="send it again") from error
        if self._unpack.unconsumed_tail:
            raise self._too_long()
        return plain

    async def _take(self, plain: bytes, *, last: bool = False) -> None:
        self._kept += plain
        self._size += len(plain)
        if self._size > MOST_BYTES:
            raise self._too_long()
        while len(self._kept) >= PART_BYTES or (last and self._kept):
            end = self._kept.rfind(LINE_END, 0, PART_BYTES) + 1
            await self._keep(end or len(self._kept[:PART_BYTES]))

    async def _keep(self, size: int) -> None:
        part = KeepPart(self.import_id, self._number, bytes(self._kept[:size]))
        del self._kept[:size]
        self._number += 1
        await self._write(keep_part, part)

    async def _write(self, workflow: object, command: object) -> None:
        await self._house.write(
            self._caller.operator_id, workflow, command, actor=actor_of(self._caller)  # type: ignore[arg-type]  # of two kinds
        )  # fmt: skip

    @staticmethod
    def _too_long() -> BadInput:
        msg = f"the file has more than {MOST_BYTES // 1024 // 1024} MiB"
        return BadInput(msg, code="import.too_long", remedy="tell it in several files")
