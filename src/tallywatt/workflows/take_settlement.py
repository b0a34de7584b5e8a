"""Take in what a provider says it has done with collected money: book it, match it to payments, list what does not agree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.kernel.identity import PaymentId, ProviderAccountId  # lines travel over the control socket
from tallywatt.ledger.settled import drafts, moves_of
from tallywatt.payments.codes import CAPTURE_LOST
from tallywatt.payments.operation import OperationKind, OperationState
from tallywatt.payments.settlement import (
    OF_PAYMENTS,
    Action,
    DifferenceKind,
    DifferenceState,
    LineKind,
    LineState,
    SettlementDifference,
    SettlementLine,
    ToldLine,
    said_about,
)
from tallywatt.workflows.post_entry import post

if TYPE_CHECKING:
    from tallywatt.payments.operation import Operation
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork

SAME_SUM_WITHIN_MS = 3 * 24 * 3600 * 1000
"""A line without our reference may belong to the one payment of its sum that was made so shortly before or after."""


@dataclass(frozen=True, slots=True)
class TakeSettlement:
    """Some of the lines that an account lists."""

    account_id: ProviderAccountId
    lines: tuple[ToldLine, ...]


@dataclass(frozen=True, slots=True)
class SettlementTaken:
    """What was new in them."""

    new: int = 0
    corrected: int = 0
    known: int = 0


def take_settlement(work: UnitOfWork, command: TakeSettlement) -> SettlementTaken:
    """Keep and book each line. The same again changes nothing; one that was corrected is booked anew, less the old."""
    work.provider_accounts.get(command.account_id)
    told = {"new": 0, "corrected": 0, "known": 0}
    touched: dict[PaymentId, None] = {}
    for one in command.lines:
        how, line = _take(work, command.account_id, one)
        told[how] += 1
        if line.payment_id is not None:
            touched[line.payment_id] = None
    for payment_id in sorted(touched):
        compare_payment(work, payment_id)
    return SettlementTaken(**told)


def _take(work: UnitOfWork, account_id: ProviderAccountId, told: ToldLine) -> tuple[str, SettlementLine]:
    known = work.settlement_lines.find(account_id, told.line_ref)
    payment = payment_of(work, account_id, told.payment_id, told.provider_ref)
    if known is None:
        line = _line(work, account_id, told, payment)
        if work.settlement_lines.add(line):
            book_line(work, None, line)
            _list_if_extra(work, line)
            return "new", line
        known = work.settlement_lines.get(account_id, told.line_ref)
    line = _line(work, account_id, told, payment)
    if line.payment_id is None and known.payment_id is not None and line.kind is known.kind:
        # A person has matched it; what the provider's object does not carry says nothing against that.
        line = replace(line, payment_id=known.payment_id, state=known.state)
    after = replace(
        line,
        received_at=known.received_at,
        # A payout is told later, and by another list: where it is not told it is not taken back.
        payout_ref=line.payout_ref or known.payout_ref,
        revision=known.revision,
        version=known.version,
    )
    if after == known:
        return "known", known
    return "corrected", change_line(work, known, after)


def change_line(work: UnitOfWork, before: SettlementLine, after: SettlementLine) -> SettlementLine:
    """Write a line that has changed, and book what is other about it."""
    moved = moves_of(before) != moves_of(after)
    after = work.settlement_lines.put(replace(after, revision=before.revision + moved))
    if moved:
        book_line(work, before, after)
    _list_if_extra(work, after)
    return after


def payment_of(work: UnitOfWork, account_id: str, payment_id: str | None, provider_ref: str | None) -> Payment | None:
    """The payment of this account that a line is about: by our own reference, else by the provider's."""
    found = None if payment_id is None else work.payments.find(PaymentId(payment_id))
    if found is None and provider_ref is not None:
        found = work.payments.one_by(account_id=account_id, provider_ref=provider_ref)
    return found if found is not None and found.account_id == account_id else None


