"""Uploads of anything: a file is read row by row or refused as a whole, never with a crash, and no row is lost."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import Any, Final

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tallywatt.adapters.imports import plain
from tallywatt.adapters.imports.rows import ReadUpload
from tallywatt.adapters.imports.upload import read_upload
from tallywatt.kernel.errors import BadInput
from tallywatt.workflows.imports import ImportKind, UserIs
from tests.adapters.imports.test_read import DUNDEE_HEADER, PERTH_HEADER

KINDS = st.sampled_from(list(ImportKind))
WORDS: Final = (
    "", " ", "C1", "0", "-1", "7.5", "1e400", "NaN", "Infinity", "1" * 5000, "2026-01-01T00:00:00Z", "2026-13-01T00:00:00Z",
    "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "31/02/2018", "06/09/2018", "24:00", "12:00", "null", "true", "[]",
    "\x00", "\ud83d", "é", "x@y", "ac", "RFID", '"', "'", "=1+1", "\t", "\u2028", "\r",
)  # fmt: skip
CELLS = st.one_of(st.sampled_from(WORDS), st.text(max_size=20))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), CELLS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(CELLS, inner, max_size=3)),
    max_leaves=8,
)


def read(kind: ImportKind, content: bytes) -> ReadUpload | BadInput:
    """The rows, or why there are none; each row is a command, or says why it is none."""
    try:
        return read_upload(kind, content, "file", UserIs.TOKEN, lambda key: key)
    except BadInput as refused:
        return refused


def faults(found: ReadUpload | BadInput) -> list[str]:
    """What must not be, whatever was read: a refusal or a row without its reason, a row twice or out of order."""
    if isinstance(found, BadInput):
        return [] if found.code.startswith("import.") else [found.code]
    lines = [row.line for row in found.rows]
    return [
        *(["rows are there twice, or not in the order of the file"] if lines != sorted(set(lines)) else []),
        *(f"line {row.line}" for row in found.rows if (row.command is None) is not (row.verdict == "refused")),
        *(f"line {row.line}" for row in found.rows if row.verdict != "accepted" and not (row.code and row.sentence)),
    ]


@settings(max_examples=200)
@given(kind=KINDS, content=st.binary(max_size=200), packed=st.booleans())
@example(kind=ImportKind.SESSIONS, content=b"\x1f\x8b\x08" + b"\xff" * 20, packed=False)
@example(kind=ImportKind.TOKENS, content=b"uid\n" + b"x" * 200_000, packed=False)
@example(kind=ImportKind.TOKENS, content=b'uid\n"' + b"x\n" * 100_000, packed=True)
@example(kind=ImportKind.TOKENS, content=b"{" * 100_000, packed=False)
@example(kind=ImportKind.TOKENS, content=b"x" * 200_000, packed=False)
def test_any_bytes_are_read_or_refused(kind: ImportKind, content: bytes, packed: bool) -> None:
    """A picture, half an archive, a file of zeros: somebody always picks the wrong one."""
    assert not faults(read(kind, gzip.compress(content) if packed else content))


@settings(max_examples=200)
@given(
    kind=KINDS,
    rows=st.lists(st.one_of(JSON, st.dictionaries(st.sampled_from(WORDS), JSON, max_size=4)), max_size=5),
    data=st.data(),
)
def test_every_line_of_json_is_a_row_of_the_report(kind: ImportKind, rows: list[Any], data: st.DataObject) -> None:
    """Whatever a program has written into its lines."""
    names = st.sampled_from(plain.columns_of(kind))
    ours = data.draw(st.lists(st.dictionaries(names, st.one_of(CELLS, JSON), max_size=8), min_size=1, max_size=5))
    text = "\n".join(json.dumps(row) for row in (*ours, *rows))

    found = read(kind, text.encode("utf-8", "surrogatepass"))

    assert not faults(found)
    assert isinstance(found, ReadUpload)
    assert len(found.rows) == len(ours) + len(rows)


@settings(max_examples=200)
@given(kind=KINDS, rows=st.lists(st.lists(CELLS, max_size=9), min_size=1, max_size=6), data=st.data())
def test_every_row_of_a_table_is_a_row_of_the_report(
    kind: ImportKind, rows: list[list[str]], data: st.DataObject
) -> None:
    """Cells of any content, rows of any length, under a header that is known."""
    required = plain.required_of(kind)
    others = data.draw(
        st.lists(st.sampled_from([one for one in plain.columns_of(kind) if one not in required]), unique=True)
    )
    header = [*required, *others]
    text = _written([header, *rows])

    found = read(kind, text.encode("utf-8", "replace"))

    assert not faults(found)
    # Read again as the module reads it: a lone carriage return ends a row too.
    told = [
        row
        for row in list(csv.reader(io.StringIO(text.encode("utf-8", "replace").decode(), newline="")))[1:]
        if any(one.strip() for one in row)
    ]
    assert len(found.rows) == len(told) if isinstance(found, ReadUpload) else not told


@settings(max_examples=150)
@given(
    header=st.sampled_from([DUNDEE_HEADER, PERTH_HEADER]),
    rows=st.lists(st.lists(CELLS, min_size=1, max_size=12), min_size=1, max_size=6),
    fits=st.booleans(),
)
def test_every_row_of_somebody_elses_export_is_a_row_of_the_report(
    header: str, rows: list[list[str]], *, fits: bool
) -> None:
    """Dates in any order, figures in any form, cells too many or too few."""
    width = len(header.split(","))
    if fits:
        rows = [(row * width)[:width] for row in rows]
    text = f"{header}\n{_written(rows)}"

    found = read(ImportKind.SESSIONS, text.encode("utf-8", "replace"))

    assert not faults(found)
    told = [
        row
        for row in list(csv.reader(io.StringIO(text.encode("utf-8", "replace").decode(), newline="")))[1:]
        if any(row)
    ]
    assert len(found.rows) == len(told) if isinstance(found, ReadUpload) else not told


def _written(rows: list[list[str]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue()
