"""Take in lines of a file about settlements: a dispute of which nothing was told is known by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.payments.dispute import DisputeState, ToldDispute
from tallywatt.payments.settlement import LineKind
from tallywatt.workflows.take_dispute import TakeDispute, take_dispute
from tallywatt.workflows.take_settlement import SettlementTaken, TakeSettlement, payment_of, take_settlement

if TYPE_CHECKING:
    from tallywatt.payments.dispute import Dispute
    from tallywatt.payments.settlement import ToldLine
    from tallywatt.workflows.ports import UnitOfWork


def take_file(work: UnitOfWork, command: TakeSettlement) -> SettlementTaken:
    """Keep and book each line. A provider that writes files lists no disputes: a lost notification of one is made good here."""
    for one in command.lines:
        if one.kind is not LineKind.DISPUTE or not one.source_ref:
            continue
        payment = payment_of(work, command.account_id, one.payment_id, one.provider_ref)
        if payment is not None and payment.currency == one.source_currency:
            known = work.disputes.by(payment_id=payment.payment_id)
            told = told_by(one, known[-1] if known else None)
            if told is not None:
                take_dispute(work, TakeDispute(command.account_id, told))
    return take_settlement(work, command)


def told_by(line: ToldLine, known: Dispute | None) -> ToldDispute | None:
    """What a line tells of the newest dispute of its payment; None: nothing that is not known."""
    gone = max(0, -line.source_minor)
    state, said_at = DisputeState.OPEN if gone else DisputeState.WON, line.said_at
    if known is not None and gone:
        if known.withdrawn_minor:
            return None
        if known.state in (DisputeState.ANSWERED, DisputeState.LOST):
            state, said_at = known.state, known.said_at
        elif not known.is_undecided:
            if line.said_at <= known.said_at:
                return None  # it has come back since
            state = DisputeState.LOST
    return ToldDispute(
        dispute_ref=line.source_ref or "" if known is None else known.dispute_ref,
        state=state,
        amount_minor=abs(line.source_minor),
        currency=line.source_currency,
        withdrawn_minor=gone,
        reason="" if known is None else known.reason,
        said_at=said_at,
        payment_id=line.payment_id,
        provider_ref=line.provider_ref,
    )