def _line(work: UnitOfWork, account_id: ProviderAccountId, told: ToldLine, payment: Payment | None) -> SettlementLine:
    # A line in another currency than its payment's cannot be that payment's: a person looks.
    ours = payment is not None and told.source_currency == payment.currency
    is_known = told.kind in (LineKind.FEE, LineKind.PAYOUT) or (told.kind in OF_PAYMENTS and ours)
    if told.kind is LineKind.DISPUTE and is_known:
        # Its money is booked by the dispute: while that is not heard of, the line speaks for itself.
        is_known = work.disputes.one_by(account_id=account_id, dispute_ref=told.source_ref or "") is not None or (
            # The second time the bank takes it, or gives it back, the provider may number it anew.
            payment is not None and bool(work.disputes.by(payment_id=payment.payment_id))
        )
    line = SettlementLine(
        account_id=account_id,
        line_ref=told.line_ref,
        kind=told.kind,
        state=LineState.MATCHED if is_known else LineState.EXTRA,
        payment_id=payment.payment_id if payment is not None and is_known else None,
        source_ref=told.source_ref,
        amount_minor=told.amount_minor,
        fee_minor=told.fee_minor,
        currency=told.currency,
        source_minor=told.source_minor,
        source_currency=told.source_currency,
        exchange_rate=told.exchange_rate,
        payout_ref=told.payout_ref,
        said_at=told.said_at,
        received_at=work.machine_now,
        revision=0,
    )
    return _of_its_capture(work, told, line, payment)


def _of_its_capture(work: UnitOfWork, told: ToldLine, line: SettlementLine, payment: Payment | None) -> SettlementLine:
    """The line with the capture that it is about, where a hold may have been taken in parts: each is listed by itself."""
    if line.payment_id is None or line.kind is not LineKind.CHARGE or payment is None or not payment.several_captures:
        return line
    others = work.settlement_lines.by(payment_id=payment.payment_id)
    taken = {one.operation_id for one in others if one.line_ref != line.line_ref}
    free = [one for one in captures_of(work, payment) if one.operation_id not in taken]
    # What was exchanged comes back with a unit of rounding.
    off = 1 if line.is_converted else 0
    found = [one for one in free if one.operation_id == told.operation_id]
    found = found or [one for one in free if abs(one.amount_minor - line.source_minor) <= off]
    if not found:
        return line
    mine = min(found, key=lambda one: (abs((one.resolved_at or one.created_at) - line.said_at), one.operation_id))
    near = abs(mine.amount_minor - line.source_minor) <= off
    return replace(line, operation_id=mine.operation_id, source_minor=mine.amount_minor if near else line.source_minor)


def captures_of(work: UnitOfWork, payment: Payment) -> list[Operation]:
    """The captures of a payment that took something, also those whose money never arrived in the end."""
    return [
        one
        for one in work.operations.by(payment_id=payment.payment_id)
        if one.kind is OperationKind.CAPTURE and (one.state is OperationState.SUCCEEDED or one.code == CAPTURE_LOST)
    ]


def awaited_minor(work: UnitOfWork, payment: Payment, lines: list[SettlementLine]) -> int:
    """What was taken in parts and is not listed yet, though others of them are: no difference before its time."""
    if not payment.several_captures:
        return 0
    told = {one.operation_id for one in lines}
    open_ = [one for one in captures_of(work, payment) if one.operation_id not in told and one.code != CAPTURE_LOST]
    return sum(one.amount_minor for one in open_)


def book_line(work: UnitOfWork, before: SettlementLine | None, line: SettlementLine) -> None:
    """Book a line, less what it booked before."""
    undone = () if before is None else tuple(one.back for one in moves_of(before))
    cause = f"{line.account_id}/{line.line_ref}/{line.revision}"
    for draft in drafts("settled", "settlement", cause, (*undone, *moves_of(line))):
        post(work, draft)


def _list_if_extra(work: UnitOfWork, line: SettlementLine) -> None:
    if line.state is not LineState.EXTRA:
        differ(work, line.account_id, DifferenceKind.EXTRA, line.line_ref, None, line.currency, 0, 0)
        return
    candidate = _candidate(work, line)
    differ(work, line.account_id, DifferenceKind.EXTRA, line.line_ref, candidate, line.currency, 0, line.amount_minor)


def _candidate(work: UnitOfWork, line: SettlementLine) -> PaymentId | None:
    """The one payment to which a line without our reference can belong, by its sum and its day."""
    if line.kind is not LineKind.CHARGE:
        return None
    found = work.queries.captured_about(
        line.account_id, line.source_currency, line.source_minor, line.said_at, SAME_SUM_WITHIN_MS
    )
    return found[0] if len(found) == 1 else None


