"""Read a CSV export of charging sessions, plain or gzip, and report on every row of it."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from typing import TYPE_CHECKING

from tallywatt.adapters.imports.dates import Candidates, settle_order
from tallywatt.adapters.imports.judge import RawRow, judge
from tallywatt.adapters.imports.rows import Finding, Import, Limits, RowReport, Verdict
from tallywatt.adapters.imports.shapes import Shape, shape_of
from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GZIP_MAGIC = b"\x1f\x8b"
PRECISION_SECONDS = 60
MOST_UNPACKED = 256 * 1024 * 1024
BELIEVABLE = Limits()


def read_sessions(path: Path, limits: Limits = BELIEVABLE) -> Import:
    """Everything that a file says, row by row; BadInput when it is not an export that we know."""
    return import_text(text_of(content_of_file(path), path.name), limits)


def content_of_file(path: Path) -> bytes:
    """The bytes of a file, or BadInput."""
    try:
        return path.read_bytes()
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise BadInput(msg, code="import.unreadable", remedy="Check the path and its permissions.") from error


def import_text(text: str, limits: Limits = BELIEVABLE) -> Import:
    """Everything that the text of an export says, row by row."""
    lines = rows_of(text)
    header = [name.strip() for name in next(lines, (1, []))[1]]
    shape = shape_of(header)
    raw = list(_rows(lines, header))
    starts = settle_order([_start_candidates(row, shape) for row in raw])
    judged = [judge(row, start, shape, limits) for row, start in zip(raw, starts, strict=True)]
    return Import(shape.name, shape.zone, PRECISION_SECONDS, tuple(_without_duplicates(judged)))


def header_of(text: str) -> list[str]:
    """The names in the first line."""
    return [name.strip() for name in next(rows_of(text), (1, []))[1]]


def rows_of(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of a table with the line at which each begins, empty ones too; BadInput where it cannot be cut into cells."""
    lines = csv.reader(io.StringIO(text, newline=""))
    here = 1
    try:
        for cells in lines:
            yield here, cells
            here = lines.line_num + 1  # a quoted text may run over several lines
    except csv.Error as error:
        msg = f"from line {here} on the file is no table: a cell has more than {csv.field_size_limit()} characters"
        remedy = "look for a quotation mark that is opened there and not closed"
        raise BadInput(msg, code="import.unreadable", remedy=remedy) from error


def text_of(content: bytes, name: str) -> str:
    """The text of a file, plain or gzip, in whichever of two encodings."""
    if content.startswith(GZIP_MAGIC):
        content = _unpacked(content, name)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")  # what spreadsheets write when they do not write UTF-8


def _unpacked(content: bytes, name: str) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            # A few kilobytes may unpack to more than any machine holds.
            unpacked = packed.read(MOST_UNPACKED + 1)
    except (OSError, EOFError, zlib.error) as error:
        msg = f"{name} is a damaged gzip file: {error}"
        raise BadInput(msg, code="import.unreadable", remedy="Fetch the file again.") from error
    if len(unpacked) > MOST_UNPACKED:
        msg = f"{name} unpacks to more than {MOST_UNPACKED} bytes"
        raise BadInput(msg, code="import.too_large", remedy="tell it in several files")
    return unpacked


def _rows(lines: Iterator[tuple[int, list[str]]], header: list[str]) -> Iterator[RawRow]:
    for here, cells in lines:
        if not any(cells):
            continue  # an empty line is not a row
        named = {name: cell for name, cell in zip(header, cells, strict=False) if name}
        stray = tuple(cell for name, cell in zip(header, cells, strict=False) if not name)
        yield RawRow(here, named, stray, complete=len(cells) == len(header))


def _start_candidates(row: RawRow, shape: Shape) -> Candidates | None:
    if not row.complete:
        return None
    try:
        return shape.candidates(row.texts[shape.start_date], row.texts[shape.start_time])
    except ValueError:
        return None


def _without_duplicates(judged: list[RowReport]) -> Iterator[RowReport]:
    """The first row of an upstream id stays; a later one is refused, and says whether it tells the same."""
    first: dict[str, RowReport] = {}
    for row in judged:
        session = row.session
        if session is None:
            yield row
            continue
        earlier = first.setdefault(session.upstream_id, row)
        if earlier is row:
            yield row
        elif earlier.session == session:
            finding = Finding("row.duplicate", f"The same session as in line {earlier.line}.")
            yield RowReport(row.line, Verdict.REFUSED, (finding,), None)
        else:
            finding = Finding("row.contradiction", f"The number of line {earlier.line} again, with another content.")
            yield RowReport(row.line, Verdict.REFUSED, (finding,), None)
