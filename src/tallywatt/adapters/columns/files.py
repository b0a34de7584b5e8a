"""Files of columns: Parquet and Arrow, read in batches and written as they come."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PARQUET: Final = frozenset({".parquet", ".pq"})
ARROW: Final = frozenset({".arrow", ".feather", ".ipc"})
AT_ONCE: Final = 1 << 16
"""So many records are in memory at a time, whatever the size of the file."""


def is_columns(path: Path) -> bool:
    """Whether a file's name says that it holds columns."""
    return path.suffix.lower() in PARQUET | ARROW


def batches(path: Path) -> Iterator[pa.RecordBatch]:
    """The batches of a file."""
    try:
        if path.suffix.lower() in PARQUET:
            with pq.ParquetFile(path) as opened:
                yield from opened.iter_batches(batch_size=AT_ONCE)
        else:
            with pa.memory_map(str(path)) as mapped, pa.ipc.open_file(mapped) as opened:
                yield from (
                    opened.get_batch(number).slice(first, AT_ONCE)
                    for number in range(opened.num_record_batches)
                    for first in range(0, len(opened.get_batch(number)), AT_ONCE)
                )
    except (OSError, pa.ArrowInvalid) as error:
        # A broken Parquet file is an OSError of Arrow's own, too.
        msg = f"{path} cannot be read: {error}"
        raise BadInput(msg, code="columns.unreadable", remedy="give a Parquet or an Arrow file") from error


@contextmanager
def written(path: Path | None) -> Iterator[Callable[[pa.RecordBatch], None]]:
    """A file into which batches are written as they come; without a path they go nowhere."""
    opened: list[Any] = []

    def write(batch: pa.RecordBatch) -> None:
        if path is None:
            return
        try:
            if not opened:
                opened.append(_new(path, batch.schema))
            opened[0].write_batch(batch)
        except OSError as error:
            msg = f"{path} cannot be written: {error}"
            raise BadInput(msg, code="file.unwritable") from error

    try:
        yield write
    finally:
        for one in opened:
            one.close()


def _new(path: Path, schema: pa.Schema) -> Any:
    if path.suffix.lower() in PARQUET:
        return pq.ParquetWriter(path, schema)
    return pa.ipc.new_file(str(path), schema)