def compare_payment(work: UnitOfWork, payment_id: PaymentId, *, is_due: bool = False) -> None:
    """Compare a payment with the lines about it. `is_due`: the provider has had its time, and nothing listed is missing."""
    payment = work.payments.get(payment_id)
    lines = work.settlement_lines.by(payment_id=payment_id)
    taken = payment.captured_minor + payment.suspense_minor
    count, charged = said_about(lines, LineKind.CHARGE)
    waits = not is_due and not _is_listed(work, payment, DifferenceKind.CHARGED)
    if count and waits:
        charged += min(awaited_minor(work, payment, lines), max(0, taken - charged))
    _compare(work, payment, DifferenceKind.CHARGED, taken, charged if count else taken)
    missing = taken > 0 and not count and (is_due or _is_listed(work, payment, DifferenceKind.MISSING))
    _compare(work, payment, DifferenceKind.MISSING, taken, 0 if missing else taken)
    count, returned = said_about(lines, LineKind.REFUND)
    is_due = is_due or _is_listed(work, payment, DifferenceKind.REFUNDED)
    # Of several refunds each is listed in its own time; that none is missing is known once the provider has had it.
    awaits = not is_due and -returned < payment.refunded_minor and count < _refunds_of(work, payment)
    _compare(
        work,
        payment,
        DifferenceKind.REFUNDED,
        payment.refunded_minor,
        payment.refunded_minor if awaits else -returned,
    )


def _refunds_of(work: UnitOfWork, payment: Payment) -> int:
    """How many refunds of a payment there were."""
    theirs = work.operations.by(payment_id=payment.payment_id)
    return sum(one.kind is OperationKind.REFUND and one.state is OperationState.SUCCEEDED for one in theirs)


def compare_if_differing(work: UnitOfWork, payment_id: PaymentId) -> None:
    """News of a payment that did not agree with its lines: the word that explains the difference may have come last."""
    listed = work.settlement_differences.by(payment_id=payment_id)
    if any(one.state is DifferenceState.OPEN and one.kind is not DifferenceKind.EXTRA for one in listed):
        compare_payment(work, payment_id)


def _is_listed(work: UnitOfWork, payment: Payment, kind: DifferenceKind) -> bool:
    key = {"account_id": payment.account_id, "kind": kind.value, "subject_ref": payment.payment_id}
    known = work.settlement_differences.one_by(**key)
    return known is not None and known.state is DifferenceState.OPEN


def _compare(work: UnitOfWork, payment: Payment, kind: DifferenceKind, expected: int, found: int) -> None:
    differ(work, payment.account_id, kind, payment.payment_id, payment.payment_id, payment.currency, expected, found)


def differ(
    work: UnitOfWork,
    account_id: ProviderAccountId,
    kind: DifferenceKind,
    subject_ref: str,
    payment_id: PaymentId | None,
    currency: str,
    expected: int,
    found: int,
) -> None:
    """List that two sums differ, once; close what was listed when they do not any more."""
    known = work.settlement_differences.lock_by(account_id=account_id, kind=kind.value, subject_ref=subject_ref)
    if known is None:
        if expected != found:
            work.settlement_differences.add(
                SettlementDifference(
                    difference_id=work.draw.id(f"difference/{account_id}/{kind}/{subject_ref}"),
                    account_id=account_id,
                    kind=kind,
                    subject_ref=subject_ref,
                    payment_id=payment_id,
                    currency=currency,
                    expected_minor=expected,
                    found_minor=found,
                    booked_minor=0,
                    suggestion=_suggested(kind, payment_id),
                    state=DifferenceState.OPEN,
                    created_at=work.machine_now,
                    resolved_at=None,
                    resolved_by=None,
                    resolution=None,
                )
            )
        return
    after = replace(known, expected_minor=expected, found_minor=found)
    if (known.expected_minor, known.found_minor) == (expected, found) and (
        after.open_minor or known.state is DifferenceState.RESOLVED
    ):
        return
    if after.open_minor:
        after = replace(after, state=DifferenceState.OPEN, resolved_at=None, resolved_by=None, resolution=None)
        after = replace(after, suggestion=_suggested(kind, payment_id))
    elif known.state is DifferenceState.OPEN:
        after = replace(
            after,
            state=DifferenceState.RESOLVED,
            resolved_at=work.machine_now,
            resolved_by=work.actor,
            resolution="agrees",
        )
    work.settlement_differences.put(after)


def _suggested(kind: DifferenceKind, payment_id: PaymentId | None) -> Action:
    if kind is DifferenceKind.EXTRA:
        return Action.BOOK if payment_id is None else Action.MATCH
    return Action.DISMISS if kind is DifferenceKind.PAYOUT else Action.ASK
