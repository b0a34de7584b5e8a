"""Where a Unix socket lies: its address may have some hundred bytes, its folder may have more."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_ADDRESS = 100
"""Linux takes 107 bytes, macOS 103."""
_OPEN_FILES = Path("/proc/self/fd")


@contextmanager
def address_of(path: Path) -> Iterator[str]:
    """An address that is short enough for the socket at that path, good while the context lasts."""
    if len(os.fsencode(path)) <= LONGEST_ADDRESS:
        yield str(path)
        return
    if not _OPEN_FILES.is_dir():
        msg = f"{path} is too long for a Unix socket"
        raise BadInput(msg, code="control.path_too_long", remedy="use a data directory with a shorter path")
    # The folder, held open, has a short name of its own.
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield str(_OPEN_FILES / str(folder) / path.name)
    finally:
        os.close(folder)
