"""A whole file of rows of one kind, in whichever shape it is, made into commands: what every way of importing reads with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.adapters.imports import plain
from tallywatt.adapters.imports.read import BELIEVABLE, header_of, import_text, text_of
from tallywatt.adapters.imports.rows import ReadRow, ReadUpload
from tallywatt.kernel.errors import BadInput
from tallywatt.metering.session import Source
from tallywatt.workflows.bring_session import BringSession
from tallywatt.workflows.imports import MOST_ROWS, ImportKind, UserIs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tallywatt.adapters.imports.rows import NormalisedSession

REPAIRED = "repaired"


def read_upload(
    kind: ImportKind, content: bytes, name: str, user_is: UserIs, hash_key: Callable[[str], str]
) -> ReadUpload:
    """Everything that a file says, row by row; BadInput when it is of no shape that we know."""
    text = text_of(content, name)
    if text.lstrip()[:1] == "{":
        return _of("jsonl", plain.json_lines(text, kind, hash_key))
    header = header_of(text)
    if kind is ImportKind.SESSIONS and "upstream_id" not in header:
        found = import_text(text, BELIEVABLE)
        rows = [
            ReadRow(
                one.line,
                None if one.session is None else brought(one.session, one.verdict.value, user_is),
                one.findings,
                one.verdict.value,
            )
            for one in found.rows
        ]
        return _whole(found.shape, rows)
    plain.require_known(header, kind)
    return _of("csv", plain.table(text, kind, hash_key))


def brought(session: NormalisedSession, verdict: str, user_is: UserIs) -> BringSession:
    """The command that brings a row of an export."""
    return BringSession(
        source=Source.CSV,
        upstream_id=session.upstream_id,
        started_at=session.started_at,
        ended_at=session.ended_at,
        milliwatt_hours=session.milliwatt_hours,
        station=session.station,
        evse_number=session.connector,
        token_uid=session.user if user_is is UserIs.TOKEN else None,
        customer_reference=session.user if user_is is UserIs.CUSTOMER else None,
        flags=("repaired_by_import",) if verdict == REPAIRED else (),
    )


def _of(shape: str, judged: Iterable[plain.Judged]) -> ReadUpload:
    rows = [
        ReadRow(line, command, () if finding is None else (finding,), "accepted" if finding is None else "refused")
        for line, command, finding in judged
    ]
    return _whole(shape, rows)


def _whole(shape: str, rows: list[ReadRow]) -> ReadUpload:
    if not rows:
        msg = "the file has no rows"
        raise BadInput(msg, code="import.empty")
    if len(rows) > MOST_ROWS:
        msg = f"the file has {len(rows)} rows, more than {MOST_ROWS}"
        raise BadInput(msg, code="import.too_many_rows", remedy="tell it in several files")
    return ReadUpload(shape, tuple(rows))
