"""Pure: an audit that somebody has asked for, what came of it, and what it found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant

MOST_FINDINGS: Final = 1000
"""So many are kept of one audit: whoever has more needs a programmer, not a list. How many there were is kept."""


class AuditState(StrEnum):
    """How far an audit has come."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """It could not be carried out: that says nothing about what it would have found."""


@dataclass(frozen=True, slots=True)
class Audit:
    """An audit as it is followed."""

    audit_id: str
    state: AuditState
    asked_by: str
    asked_at: Instant
    began_at: Instant | None
    ended_at: Instant | None
    is_clean: bool | None
    """None: it is not known yet."""
    findings: int | None
    figures: dict[str, Any] | None
    """Of the two equations, as every command prints them."""
    error: str | None
    version: int = 1


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """Something that did not add up."""

    audit_id: str
    number: int
    code: str
    subject: str
    says: str
    expected: str | None
    found: str | None
