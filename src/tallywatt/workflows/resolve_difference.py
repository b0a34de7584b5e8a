"""A person works off what a provider's list and our payments do not agree about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.errors import BadInput, Conflict
from tallywatt.kernel.identity import PaymentId
from tallywatt.ledger.settled import drafts, moves_of_difference
from tallywatt.payments.provider import Enquiry
from tallywatt.payments.settlement import Action, DifferenceState, LineKind, LineState, actions_for
from tallywatt.workflows.begin_restoration import not_compared
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.post_entry import post
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.take_settlement import change_line, compare_payment, payment_of

if TYPE_CHECKING:
    from tallywatt.payments.account import ProviderAccount
    from tallywatt.payments.settlement import SettlementDifference
    from tallywatt.workflows.ports import UnitOfWork

COMPARE_PAYMENT: Final = "compare_payment"
"""Job: ask the provider how the payment of that id stands, and compare it with its lines again."""
LONGEST_NOTE: Final = 500


@dataclass(frozen=True, slots=True)
class ResolveDifference:
    """Which difference, what is to be done about it, and why. `payment_id`: to which payment a line belongs."""

    difference_id: str
    action: Action
    note: str = ""
    payment_id: str | None = None


def resolve_difference(work: UnitOfWork, command: ResolveDifference) -> SettlementDifference:
    """Do what was decided, and record it. A difference that is closed already is told as it is."""
    if len(command.note) > LONGEST_NOTE:
        msg = f"a note has at most {LONGEST_NOTE} characters"
        raise BadInput(msg, code="settlement.note_too_long")
    known = work.settlement_differences.lock(command.difference_id)
    if known.state is DifferenceState.RESOLVED:
        return known
    if command.action not in actions_for(known.kind):
        msg = f"{command.action.value} is nothing that can be done about {known.kind.value}"
        raise Conflict(msg, code="settlement.wrong_action", remedy=f"choose: {', '.join(actions_for(known.kind))}")
    match command.action:
        case Action.ASK:
            assert known.payment_id is not None, "a payment stands behind what can be asked about"
            work.jobs.add(Job(COMPARE_PAYMENT, known.payment_id, {"account_id": known.account_id}))
            after = known
        case Action.MATCH:
            after = _match(work, known, command)
        case Action.BOOK:
            after = _close(work, _book(work, known), command)
        case Action.DISMISS:
            after = _close(work, known, command)
    told = {"action": command.action.value, "kind": known.kind.value, "minor": known.open_minor}
    told |= {"currency": known.currency} | ({"note": command.note} if command.note else {})
    record_action(work, "settlement.resolve", "settlement_difference", known.difference_id, after=told)
    return after


def _match(work: UnitOfWork, known: SettlementDifference, command: ResolveDifference) -> SettlementDifference:
    wanted = command.payment_id or known.payment_id
    if wanted is None:
        msg = "it is not said which payment the line belongs to"
        raise BadInput(msg, code="settlement.which_payment", remedy="name the payment")
    line = work.settlement_lines.lock(known.account_id, known.subject_ref)
    payment = payment_of(work, known.account_id, wanted, wanted)
    if payment is None or line.kind not in (LineKind.CHARGE, LineKind.REFUND):
        msg = "there is no such payment of this account to which such a line can belong"
        raise Conflict(msg, code="settlement.no_such_payment")
    if payment.currency != line.source_currency:
        msg = f"the line is in {line.source_currency}, the payment in {payment.currency}"
        raise Conflict(msg, code="settlement.other_currency")
    change_line(work, line, replace(line, payment_id=payment.payment_id, state=LineState.MATCHED))
    compare_payment(work, payment.payment_id)
    return _close(work, work.settlement_differences.lock(known.difference_id), command)


def _book(work: UnitOfWork, known: SettlementDifference) -> SettlementDifference:
    minor = known.open_minor
    booked = known.booked_minor + minor
    move = moves_of_difference(known, minor)
    for draft in drafts("difference_booked", "difference", f"{known.difference_id}/{known.version}", (move,)):
        post(work, draft)
    return replace(known, booked_minor=booked)


def _close(work: UnitOfWork, difference: SettlementDifference, command: ResolveDifference) -> SettlementDifference:
    if difference.state is DifferenceState.RESOLVED and command.action is not Action.MATCH:
        return difference
    return work.settlement_differences.put(
        replace(
            difference,
            state=DifferenceState.RESOLVED,
            resolved_at=work.machine_now,
            resolved_by=work.actor,
            resolution=command.action.value if not command.note else f"{command.action.value}: {command.note}",
        )
    )


@dataclass(frozen=True, slots=True)
class PaymentLook:
    """A payment that is to be asked about, and where."""

    account: ProviderAccount
    enquiry: Enquiry
    is_held: bool


def payment_to_look_at(work: UnitOfWork, payment_id: PaymentId) -> PaymentLook:
    """Where to ask about a payment. Writes nothing."""
    payment = work.payments.get(payment_id)
    enquiry = Enquiry(payment.payment_id, payment.created_at, payment.provider_ref, payment.page_ref)
    account = work.provider_accounts.get(payment.account_id)
    return PaymentLook(account, enquiry, is_held=not_compared(work) is not None)


def compare_again(work: UnitOfWork, payment_id: PaymentId) -> None:
    """After the provider was asked: whether the lines and the payment agree now."""
    compare_payment(work, payment_id)
