"""Pure: price corrections: sessions that are rated again under a tariff as it should have been, and what follows for each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import InvoiceId, SessionId


class CorrectionState(StrEnum):
    """Where a correction stands."""

    PRICING = "pricing"
    """Its sessions are being priced again."""
    PROPOSED = "proposed"
    """What differs is there to be looked at; nothing has been done."""
    WAITING = "waiting"
    """It goes beyond somebody's limit, and another person decides."""
    RUNNING = "running"
    """What was charged too much is on its way back."""
    DONE = "done"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Correction:
    """Which sessions are rated again under which tariff, and what that came to."""

    correction_id: str
    tariff_version_id: str
    reason: str
    since_at: Instant
    """Sessions that began then or later, and before `until_at`."""
    until_at: Instant
    priced_by: str
    """Only sessions priced by the tariff of that reference; empty: by any."""
    state: CorrectionState
    currency: str
    looked: int
    """How many sessions were priced again."""
    less_minor: int
    """What was charged too much, in all."""
    more_minor: int
    """What was charged too little, in all."""
    largest_minor: int
    """The most that one session gets back."""
    asked_by: str
    created_at: Instant
    ended_at: Instant | None
    others: int = 0
    """How many sessions cost the same and differ in their tax or their lines."""
    ask_above_minor: int | None = None
    """What was charged too little is asked for where it is more than this in a session, else waived; None: all is waived."""
    decided_by: str | None = None
    """Who has decided about what was charged too little."""
    version: int = 1


class Outcome(StrEnum):
    """What became of a session in a correction."""

    OPEN = "open"
    RETURNED = "returned"
    """It was charged too much: that is credited, and what was paid of it goes back."""
    LEFT = "left"
    """It was charged too little, and the price that was shown stays: corrections of an earlier day, when nobody was asked."""
    WAIVED = "waived"
    """It was charged too little, and that is given up."""
    ASKED = "asked"
    """It was charged too little: another invoice stands for it, and what is missing is asked for."""
    REPLACED = "replaced"
    """It costs the same, with another tax or other lines: another invoice stands for it."""
    SKIPPED = "skipped"
    """Nothing could be done; the note says why."""


@dataclass(frozen=True, slots=True)
class CorrectedSession:
    """One session of a correction: what it cost and what it costs now, with tax; once in each correction."""

    correction_id: str
    session_id: SessionId
    invoice_id: InvoiceId
    was_minor: int
    now_minor: int
    outcome: Outcome
    credited_minor: int
    """Taken off what is still owed."""
    refunded_minor: int
    """Given back of what was paid."""
    note: str | None
    replaces: bool = False
    """Its tax is not that of so much of the old price, or its lines are others: a credit note over a part would be wrong."""
    was_tax_minor: int | None = None
    """The tax in what it cost; None: it was not kept."""
    now_tax_minor: int | None = None
    asked_minor: int = 0
    """Asked for besides what was asked before."""
    waived_minor: int = 0
    """Given up."""
    new_invoice_id: InvoiceId | None = None
    """The invoice that stands for the one that it had."""
    decided_by: str | None = None
    """Who has given up what was asked for, later than the correction."""
    version: int = 1

    @property
    def more_minor(self) -> int:
        """What was charged too little."""
        return max(0, self.now_minor - self.was_minor)


@dataclass(frozen=True, slots=True)
class Shares:
    """How what was charged too much is divided."""

    off_debt: int
    """So much less is owed."""
    back: int
    """So much goes back."""


def divided(less: int, gross: int, collected: int, credited: int) -> Shares:
    """What is still owed is owed no more first; only what is beyond it goes back. Never more than is left of the invoice."""
    part = min(less, gross - credited)
    owed = max(0, gross - collected - credited)
    off = max(0, min(part, owed))
    return Shares(off, max(0, part - off))
