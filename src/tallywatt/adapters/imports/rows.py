"""Pure: what an import yields: a normalised session, and a report for every row of the file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant


class Verdict(StrEnum):
    """What became of a row."""

    ACCEPTED = "accepted"
    REPAIRED = "repaired"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class NormalisedSession:
    """A charging session as somebody else recorded it, in our units."""

    upstream_id: str
    station: str
    connector: int
    started_at: Instant
    ended_at: Instant
    milliwatt_hours: int
    user: str | None
    site: str
    model: str
    zone: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a reader should know about a row: a stable code, and a sentence for people."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class RowReport:
    """One row of the file: its line, the verdict and why; the session unless it was refused."""

    line: int
    verdict: Verdict
    findings: tuple[Finding, ...]
    session: NormalisedSession | None

    def __post_init__(self) -> None:
        assert (self.session is None) == (self.verdict is Verdict.REFUSED), "only a refused row has no session"
        assert self.findings or self.verdict is Verdict.ACCEPTED, "a row is repaired or refused for a reason"

    @property
    def code(self) -> str:
        """The code of the first finding, or `ok`."""
        return self.findings[0].code if self.findings else "ok"

    @property
    def sentence(self) -> str:
        """All findings, in words."""
        return " ".join(finding.sentence for finding in self.findings) or "The row is as it should be."


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how strong a session may be before it is not believed."""

    longest_hours: int = 24
    mean_kw: int = 60


@dataclass(frozen=True, slots=True)
class Import:
    """A whole file: its shape, and every row in the order of the file."""

    shape: str
    zone: str
    precision_seconds: int
    rows: tuple[RowReport, ...]

    @property
    def sessions(self) -> tuple[NormalisedSession, ...]:
        """The sessions that were accepted or repaired."""
        return tuple(row.session for row in self.rows if row.session is not None)

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many rows got each verdict; the three add up to the rows of the file."""
        seen = Counter(row.verdict for row in self.rows)
        return {verdict: seen[verdict] for verdict in Verdict}

    @property
    def codes(self) -> dict[str, int]:
        """How often each code was found, the most frequent first; one row may have several."""
        return dict(Counter(finding.code for row in self.rows for finding in row.findings).most_common())


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row and the command that it is; None: it cannot be meant. The findings say why, or what was repaired or is odd."""

    line: int
    command: Any
    findings: tuple[Finding, ...] = ()
    verdict: str = "accepted"

    @property
    def code(self) -> str | None:
        """The code of the first finding."""
        return self.findings[0].code if self.findings else None

    @property
    def sentence(self) -> str | None:
        """All findings, in words."""
        return " ".join(one.sentence for one in self.findings) or None


@dataclass(frozen=True, slots=True)
class ReadUpload:
    """A file that was read."""

    shape: str
    rows: tuple[ReadRow, ...]
