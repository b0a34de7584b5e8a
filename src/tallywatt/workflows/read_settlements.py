"""When the lines of provider accounts are read, from when on, and what is missing once they were."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import ProviderAccountId
from tallywatt.payments.settlement import (
    FIRST_READ_MS,
    GRACE_MS,
    OVERLAP_MS,
    DifferenceKind,
    DifferenceState,
    LineKind,
    SettlementReading,
)
from tallywatt.workflows.begin_restoration import not_compared
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.take_settlement import compare_payment, differ
from tallywatt.workflows.take_statement import match_waiting

if TYPE_CHECKING:
    from tallywatt.payments.account import ProviderAccount
    from tallywatt.workflows.ports import UnitOfWork

READ_SETTLEMENTS: Final = "read_settlements"
"""Job: read what the provider account of that id lists."""
READ_REPORT: Final = "read_report"
"""Job: read the file whose place its payload tells; its subject begins with the account's id."""
EVERY_MS: Final = 6 * 3600 * 1000
MOST_MISSING: Final = 200
"""Payments that are called missing in one reading; the next one goes on."""


@dataclass(frozen=True, slots=True)
class WakeSettlements:
    """The janitor's round."""


def wake_settlements(work: UnitOfWork, _: WakeSettlements) -> int:
    """Let each account be read that has collected something and was not read for hours; how many were."""
    count = 0
    for account in work.provider_accounts.by(closed_at=None):
        reading = work.settlement_readings.find(account.account_id)
        before = Instant(work.machine_now - EVERY_MS)
        is_due = work.queries.has_taken(account.account_id, before) if reading is None else reading.read_at <= before
        if is_due:
            work.jobs.add(Job(READ_SETTLEMENTS, account.account_id))
            count += 1
    return count


@dataclass(frozen=True, slots=True)
class OrderReading:
    """A person does not want to wait for the next round."""

    account_id: str


def order_reading(work: UnitOfWork, command: OrderReading) -> ProviderAccount:
    """Let an account be read now."""
    account = work.provider_accounts.get(command.account_id)
    work.jobs.add(Job(READ_SETTLEMENTS, account.account_id))
    record_action(work, "settlement.read", "provider_account", account.account_id)
    return account


@dataclass(frozen=True, slots=True)
class Plan:
    """Which account is read, and from when on."""

    account: ProviderAccount
    since: Instant
    until: Instant
    is_held: bool
    """The house came back from a backup: what it misses is not a difference."""
    is_first: bool = False
    """Nothing of this account was ever read."""


def plan_reading(work: UnitOfWork, account_id: str) -> Plan:
    """From where an account is read on. Writes nothing."""
    account = work.provider_accounts.get(account_id)
    reading = work.settlement_readings.find(account_id)
    since = work.machine_now - FIRST_READ_MS if reading is None else reading.until_at - OVERLAP_MS
    is_held = not_compared(work) is not None
    return Plan(account, Instant(since), work.machine_now, is_held, is_first=reading is None)


def payouts_known(work: UnitOfWork, account_id: str) -> tuple[str, ...]:
    """The payouts of an account of which something was read. Writes nothing."""
    lines = work.settlement_lines.by(account_id=account_id, kind=LineKind.PAYOUT.value)
    return tuple(sorted({one.payout_ref for one in lines if one.payout_ref is not None}))


@dataclass(frozen=True, slots=True)
class EndReading:
    """All lines since then were taken in; with an `error` none was."""

    account_id: str
    since: Instant
    until: Instant
    error: str | None = None


def end_reading(work: UnitOfWork, command: EndReading) -> SettlementReading:
    """Remember how far it was read, and list what ought to be in the lines and is not."""
    reading = _remember(work, command)
    if command.error is not None:
        return reading
    due = Instant(command.until - GRACE_MS)
    for payment_id in work.queries.unsettled(command.account_id, reading.from_at, due, MOST_MISSING):
        compare_payment(work, payment_id, is_due=True)
    _check_payouts(work, command)
    match_waiting(work, ProviderAccountId(command.account_id))
    return reading


def _remember(work: UnitOfWork, command: EndReading) -> SettlementReading:
    account_id = ProviderAccountId(command.account_id)
    known = work.settlement_readings.find(account_id)
    until = command.since if command.error is not None else command.until
    if known is None:
        fresh = SettlementReading(account_id, command.since, until, work.machine_now, command.error)
        if work.settlement_readings.add(fresh):
            return fresh
        known = work.settlement_readings.get(account_id)
    until = max(known.until_at, until) if command.error is None else known.until_at
    return work.settlement_readings.put(replace(known, until_at=until, read_at=work.machine_now, error=command.error))


def _check_payouts(work: UnitOfWork, command: EndReading) -> None:
    """What went to the bank is what the lines of the payout come to."""
    odd = {one.payout_ref: one for one in work.queries.uneven_payouts(command.account_id)}
    mine = {"account_id": command.account_id, "kind": DifferenceKind.PAYOUT.value}
    for known in work.settlement_differences.by(**mine, state=DifferenceState.OPEN.value):
        if known.subject_ref not in odd:
            differ(work, known.account_id, known.kind, known.subject_ref, None, known.currency, 0, 0)
    for ref, one in odd.items():
        account_id = ProviderAccountId(command.account_id)
        differ(work, account_id, DifferenceKind.PAYOUT, ref, None, one.currency, one.paid_minor, one.lines_minor)
