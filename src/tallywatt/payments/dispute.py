"""Pure: disputes: a payer's bank takes a payment back, and the operator has some days to answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from tallywatt.kernel.clock import (
    Instant,
)  # told disputes travel over the control socket, and their types are read there

if TYPE_CHECKING:
    from tallywatt.kernel.identity import PaymentId, ProviderAccountId


class DisputeState(StrEnum):
    """How far it is."""

    WARNING = "warning"
    """The bank asks; no money has moved."""
    OPEN = "open"
    """The money is gone for now, and an answer is awaited."""
    ANSWERED = "answered"
    """The bank decides."""
    WON = "won"
    LOST = "lost"
    CLOSED = "closed"
    """It went away without a decision."""


class DisputeAnswer(StrEnum):
    """What the operator has said to it."""

    CONTEST = "contest"
    """It is wrong, and here is why."""
    ACCEPT = "accept"
    """It is let go: the money stays with the payer."""


UNDECIDED: Final = (DisputeState.WARNING, DisputeState.OPEN, DisputeState.ANSWERED)
ASKED: Final = (DisputeState.WARNING, DisputeState.OPEN)
"""While it can be answered."""
_RANK: Final = {DisputeState.WARNING: 0, DisputeState.OPEN: 1, DisputeState.ANSWERED: 2}


@dataclass(frozen=True, slots=True)
class ToldDispute:
    """A dispute as its provider tells it."""

    dispute_ref: str
    state: DisputeState
    amount_minor: int
    currency: str
    withdrawn_minor: int | None
    """What the provider has taken from our balance for it at the moment; None: this word does not say."""
    reason: str
    said_at: Instant
    due_at: Instant | None = None
    payment_id: str | None = None
    provider_ref: str | None = None
    """The provider's id of the payment."""
    follows: bool = False
    """A later step of a dispute, which may have a number of its own: it belongs to the dispute of its payment."""


@dataclass(frozen=True, slots=True)
class DefenceReason:
    """On what grounds a dispute can be answered, and which documents that takes."""

    code: str
    needed: tuple[str, ...]
    """Kinds of documents without which it is not taken."""
    possible: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DefenceDocument:
    """A document for a bank: what kind it is, of which form, and its bytes."""

    kind: str
    media_type: str
    content: bytes


@runtime_checkable
class DefendsDisputes(Protocol):
    """A provider that takes answers to disputes from us, and not on its own pages alone."""

    def defence_reasons(self, dispute_ref: str) -> tuple[DefenceReason, ...]:
        """On what grounds it can be answered now. BadInput for what the provider refuses, Busy where it is silent."""
        ...

    def defend(self, dispute_ref: str, reason: str, documents: tuple[DefenceDocument, ...]) -> None:
        """Hand in the documents, then answer. Likewise."""
        ...

    def accept_dispute(self, dispute_ref: str) -> None:
        """Say that it is not answered. Likewise."""
        ...


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute about a payment of ours."""

    dispute_id: str
    account_id: ProviderAccountId
    dispute_ref: str
    payment_id: PaymentId
    state: DisputeState
    amount_minor: int
    currency: str
    withdrawn_minor: int
    reason: str
    due_at: Instant | None
    """Until when the provider takes evidence."""
    said_at: Instant
    """Of when the newest word about it is."""
    opened_at: Instant
    """Machine time at which it was heard of."""
    decided_at: Instant | None
    revision: int
    """How often what it books has changed."""
    answer: str | None = None
    """One of `DisputeAnswer`, as soon as somebody has decided it."""
    answer_note: str | None = None
    """On what grounds, or why it is let go."""
    answered_by: str | None = None
    answered_at: Instant | None = None
    answer_told_at: Instant | None = None
    """When the provider has taken the answer."""
    answer_error: str | None = None
    """Why the provider did not take an answer: it waits for another one."""
    version: int = 1

    @property
    def is_undecided(self) -> bool:
        """Whether it goes on."""
        return self.state in UNDECIDED

    @property
    def awaits(self) -> bool:
        """Whether an answer of the operator is awaited, and none is on its way."""
        return self.state in ASKED and self.answer is None

    def is_older(self, told: ToldDispute) -> bool:
        """Whether a word about it is older than what is known: webhooks come late and out of order, and count in seconds."""
        if told.said_at // 1000 != self.said_at // 1000:
            return told.said_at < self.said_at
        return _RANK.get(told.state, 3) < _RANK.get(self.state, 3)
