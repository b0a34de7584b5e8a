"""Pure: what a provider says it has done with collected money: settlement lines, and what does not agree with our payments."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from tallywatt.kernel.clock import Instant  # told lines travel over the control socket, and their types are read there

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tallywatt.kernel.identity import OperationId, PaymentId, ProviderAccountId
    from tallywatt.payments.dispute import ToldDispute
    from tallywatt.payments.provider import NotSent, Unknown

DAY_MS: Final = 24 * 3600 * 1000
GRACE_MS: Final = 3 * DAY_MS
"""How long a provider may take to list what it has captured, before that is called missing."""
OVERLAP_MS: Final = 7 * DAY_MS
"""What was listed so recently is listed again: lines come late, and are corrected."""
FIRST_READ_MS: Final = 35 * DAY_MS
"""How far back the first reading of an account goes."""


class LineKind(StrEnum):
    """What moved. Signs tell the direction: a refund that failed is a refund above zero, a dispute that was won likewise."""

    CHARGE = "charge"
    REFUND = "refund"
    DISPUTE = "dispute"
    FEE = "fee"
    """The provider's own fees, where they are not part of another line."""
    PAYOUT = "payout"
    """Sent to the bank: below zero."""
    OTHER = "other"


OF_PAYMENTS: Final = (LineKind.CHARGE, LineKind.REFUND, LineKind.DISPUTE)


class LineState(StrEnum):
    """Whether it is known what a line is about."""

    MATCHED = "matched"
    EXTRA = "extra"
    """Nothing of ours: it stands in suspense, and a person looks."""


@dataclass(frozen=True, slots=True)
class ToldLine:
    """A movement on the provider's balance of one account, as the provider lists it. Its reference never changes."""

    line_ref: str
    kind: LineKind
    amount_minor: int
    """What it does to the balance, before the fee."""
    fee_minor: int
    currency: str
    """Of the balance."""
    said_at: Instant
    source_minor: int
    """The same in the currency in which it was paid."""
    source_currency: str
    source_ref: str | None = None
    """The provider's object behind it: a charge, a refund, a payout."""
    payment_id: str | None = None
    """Ours, as that object carries it."""
    provider_ref: str | None = None
    """The provider's id of the payment."""
    exchange_rate: str | None = None
    payout_ref: str | None = None
    """The payout in which it went to the bank; None: not yet."""
    operation_id: str | None = None
    """The operation of ours that it is about, where the provider tells it."""


@dataclass(frozen=True, slots=True)
class SettlementLine:
    """A line as it is kept. Corrected by the provider it is written anew, and the correction is booked beside the first."""

    account_id: ProviderAccountId
    line_ref: str
    kind: LineKind
    state: LineState
    payment_id: PaymentId | None
    source_ref: str | None
    amount_minor: int
    fee_minor: int
    currency: str
    source_minor: int
    source_currency: str
    exchange_rate: str | None
    payout_ref: str | None
    said_at: Instant
    received_at: Instant
    revision: int
    """How often what it books has changed."""
    operation_id: OperationId | None = None
    """The capture that it is about: a hold may be taken in parts, and each is a line of its own."""
    version: int = 1

    @property
    def is_converted(self) -> bool:
        """Whether the provider has exchanged it into another currency."""
        return self.currency != self.source_currency


@dataclass(frozen=True, slots=True)
class SettlementReading:
    """How far the lines of an account were read."""

    account_id: ProviderAccountId
    from_at: Instant
    """What was captured before was never looked for."""
    until_at: Instant
    read_at: Instant
    error: str | None
    version: int = 1


class DifferenceKind(StrEnum):
    """How our payments and the provider's lines differ."""

    MISSING = "missing"
    """We have it as captured, and the provider lists nothing."""
    EXTRA = "extra"
    """The provider lists it, and we know no such payment."""
    CHARGED = "charged"
    """Both know the payment, with another sum taken."""
    REFUNDED = "refunded"
    """Both know the payment, with another sum given back."""
    PAYOUT = "payout"
    """The lines of a payout do not add up to what was sent to the bank."""


class Action(StrEnum):
    """What a person may do about a difference, and what the house suggests."""

    ASK = "ask"
    """Ask the provider how the payment stands, and take that in."""
    MATCH = "match"
    """The line belongs to that payment."""
    BOOK = "book"
    """The difference stays, and is booked as one."""
    DISMISS = "dismiss"
    """Nothing is to be done: it is explained elsewhere."""


def actions_for(kind: DifferenceKind) -> tuple[Action, ...]:
    """What can be done about a difference of that kind."""
    if kind is DifferenceKind.EXTRA:
        return Action.MATCH, Action.BOOK, Action.DISMISS
    if kind is DifferenceKind.PAYOUT:
        return (Action.DISMISS,)
    return Action.ASK, Action.BOOK, Action.DISMISS


class DifferenceState(StrEnum):
    """Whether it still has to be looked at."""

    OPEN = "open"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class SettlementDifference:
    """One thing that does not agree. It closes by itself when both sides say the same after all."""

    difference_id: str
    account_id: ProviderAccountId
    kind: DifferenceKind
    subject_ref: str
    """The payment, the line or the payout that it is about."""
    payment_id: PaymentId | None
    """The payment itself; of an extra line the one that it may belong to."""
    currency: str
    expected_minor: int
    """By our own books."""
    found_minor: int
    """By the provider's list."""
    booked_minor: int
    """What of the difference a person has booked, found less expected."""
    suggestion: Action
    state: DifferenceState
    created_at: Instant
    resolved_at: Instant | None
    resolved_by: str | None
    resolution: str | None
    version: int = 1

    @property
    def open_minor(self) -> int:
        """What of it is not booked yet."""
        return self.found_minor - self.expected_minor - self.booked_minor


@dataclass(frozen=True, slots=True)
class UnevenPayout:
    """A payout that is not what its lines come to."""

    payout_ref: str
    currency: str
    paid_minor: int
    lines_minor: int


@runtime_checkable
class Settles(Protocol):
    """A provider that lists what it has done with collected money. Not every one does, and not every test's has to."""

    def list_settlements(self, since: Instant) -> tuple[ToldLine, ...] | NotSent | Unknown:
        """Every movement since then, and every one of the payouts since then; or the word that it cannot be told."""
        ...


@runtime_checkable
class TellsDisputes(Protocol):
    """A provider that lists the disputes about payments that it has collected."""

    def list_disputes(self, since: Instant, now: Instant) -> tuple[ToldDispute, ...] | NotSent | Unknown:
        """Every dispute that was opened since then, as it stands now; or the word that it cannot be told."""
        ...


def said_about(lines: Iterable[SettlementLine], kind: LineKind) -> tuple[int, int]:
    """How many matched lines of a kind there are, and what they come to in the payment's own currency."""
    found = [one.source_minor for one in lines if one.kind is kind and one.state is LineState.MATCHED]
    return len(found), sum(found)
