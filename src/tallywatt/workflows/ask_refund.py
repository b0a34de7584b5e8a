"""Give money back as far as one's limit goes; beyond it the refund waits for another person."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tallywatt.customers.approval import (
    Approval,
    ApprovalKind,
    Beyond,
    GivenAway,
    Holder,
    MoneyLimit,
    beyond,
    standard_limit,
)
from tallywatt.kernel.card_numbers import hide_card_numbers
from tallywatt.kernel.clock import local_date
from tallywatt.kernel.errors import IdempotencyMismatch
from tallywatt.kernel.identity import PaymentId
from tallywatt.kernel.money import Money, currency
from tallywatt.workflows.give_back import GiveBack, give_back, known_refund, refuse_impossible
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.second_eyes import Wanted, ask_approval, holder_of

if TYPE_CHECKING:
    from tallywatt.payments.operation import Operation
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class AskRefund:
    """A refund, and whose limit it is held against. None: whoever sits at the machine itself has none."""

    refund: GiveBack
    holder: Holder | None


def ask_refund(work: UnitOfWork, command: AskRefund) -> Operation | Approval:
    """The refund on its way, or the request that waits for another person. The same key again is the same answer."""
    refund = command.refund
    payment = work.payments.lock(refund.payment_id)
    known = known_refund(work, payment, refund)
    if known is not None:
        return known
    waiting = work.approvals.one_by(kind=ApprovalKind.REFUND.value, request_key=_key(refund))
    if waiting is not None:
        if waiting.amount_minor != refund.amount.minor:
            msg = "this refund was asked for with another amount before"
            raise IdempotencyMismatch(msg)
        return waiting
    refuse_impossible(work, payment, refund)
    passed = take_from_limits(work, command.holder, refund.amount, payment.refunded_minor)
    if passed:
        return ask_approval(work, _wanted(refund, passed))
    operation = give_back(work, refund)
    _record(work, refund)
    return operation


def take_from_limits(
    work: UnitOfWork, holder: Holder | None, amount: Money, of_payment: int, *, largest: int | None = None
) -> tuple[Beyond, ...]:
    """The limits that so much goes beyond; none: it is counted on the asker's day. The counter's row is locked.

    `largest`: the most of one payment, where the amount is the sum of many.
    """
    if holder is None:
        return ()
    limit = limit_of(work, holder, amount.currency.code)
    whose = holder_of(work, work.actor)
    day = local_date(work.machine_now, work.operators.get().zone).isoformat()
    work.given_away.add(GivenAway(whose, day, amount.currency.code, 0))
    given = work.given_away.lock(whose, day, amount.currency.code)
    each = amount.minor if largest is None else largest
    passed = beyond(limit, amount.minor, each, of_payment, given.given_minor)
    if not passed:
        work.given_away.put(replace(given, given_minor=given.given_minor + amount.minor))
    return passed


def limit_of(work: UnitOfWork, holder: Holder, code: str) -> MoneyLimit:
    """The limit of a role in a currency: as the operator has set it, else as the table of roles has it."""
    return work.money_limits.find(holder.value, code) or standard_limit(holder, currency(code), work.now)


def refund_approved(work: UnitOfWork, approval: Approval) -> str:
    """Give back what another person has approved. What has become impossible meanwhile is refused, and goes on waiting."""
    refund = _refund_of(approval.request)
    operation = give_back(work, refund)
    _record(work, refund)
    return operation.operation_id


def _wanted(refund: GiveBack, passed: tuple[Beyond, ...]) -> Wanted:
    reason, _ = hide_card_numbers(refund.reason)
    request = {
        "payment_id": refund.payment_id,
        "minor": refund.amount.minor,
        "currency": refund.amount.currency.code,
        "reason": reason,
        "key": refund.key,
    }
    return Wanted(ApprovalKind.REFUND, refund.payment_id, _key(refund), refund.amount, reason, passed, request)


def _refund_of(request: dict[str, Any]) -> GiveBack:
    amount = Money(request["minor"], currency(request["currency"]))
    return GiveBack(PaymentId(request["payment_id"]), amount, request["reason"], request["key"])


def _key(refund: GiveBack) -> str:
    return f"{refund.payment_id}/{refund.key}"


def _record(work: UnitOfWork, refund: GiveBack) -> None:
    after = {"minor": refund.amount.minor, "currency": refund.amount.currency.code, "reason": refund.reason}
    record_action(work, "payment.refund", "payment", refund.payment_id, after=after)
