"""Bulk uploads: a file of rows that is taken in row by row, and a report that says what became of each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant

UPLOAD: Final = "import"
"""The class of the key under which parts and waiting rows are sealed."""
MOST_ROWS: Final = 100_000
"""More are told in several files: a file is read as a whole, and its dates are judged by each other."""
REPORT_DAYS: Final = 90
"""How long the report of each row is kept after an import has ended; its figures stay."""
RECEIVING_SECONDS: Final = 3600
"""An upload that takes longer was broken off."""


class ImportKind(StrEnum):
    """What the rows are."""

    SESSIONS = "sessions"
    CUSTOMERS = "customers"
    TOKENS = "tokens"
    STATIONS = "stations"


class UserIs(StrEnum):
    """What the column of users names in an export of sessions."""

    TOKEN = "token"
    CUSTOMER = "customer"


class ImportState(StrEnum):
    """How far an import has come."""

    RECEIVING = "receiving"
    """Its file is coming in; nobody was told that it was taken."""
    READING = "reading"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """The file could not be read; no row of it was taken."""
    CANCELLED = "cancelled"
    """A person stopped it. What was taken stays."""


OPEN: Final = frozenset((ImportState.READING, ImportState.RUNNING))


class RowOutcome(StrEnum):
    """What became of a row."""

    WAITING = "waiting"
    TAKEN = "taken"
    ALREADY_THERE = "already_there"
    HELD = "held"
    """Taken, and waits for a person: nobody is known who owes, no price, a reading that cannot be."""
    REFUSED = "refused"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Import:
    """One upload. Its counts are written in the transaction of each row, so that they are always those of the report."""

    import_id: str
    kind: ImportKind
    name: str
    """As the file was called; whoever uploads it may say."""
    user_is: UserIs
    dry_run: bool
    """Each row is tried and undone again."""
    state: ImportState
    shape: str | None
    """Which shape the file has: `dundee`, `perth`, `csv`, `jsonl`."""
    bytes: int
    parts: int
    rows: int | None
    """None: it is not known yet."""
    read: int
    taken: int
    already_there: int
    held: int
    refused: int
    code: str | None
    """Why it failed."""
    message: str | None
    actor: str
    """Who uploaded it, and does what its rows do."""
    received_at: Instant
    began_at: Instant | None
    ended_at: Instant | None
    version: int = 1

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done."""
        return self.state in OPEN


@dataclass(frozen=True, slots=True)
class ImportPart:
    """A stretch of an uploaded file, sealed. It ends with a line, and is deleted once its rows are known."""

    import_id: str
    number: int
    key_id: str
    sealed: bytes


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One row of the file and what became of it. What it says is sealed, and forgotten as soon as it was tried."""

    import_id: str
    line: int
    outcome: RowOutcome
    code: str | None
    message: str | None
    subject_kind: str | None
    subject_id: str | None
    """What it has made, or what was there already."""
    key_id: str | None
    sealed: bytes | None
