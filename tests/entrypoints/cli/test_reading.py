"""What commands read and write, where a file cannot be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.entrypoints.cli.reading import read_bytes, write_bytes
from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """Whoever mistypes a folder reads a sentence, not a traceback."""
    with pytest.raises(BadInput) as refused:
        write_bytes(tmp_path / "nowhere" / "debits.xml", b"")
    assert (refused.value.code, "nowhere" in refused.value.message) == ("file.unwritable", True)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    write_bytes(tmp_path / "one", b"\x00\xff")
    assert read_bytes(tmp_path / "one") == b"\x00\xff"
