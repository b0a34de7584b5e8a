"""The rows of an import: written down as they were read, then taken one by one, each with its outcome in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tallywatt.customers.customer import fold
from tallywatt.kernel.errors import Conflict
from tallywatt.metering.session import SessionState
from tallywatt.stations.station import StationState
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.add_station import AddStation, add_station
from tallywatt.workflows.bring_session import BringSession, bring_session
from tallywatt.workflows.imports import UPLOAD, Import, ImportKind, ImportRow, ImportState, RowOutcome
from tallywatt.workflows.keep_circle import JoinCircle, circles_of, find_circle, join_circle
from tallywatt.workflows.ports import Undone
from tallywatt.workflows.take_import import ended

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.workflows.ports import UnitOfWork

LONGEST_MESSAGE: Final = 500
HELD: Final = "sessions.held"
COUNTED: Final = (RowOutcome.TAKEN, RowOutcome.ALREADY_THERE, RowOutcome.HELD, RowOutcome.REFUSED)


@dataclass(frozen=True, slots=True)
class StagedRow:
    """A row as it was read: what it says as JSON, or why it says nothing that can be meant."""

    line: int
    content: bytes | None
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class StageRows:
    """Some rows of a file, in its order; `first`: how many stand before them."""

    import_id: str
    first: int
    rows: tuple[StagedRow, ...]


def stage_rows(work: UnitOfWork, command: StageRows) -> int:
    """Write rows down; how many of the file are written. The same rows again change nothing: a reader that died reads anew."""
    upload = work.imports.lock(command.import_id)
    if upload.state is not ImportState.READING or upload.read != command.first:
        return upload.read
    work.import_rows.add_all(_staged(work, upload, one) for one in command.rows)
    refused = sum(1 for one in command.rows if one.content is None)
    read = upload.read + len(command.rows)
    work.imports.put(replace(upload, read=read, refused=upload.refused + refused))
    return read


def _staged(work: UnitOfWork, upload: Import, row: StagedRow) -> ImportRow:
    if row.content is None:
        message = (row.message or "")[:LONGEST_MESSAGE]
        return ImportRow(upload.import_id, row.line, RowOutcome.REFUSED, row.code, message, None, None, None, None)
    key_id, sealed = work.vault.seal(UPLOAD, f"{upload.import_id}/row/{row.line}", row.content)
    # What was repaired is told beside whatever becomes of the row.
    return ImportRow(
        upload.import_id, row.line, RowOutcome.WAITING, row.code, row.message, None, None, key_id, sealed
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class EndReading:
    """The file is read to its end."""

    import_id: str
    shape: str
    rows: int


def end_reading(work: UnitOfWork, command: EndReading) -> Import:
    """From now on its rows are taken."""
    upload = work.imports.lock(command.import_id)
    if upload.state is not ImportState.READING:
        return upload
    assert upload.read == command.rows, "all rows were written down first"
    return work.imports.put(
        replace(
            upload, state=ImportState.RUNNING, shape=command.shape, rows=command.rows, began_at=work.machine_now
        )
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Came:
    """What a row came to."""

    outcome: RowOutcome
    subject_kind: str
    subject_id: str
    why: str | None = None
    """Of what waits for a person: the flags of its session."""
    state: str | None = None
    """Of a session: how far it has come."""


@dataclass(frozen=True, slots=True)
class TakeRow:
    """A row of an import, with the command that it is."""

    import_id: str
    line: int
    kind: ImportKind
    command: Any
    dry_run: bool = False


def take_row(work: UnitOfWork, row: TakeRow) -> None:
    """Do what a row says and write down what came of it, all or nothing. A row that has its outcome is left alone.

    Raises what the row's own workflow raises: then nothing is left of it, and `refuse_row` writes down why.
    """
    upload, waiting = _waiting(work, row.import_id, row.line)
    if waiting is None:
        return
    came = TAKE[row.kind](work, row.command)
    if row.dry_run:
        raise Undone(came=came)
    if came.why is not None:
        waiting = replace(waiting, code=HELD, message=came.why[:LONGEST_MESSAGE])
    _note(work, upload, waiting, came.outcome, came.subject_kind, came.subject_id)


@dataclass(frozen=True, slots=True)
class NoteRow:
    """What became of a row that left nothing else behind: it was refused, or it was only tried."""

    import_id: str
    line: int
    outcome: RowOutcome
    code: str | None = None
    message: str | None = None
    subject_kind: str | None = None
    subject_id: str | None = None


def note_row(work: UnitOfWork, command: NoteRow) -> None:
    """Write it into the report, unless the row has its outcome already."""
    upload, waiting = _waiting(work, command.import_id, command.line)
    if waiting is None:
        return
    if command.code is not None:
        waiting = replace(waiting, code=command.code, message=(command.message or "")[:LONGEST_MESSAGE])
    _note(work, upload, waiting, command.outcome, command.subject_kind, command.subject_id)


def _waiting(work: UnitOfWork, import_id: str, line: int) -> tuple[Import, ImportRow | None]:
    upload = work.imports.lock(import_id)
    row = work.import_rows.find(import_id, line) if upload.state is ImportState.RUNNING else None
    return upload, row if row is not None and row.outcome is RowOutcome.WAITING else None


def _note(
    work: UnitOfWork,
    upload: Import,
    row: ImportRow,
    outcome: RowOutcome,
    subject_kind: str | None,
    subject_id: str | None,
) -> None:
    kept = replace(row, outcome=outcome, subject_kind=subject_kind, subject_id=subject_id, key_id=None, sealed=None)
    work.import_rows.put(kept)
    work.imports.put(replace(upload, **{outcome.value: getattr(upload, outcome.value) + 1}))


@dataclass(frozen=True, slots=True)
class EndImport:
    """No row of it waits any more."""

    import_id: str


def end_import(work: UnitOfWork, command: EndImport) -> Import:
    """It is done when each of its rows has an outcome."""
    upload = work.imports.lock(command.import_id)
    if upload.state is not ImportState.RUNNING:
        return upload
    counted = sum(getattr(upload, outcome.value) for outcome in COUNTED)
    assert counted == upload.rows, f"{counted} of {upload.rows} rows have an outcome"
    return ended(work, upload, ImportState.DONE)


def take_session(work: UnitOfWork, command: BringSession) -> Came:
    """Bring a session."""
    known = work.sessions.one_by(source=command.source.value, upstream_id=command.upstream_id)
    session = bring_session(work, command)
    held = session.state is SessionState.HELD
    outcome = RowOutcome.ALREADY_THERE if known is not None else RowOutcome.HELD if held else RowOutcome.TAKEN
    why = ", ".join(session.flags) or "no price" if outcome is RowOutcome.HELD else None
    return Came(outcome, "session", session.session_id, why, session.state.value)


def take_customer(work: UnitOfWork, command: AddCustomer) -> Came:
    """Add a customer, unless there is one with the same data; to what it belongs is added, never taken away."""
    known = work.customers.one_by(reference=command.reference)
    if known is None:
        return Came(RowOutcome.TAKEN, "customer", add_customer(work, command).customer_id)
    details = work.customer_details.find(known.customer_id)
    kept = (details.name, details.email, details.address) if details is not None else ("", None, None)
    if (known.language, *kept) != (command.language, command.name, command.email, command.address):
        msg = f"there is a customer {command.reference!r} already, with other data"
        raise Conflict(msg, code="customers.reference_taken", remedy="change it: PATCH /customers/{reference}")
    of = circles_of(work, known.customer_id, work.now)
    missing = [one for one in command.circles if (circle := find_circle(work, one)).name not in of[circle.kind]]
    for one in missing:
        join_circle(work, JoinCircle(one, command.reference))
    return Came(RowOutcome.TAKEN if missing else RowOutcome.ALREADY_THERE, "customer", known.customer_id)


def take_token(work: UnitOfWork, command: AddToken) -> Came:
    """Add a card, unless it is there and is the same customer's."""
    known = work.tokens.one_by(type=command.type, uid_folded=fold(command.uid))
    if known is None:
        return Came(RowOutcome.TAKEN, "token", add_token(work, command).token_id)
    owner = work.customers.find(known.customer_id) if known.customer_id is not None else None
    if (owner.reference if owner is not None else None, known.valid_until) != (
        command.customer_reference,
        command.valid_until,
    ):
        msg = f"there is a token {command.uid!r} of type {command.type} already, of somebody else or for another time"
        raise Conflict(msg, code="tokens.uid_taken")
    return Came(RowOutcome.ALREADY_THERE, "token", known.token_id)


