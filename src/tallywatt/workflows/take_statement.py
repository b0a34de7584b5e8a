"""Take in lines of a bank statement: each once; a payout that arrives is booked, and what is not clear waits for a person."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict
from tallywatt.ledger.banked import move_of
from tallywatt.ledger.settled import drafts
from tallywatt.payments.bank import EARLY_MS, LATE_MS, BankLine, BankLineState, Carrying, ToldBankLine
from tallywatt.payments.own_books import TransferFor
from tallywatt.payments.settlement import LineKind, SettlementLine
from tallywatt.workflows.collect_line import collect_line, debits_of, decide_debit
from tallywatt.workflows.decide_transfer import decide_transfer, is_that_transfer
from tallywatt.workflows.match_transfer import named_invoices, payers, receive_line, return_line
from tallywatt.workflows.post_entry import post
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.settle_debit import return_debit

if TYPE_CHECKING:
    from tallywatt.invoicing.invoice import Invoice
    from tallywatt.kernel.identity import ProviderAccountId
    from tallywatt.workflows.collect_line import Coming
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class TakeStatement:
    """Some lines of a file; `sha256` says which file it was."""

    lines: tuple[ToldBankLine, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class StatementTaken:
    """What was new in them."""

    new: int = 0
    known: int = 0
    matched: int = 0


def take_statement(work: UnitOfWork, command: TakeStatement) -> StatementTaken:
    """Keep each line. The same line again, in the same file or in another, changes nothing."""
    new = known = matched = 0
    for told in command.lines:
        if work.bank_lines.find(told.line_id) is not None:
            known += 1
            continue
        found = _fitting(work, told)
        invoices = named_invoices(work, told)
        debits = debits_of(work, told)
        line = _line(work, told, len(found) + len(payers(invoices)) + (debits is not None))
        if not work.bank_lines.add(line):
            known += 1
            continue
        new += 1
        if line.candidates == 1:
            _take(work, line, found, invoices, debits)
            matched += 1
        elif not line.candidates:
            matched += return_debit(work, line) or return_line(work, line)
    sums = {"sha256": command.sha256, "new": new, "known": known, "matched": matched}
    record_action(work, "bank.read", "statement", command.sha256, after=sums)
    return StatementTaken(new, known, matched)


def match_waiting(work: UnitOfWork, account_id: ProviderAccountId) -> int:
    """Match lines that were there before their payout was told: the bank may be faster than the provider."""
    count = 0
    recent = work.machine_now - 2 * LATE_MS
    for waiting in work.bank_lines.by(state=BankLineState.OPEN.value):
        # What a person has undone waits for a person.
        is_new = waiting.booked_at >= recent and not waiting.revision
        found = _fitting(work, waiting) if is_new else []
        if len(found) == 1 and found[0].account_id == account_id and not named_invoices(work, waiting):
            _settle(work, waiting, found[0])
            count += 1
    return count


def _take(
    work: UnitOfWork,
    line: BankLine,
    payouts: list[SettlementLine],
    invoices: list[Invoice],
    debits: Coming | None,
) -> None:
    """The one thing that a line can be."""
    if payouts:
        _settle(work, line, payouts[0])
    elif debits is not None:
        collect_line(work, line, debits)
    else:
        receive_line(work, line, invoice=invoices[0].number)


def _fitting(work: UnitOfWork, line: ToldBankLine | BankLine) -> list[SettlementLine]:
    """Payouts of exactly that sum about that day that are at no bank yet; of several the one that the bank names."""
    if line.return_code is not None:
        return []
    between = (Instant(line.booked_at - LATE_MS), Instant(line.booked_at + EARLY_MS))
    kind, minor = LineKind.PAYOUT.value, -line.amount_minor
    found = [
        one
        for one in work.settlement_lines.by(kind=kind, currency=line.currency, amount_minor=minor)
        if between[0] <= one.said_at <= between[1]
        and work.bank_lines.one_by(account_id=one.account_id, settlement_ref=one.line_ref) is None
    ]
    if len(found) <= 1:
        return found
    text = f"{line.reference or ''} {line.end_to_end or ''} {line.remittance or ''}".lower()
    named = [one for one in found if any(ref and ref.lower() in text for ref in (one.source_ref, one.payout_ref))]
    return named or found


def _line(work: UnitOfWork, told: ToldBankLine, candidates: int) -> BankLine:
    return BankLine(
        line_id=told.line_id,
        bank_account=told.bank_account,
        statement_ref=told.statement_ref,
        entry_ref=told.entry_ref,
        booked_at=told.booked_at,
        amount_minor=told.amount_minor,
        currency=told.currency,
        reference=told.reference,
        end_to_end=told.end_to_end,
        remittance=told.remittance,
        counterparty=told.counterparty,
        counterparty_account=told.counterparty_account,
        return_code=told.return_code,
        state=BankLineState.OPEN,
        candidates=candidates,
        account_id=None,
        settlement_ref=None,
        received_at=work.machine_now,
        decided_at=None,
        decided_by=None,
        note=None,
        batch_ref=told.batch_ref,
        mandate_ref=told.mandate_ref,
    )


def _settle(work: UnitOfWork, line: BankLine, payout: SettlementLine) -> BankLine:
    after = replace(
        line,
        state=BankLineState.MATCHED,
        account_id=payout.account_id,
        settlement_ref=payout.line_ref,
        decided_at=work.machine_now,
        decided_by=work.actor,
    )
    stored = work.bank_lines.put(after)
    for draft in drafts("banked", "bank_line", f"{line.line_id}/{line.revision}", (move_of(stored),)):
        post(work, draft)
    return stored


@dataclass(frozen=True, slots=True)
class DecideBankLine:
    """A person says what a line is: that payout, that customer's transfer, or, without either, none of the house's business."""

    line_id: str
    account_id: str | None = None
    settlement_ref: str | None = None
    note: str = ""
    customer: str | None = None
    """Whose transfer it is, or whose it takes back; or by the number of one of their invoices."""
    invoice: str | None = None
    target: TransferFor = TransferFor.ITEMS
    debit: str | None = None
    """Which file of direct debits, or which one of them, it brings or takes back."""


def decide_bank_line(work: UnitOfWork, command: DecideBankLine) -> BankLine:
    """What was decided stays decided; the same again is the same."""
    line = work.bank_lines.lock(command.line_id)
    if line.under_way is Carrying.UNDOING:
        msg = "what was decided about this line is being taken back"
        raise Conflict(msg, code="bank.under_way", remedy="see: tallywatt bank list --state debit")
    if line.state is not BankLineState.OPEN:
        of_transfer = command.customer is not None or command.invoice is not None
        same = (line.account_id, line.settlement_ref) == (command.account_id, command.settlement_ref)
        if command.debit is not None and line.batch_id is not None:
            return line
        if (
            is_that_transfer(work, line, command.customer, command.invoice)
            if of_transfer
            else same and not line.transfer_id and not line.batch_id
        ):
            return line
        msg = f"this line is {line.state} already"
        raise Conflict(msg, code="bank.decided")
    if command.customer is not None or command.invoice is not None:
        noted = replace(line, note=command.note or None)
        after = decide_transfer(work, noted, command.customer, command.invoice, command.target)
    elif command.debit is not None:
        after = decide_debit(work, replace(line, note=command.note or None), command.debit)
    elif command.settlement_ref is None:
        after = replace(line, state=BankLineState.DISMISSED, decided_at=work.machine_now, decided_by=work.actor)
        after = work.bank_lines.put(replace(after, note=command.note or None))
    else:
        after = _settle(work, replace(line, note=command.note or None), _payout(work, line, command))
    told = {"state": after.state.value, "payout": command.settlement_ref, "note": command.note or None}
    if after.transfer_id is not None:
        told["transfer"] = after.transfer_id
    if after.batch_id is not None:
        told["debit_batch"] = after.batch_id
    record_action(work, "bank.decide", "bank_line", line.line_id, after=told)
    return after


def _payout(work: UnitOfWork, line: BankLine, command: DecideBankLine) -> SettlementLine:
    payout = work.settlement_lines.find(command.account_id or "", command.settlement_ref or "")
    if payout is None or payout.kind is not LineKind.PAYOUT:
        msg = "there is no such payout"
        raise BadInput(msg, code="bank.no_such_payout", remedy="see: tallywatt settlement list")
    if (payout.currency, -payout.amount_minor) != (line.currency, line.amount_minor):
        msg = "the payout is another sum than the line"
        raise Conflict(msg, code="bank.other_sum", remedy="settle the difference with the provider first")
    if work.bank_lines.one_by(account_id=payout.account_id, settlement_ref=payout.line_ref) is not None:
        msg = "this payout is at the bank already, by another line"
        raise Conflict(msg, code="bank.payout_taken")
    return payout
