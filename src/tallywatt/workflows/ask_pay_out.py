"""Pay a balance out as far as one's limit goes; beyond it the payout waits for another person, like a refund."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallywatt.customers.approval import Approval, ApprovalKind, ApprovalState, Holder
from tallywatt.kernel.card_numbers import hide_card_numbers
from tallywatt.kernel.errors import Conflict
from tallywatt.kernel.identity import CustomerId
from tallywatt.kernel.money import Money, currency
from tallywatt.workflows.ask_refund import take_from_limits
from tallywatt.workflows.pay_out_balance import PaidOut, PayOutBalance, leaving, pay_out_balance, whose_balance
from tallywatt.workflows.second_eyes import Wanted, ask_approval

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class AskPayOut:
    """A payout, and whose limit it is held against. None: whoever sits at the machine itself has none."""

    payout: PayOutBalance
    holder: Holder | None


def ask_pay_out(work: UnitOfWork, command: AskPayOut) -> PaidOut | Approval:
    """What is on its way, or the request that waits. Asked again while one waits, it is that one."""
    payout = command.payout
    customer_id = whose_balance(work, payout.customer)
    unit = currency(payout.currency)
    sum_ = Money(leaving(work, customer_id, payout), unit)
    if sum_.minor <= 0:
        return pay_out_balance(work, payout)
    asked = [one for one in work.approvals.by(subject_id=customer_id) if one.kind is ApprovalKind.PAYOUT]
    waiting = [one for one in asked if one.is_open(work.machine_now) and one.currency == unit.code]
    if waiting:
        return waiting[0]
    passed = take_from_limits(work, command.holder, sum_, 0)
    if not passed:
        return pay_out_balance(work, payout)
    by_bank = hide_card_numbers(payout.by_bank)[0] if payout.by_bank is not None else None
    request = {"customer_id": customer_id, "currency": unit.code, "by_bank": by_bank, "minor": sum_.minor}
    key, reason = f"{customer_id}/{len(asked)}", by_bank or ""
    return ask_approval(work, Wanted(ApprovalKind.PAYOUT, customer_id, key, sum_, reason, passed, request))


def pay_out_approved(work: UnitOfWork, approval: Approval) -> str:
    """Pay out what another person has approved, and no more: what came in since stays."""
    request = approval.request
    customer = work.customers.get(CustomerId(request["customer_id"]))
    order = PayOutBalance(customer.reference, request["currency"], request["by_bank"], request["minor"])
    paid = pay_out_balance(work, order)
    if not paid.to_cards_minor and not paid.by_bank_minor:
        msg = "what was to be paid out was used meanwhile"
        raise Conflict(msg, code="balance.used_meanwhile", remedy="decline the request")
    return customer.customer_id


def waits(answer: PaidOut | Approval) -> bool:
    """Whether somebody else has to decide first."""
    return isinstance(answer, Approval) and answer.state is ApprovalState.WAITING