def take_station(work: UnitOfWork, command: AddStation) -> Came:
    """Add a station, or adopt one that waits, unless it is there as it is told."""
    known = work.stations.one_by(identity=command.identity)
    if known is None or known.state is StationState.QUARANTINED:
        return Came(RowOutcome.TAKEN, "station", add_station(work, command).station_id)
    location = work.locations.find(known.location_id) if known.location_id is not None else None
    told = (command.location_reference, {one.number for one in command.evses})
    kept = (
        location.reference if location is not None else None,
        {one.number for one in work.evses.by(station_id=known.station_id)},
    )
    if told != kept or (command.key_hash is not None and command.key_hash != known.key_hash):
        msg = f"there is a station {command.identity!r} already, with another place, key or other EVSEs"
        raise Conflict(msg, code="stations.identity_taken")
    return Came(RowOutcome.ALREADY_THERE, "station", known.station_id)


TAKE: Final[dict[ImportKind, Callable[[UnitOfWork, Any], Came]]] = {
    ImportKind.SESSIONS: take_session,
    ImportKind.CUSTOMERS: take_customer,
    ImportKind.TOKENS: take_token,
    ImportKind.STATIONS: take_station,
}
"""What does a row of each kind, and tells whether it was there already. The command line takes its rows through these, too."""
COMMANDS: Final[dict[ImportKind, type]] = {
    ImportKind.SESSIONS: BringSession,
    ImportKind.CUSTOMERS: AddCustomer,
    ImportKind.TOKENS: AddToken,
    ImportKind.STATIONS: AddStation,
}
"""What a row of each kind is, in the words of the workflows."""
