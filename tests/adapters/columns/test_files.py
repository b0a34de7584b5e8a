"""Files of columns: what is written is read again, in either format, batch by batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from tallywatt.adapters.columns.files import batches, is_columns, written
from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

FORMATS = ["prices.parquet", "prices.arrow"]


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_written_is_read_again(tmp_path: Path, name: str) -> None:
    """Batches come back as one sequence, however they were cut."""
    path = tmp_path / name
    with written(path) as write:
        for first in (0, 3):
            write(pa.RecordBatch.from_pydict({"number": list(range(first, first + 3))}))

    assert is_columns(path)
    assert [number for batch in batches(path) for number in batch.column("number").to_pylist()] == list(range(6))


def test_without_a_file_nothing_is_written(tmp_path: Path) -> None:
    """Who wants only the sums names no file."""
    with written(None) as write:
        write(pa.RecordBatch.from_pydict({"number": [1]}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_is_none_is_told(tmp_path: Path, name: str) -> None:
    """It was cut off while it was copied, or is not there at all."""
    path = tmp_path / name
    with pytest.raises(BadInput) as missing:
        next(batches(path))
    path.write_bytes(b"PAR1 and then nothing")
    with pytest.raises(BadInput, match="cannot be read") as broken:
        next(batches(path))
    assert {missing.value.code, broken.value.code} == {"columns.unreadable"}


@pytest.mark.parametrize("name", FORMATS)
def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, name: str) -> None:
    """A folder that is not there is a typing error, not a bug."""
    with written(tmp_path / "nowhere" / name) as write, pytest.raises(BadInput, match="cannot be written"):
        write(pa.RecordBatch.from_pydict({"number": [1]}))
