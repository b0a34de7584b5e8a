"""Pure: all that an audit looks at: the rows of one operator, and what the frames told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tallywatt.evidence.decode import Told
    from tallywatt.invoicing.invoice import Invoice, NumberSeries
    from tallywatt.invoicing.skipped import SkippedNumbers
    from tallywatt.ledger.books import Account, Entry, Transfer
    from tallywatt.metering.session import Explanation, InboxItem, MeterReading, Session
    from tallywatt.payments.allocation import Allocation
    from tallywatt.payments.bank import BankLine
    from tallywatt.payments.debit import DebitBatch, DebitCollection, DebitPart
    from tallywatt.payments.dispute import Dispute
    from tallywatt.payments.operation import Operation
    from tallywatt.payments.own_books import CustomerHold, ReceivedTransfer, TransferPart
    from tallywatt.payments.payment import Payment
    from tallywatt.payments.settlement import SettlementDifference, SettlementLine
    from tallywatt.rating.records import RatedLine, RatedResult, RatedTax
    from tallywatt.stations.station import Evse


@dataclass(frozen=True, slots=True)
class Held:
    """One operator's records at one moment."""

    currency: str
    evses: list[Evse]
    told: list[Told]
    """What the frames say about energy, in order of receipt."""
    unread: list[str]
    """Ids of frames about energy that the audit cannot read."""
    frames: frozenset[str]
    """Ids of all frames that are there."""
    erased: frozenset[str]
    """Ids of frames whose key was dropped."""
    sessions: list[Session]
    readings: list[MeterReading]
    explanations: list[Explanation]
    inbox: list[InboxItem]
    results: list[RatedResult]
    lines: list[RatedLine]
    taxes: list[RatedTax]
    invoices: list[Invoice]
    series: list[NumberSeries]
    skipped: list[SkippedNumbers]
    payments: list[Payment]
    operations: list[Operation]
    allocations: list[Allocation]
    holds: list[CustomerHold]
    """Of customers' accounts in our own books."""
    received: list[ReceivedTransfer]
    parts: list[TransferPart]
    settled: list[SettlementLine]
    differences: list[SettlementDifference]
    disputes: list[Dispute]
    banked: list[BankLine]
    debit_batches: list[DebitBatch]
    debits: list[DebitCollection]
    debit_parts: list[DebitPart]
    accounts: list[Account]
    entries: list[Entry]
    transfers: list[Transfer]
    begun: frozenset[str]
    """Ids of sessions that have begun, by the log of events."""
    waiting: frozenset[str]
    """Subjects of jobs that are still to be done: what waits for one of them is not forgotten."""
    sums: dict[tuple[str, str, str], int]
    """The sums over all rows as they are kept: by figure, part (a state, a reason, an account) and currency."""
