"""A file comes in: opened, part by part, begun; or let go, cancelled, found unreadable."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.kernel.events import Event
from tallywatt.workflows.imports import UPLOAD, Import, ImportKind, ImportPart, ImportState, UserIs
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork

LONGEST_NAME = 200
JOB = "run_import"


@dataclass(frozen=True, slots=True)
class OpenImport:
    """Somebody begins to send a file. The id is drawn by the door, which names its parts by it."""

    import_id: str
    kind: ImportKind
    name: str = ""
    user_is: UserIs = UserIs.TOKEN
    dry_run: bool = False


def open_import(work: UnitOfWork, command: OpenImport) -> Import:
    """Write down that a file is coming. Nobody sees it before it is whole."""
    if len(command.name) > LONGEST_NAME or not command.name.isprintable():
        msg = f"the name of the file has more than {LONGEST_NAME} characters, or cannot be printed"
        raise BadInput(msg, code="imports.bad_name")
    row = Import(
        import_id=command.import_id,
        kind=command.kind,
        name=command.name,
        user_is=command.user_is,
        dry_run=command.dry_run,
        state=ImportState.RECEIVING,
        shape=None,
        bytes=0,
        parts=0,
        rows=None,
        read=0,
        taken=0,
        already_there=0,
        held=0,
        refused=0,
        code=None,
        message=None,
        actor=work.actor,
        received_at=work.machine_now,
        began_at=None,
        ended_at=None,
    )
    work.imports.add(row)
    return row


@dataclass(frozen=True, slots=True)
class KeepPart:
    """The next stretch of the file."""

    import_id: str
    number: int
    content: bytes


def keep_part(work: UnitOfWork, command: KeepPart) -> None:
    """Seal it and keep it until its rows are known."""
    upload = _receiving(work, command.import_id)
    # Sealed like frames, so that a search for a person's traces can open it and seal it again without them.
    key_id, sealed = work.vault.seal(UPLOAD, f"{command.import_id}/{command.number}", command.content)
    work.import_parts.add(ImportPart(command.import_id, command.number, key_id, sealed))
    work.imports.put(replace(upload, bytes=upload.bytes + len(command.content), parts=upload.parts + 1))


@dataclass(frozen=True, slots=True)
class BeginImport:
    """All of it is here."""

    import_id: str


def begin_import(work: UnitOfWork, command: BeginImport) -> Import:
    """Let a worker read it. From here on it is taken: whoever sent it may be told."""
    upload = _receiving(work, command.import_id)
    if not upload.bytes:
        msg = "the file is empty"
        raise BadInput(msg, code="import.empty", remedy="send the rows as the body of the request")
    begun = work.imports.put(replace(upload, state=ImportState.READING, received_at=work.machine_now))
    work.jobs.add(Job(JOB, begun.import_id))
    figures = {"kind": begun.kind.value, "bytes": begun.bytes, "dry_run": begun.dry_run}
    record_action(work, "import.add", "import", begun.import_id, after=figures)
    work.events.append(Event("import", begun.import_id, "ImportReceived", {"kind": begun.kind.value}))
    return begun


def _receiving(work: UnitOfWork, import_id: str) -> Import:
    upload = work.imports.lock(import_id)
    if upload.state is not ImportState.RECEIVING:
        msg = "this file is whole already"
        raise Conflict(msg, code="imports.whole")
    return upload


@dataclass(frozen=True, slots=True)
class FailImport:
    """No rows can be read from it."""

    import_id: str
    code: str
    message: str


def fail_import(work: UnitOfWork, command: FailImport) -> Import:
    """Say why; none of its rows was taken."""
    upload = work.imports.lock(command.import_id)
    if upload.state is not ImportState.READING:
        return upload
    return ended(work, replace(upload, code=command.code, message=command.message), ImportState.FAILED)


@dataclass(frozen=True, slots=True)
class CancelImport:
    """Which one."""

    import_id: str


def cancel_import(work: UnitOfWork, command: CancelImport) -> Import:
    """Take no further row. Those that were taken stay, and the report says which they are."""
    upload = work.imports.lock(command.import_id)
    if upload.state is ImportState.RECEIVING:
        msg = "there is no such import"
        raise NotFound(msg, code="imports.not_found")
    if upload.state is ImportState.CANCELLED:
        return upload
    if not upload.is_open:
        msg = "this import has ended"
        raise Conflict(msg, code="imports.ended", remedy="what it has taken is undone one by one")
    record_action(work, "import.cancel", "import", upload.import_id, before={"state": upload.state.value})
    # The worker that comes round forgets what the rows said.
    work.jobs.add(Job(JOB, upload.import_id))
    return ended(work, upload, ImportState.CANCELLED)


def ended(work: UnitOfWork, upload: Import, state: ImportState) -> Import:
    """The end of an import, whichever it is."""
    figures = {
        "kind": upload.kind.value,
        "state": state.value,
        "rows": upload.rows or 0,
        "taken": upload.taken,
        "already_there": upload.already_there,
        "held": upload.held,
        "refused": upload.refused,
    }
    work.events.append(Event("import", upload.import_id, "ImportEnded", figures))
    return work.imports.put(replace(upload, state=state, ended_at=work.machine_now))
