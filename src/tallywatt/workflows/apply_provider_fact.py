"""Take in what a provider says, whoever asked: reply, webhook, janitor or operator. One function, one transaction.

A fact is never thrown away: what the payment's state forbids is booked to suspense and listed in the inbox.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import OperationId
from tallywatt.ledger.chart import clearing, on_account, prepaid, receivable, suspense
from tallywatt.ledger.post import Draft, Leg
from tallywatt.metering.session import PayerKind
from tallywatt.payments.allocation import Allocation, Target
from tallywatt.payments.capabilities import Captures, capabilities_of
from tallywatt.payments.codes import CAPTURE_LOST, Advice
from tallywatt.payments.consequence import (
    Captured,
    Contradicted,
    Declined,
    GivenBack,
    HoldPlaced,
    HoldReleased,
    Surplus,
)
from tallywatt.payments.fact import Source, answered, shown, view_of, with_captures, with_refund_total
from tallywatt.payments.limits import LEAST_PAGE_LIFE_MS
from tallywatt.payments.operation import OperationKind, OperationState
from tallywatt.payments.own_books import PREPAID
from tallywatt.payments.payment import BEYOND_HOLD, RELEASED, REST, TOP_UP, PaymentKind, PaymentState
from tallywatt.payments.provider import Failed, NotSent, Unknown, ViewStatus
from tallywatt.workflows.answer_from_books import free_minor
from tallywatt.workflows.credit_refund import CreditRefund, credit_refund
from tallywatt.workflows.intend_operation import ASK_PROVIDER, on_its_way
from tallywatt.workflows.jobs import BACKOFF_SECONDS, Job, JobState
from tallywatt.workflows.look_at_page import look_soon
from tallywatt.workflows.note_payment import note
from tallywatt.workflows.note_reader import note_reader
from tallywatt.workflows.post_entry import post
from tallywatt.workflows.renew_method import note_method
from tallywatt.workflows.reserve_refund import release_reserved
from tallywatt.workflows.return_rest import is_rest
from tallywatt.workflows.route_payment import fail_over, note_health
from tallywatt.workflows.take_next_step import take_next_step
from tallywatt.workflows.take_settlement import compare_if_differing
from tallywatt.workflows.use_coupon import release_uses

if TYPE_CHECKING:
    from tallywatt.payments.consequence import Consequence
    from tallywatt.payments.fact import ProviderFact
    from tallywatt.payments.operation import Operation
    from tallywatt.payments.payment import Payment
    from tallywatt.payments.provider import View
    from tallywatt.workflows.ports import UnitOfWork

START_PAID_SESSION: Final = "start_paid_session"
"""Job: a hold is there; ask the EVSE of that payment to start."""
ASK_AFTER_MS: Final = 2000
"""How long an unclear answer may take to clear up by itself (a webhook) before the provider is asked."""
GIVEN_UP_AFTER_MS: Final = sum(BACKOFF_SECONDS) * 3 // 4 * 1000
"""No job that asks a provider is given up earlier."""
ENDED_AT_READER: Final = (PaymentState.DECLINED, *RELEASED)
PENDING_AFTER_MS: Final = 15 * 60 * 1000
"""How long the provider may take to decide before it is asked, in case its webhook was lost."""


def apply_provider_fact(work: UnitOfWork, fact: ProviderFact) -> Payment:
    """The payment after the fact, with its entries, allocations, events and next step written."""
    payment = work.payments.lock(fact.payment_id)
    operation = _operation_of(work, fact)
    fact = _of_what_stands(payment, operation, fact)
    view = _as_hold_ends(work, payment, _in_all(work, payment, view_of(fact.outcome)))
    known = None if view is None else _of_a_lost_capture(work, payment, view)
    if known is not None:
        return known
    after, consequences = (payment, ()) if view is None else payment.after(view, _asked_for(operation))
    after = _as_it_had_grown(work, payment, _as_account_takes(work, payment, after))
    settled = _settle(work, operation, fact, view)
    note_health(work, operation, fact)
    moved = fail_over(work, payment, settled, fact)
    if moved is not None:
        return moved
    # News in the refusal itself (the page was paid after all) leads to another step; the same step again leads nowhere.
    news = after.state is not payment.state
    dead_end = settled is not None and settled != operation and _is_dead_end(payment, settled, fact) and not news
    if settled is not None:
        after = _without_way_on(after, settled, dead_end=dead_end)
    if after != payment:
        after = work.payments.put(after)
    release_reserved(work, after, settled)
    _release_offer(work, payment, after)
    for consequence in consequences:
        _carry_out(work, after, settled, consequence)
    if news and after.kind is PaymentKind.AD_HOC and after.state is PaymentState.REQUIRES_ACTION:
        look_soon(work, after)
    if settled is not None and operation is not None and settled != operation:
        _follow_operation(work, after, operation, settled, dead_end=dead_end)
    # What was settled before has had its next step: where it was a dead end, its own late answer does not ask again.
    said_again = operation is not None and not operation.is_unresolved and after == payment
    if not dead_end and not said_again:
        take_next_step(work, after)
    if fact.source is not Source.REPLY and _sums(after) != _sums(payment):
        compare_if_differing(work, after.payment_id)
    return after


def _sums(payment: Payment) -> tuple[int, int]:
    """What its settlement lines are compared with."""
    return payment.captured_minor + payment.suspense_minor, payment.refunded_minor


def _asked_for(operation: Operation | None) -> int:
    """What an operation without an answer was to take."""
    takes = (
        operation is not None
        and operation.is_unresolved
        and operation.kind in (OperationKind.CAPTURE, OperationKind.CHARGE)
    )
    return operation.amount_minor if operation is not None and takes else 0


def _in_all(work: UnitOfWork, payment: Payment, view: View | None) -> View | None:
    """The view with the sums of all captures and refunds, where the message tells of one of them alone."""
    if view is None or not (view.refunds or view.captures):
        return view
    operations = work.operations.by(payment_id=payment.payment_id)
    return with_captures(with_refund_total(view, operations), payment, operations)


def _as_hold_ends(work: UnitOfWork, payment: Payment, view: View | None) -> View | None:
    """The view of a hold of which a part was taken, or taken back: where holds are taken but once, the rest went with it.

    A provider whose accounts differ in that tells what was held and what was taken, and cannot tell which it is.
    """
    if view is None or view.captures or view.status is not ViewStatus.AUTHORISED:
        return view
    if not view.captured_minor and view.code != CAPTURE_LOST:
        return view
    account = work.provider_accounts.get(payment.account_id)
    if capabilities_of(account.provider).multiple_captures is not Captures.BY_ACCOUNT:
        return view
    is_held = payment.several_captures or (not payment.authorised_minor and account.several_captures)
    ended = ViewStatus.CAPTURED if view.captured_minor else ViewStatus.VOIDED
    return view if is_held else replace(view, status=ended)


def _as_account_takes(work: UnitOfWork, before: Payment, after: Payment) -> Payment:
    """A new hold can be taken in parts, too, where its provider has switched that on for the account."""
    if after.state is not PaymentState.AUTHORISED or before.state is PaymentState.AUTHORISED:
        return after
    account = work.provider_accounts.get(after.account_id)
    switched = capabilities_of(account.provider).multiple_captures is Captures.BY_ACCOUNT and account.several_captures
    return replace(after, several_captures=after.several_captures or switched)


def _as_it_had_grown(work: UnitOfWork, before: Payment, after: Payment) -> Payment:
    """A hold that had grown, of which that is told after all was taken that was known of it.

    Where no capture lets go of the rest, the rest is held still: what is due is taken from it, unless it was asked for on its
    own meanwhile, and the remainder is let go.
    """
    grown = before.state is after.state is PaymentState.CAPTURED and after.authorised_minor > before.authorised_minor
    if not grown or not after.several_captures or after.taken_minor >= after.authorised_minor:
        return after
    account = work.provider_accounts.get(after.account_id)
    if capabilities_of(account.provider).multiple_captures is not Captures.BY_ACCOUNT:
        return after
    asked = any(one.purpose == REST for one in work.payments.by(session_id=after.session_id))
    due = after.captured_minor if asked else after.due_minor
    reason = None if after.reason == BEYOND_HOLD else after.reason
    return replace(after, state=PaymentState.AUTHORISED, due_minor=due, reason=reason)


def _release_offer(work: UnitOfWork, before: Payment, after: Payment) -> None:
    """Who could not pay at a reader begins anew, with another offer: what this one had claimed is free again."""
    ended = after.state is not before.state and after.state in ENDED_AT_READER
    if after.reader_id is not None and after.session_id is None and ended:
        release_uses(work, after.offer_id)


def _of_a_lost_capture(work: UnitOfWork, payment: Payment, view: View) -> Payment | None:
    """The payment after news of a capture that never brought any money; None: it is none of that.

    Such a word is final. Notifications overtake each other: that the capture went well may be told after that.
    """
    named = view.failed_operation or view.told_of
    told = work.operations.find(OperationId(named)) if named is not None else None
    if told is None or told.payment_id != payment.payment_id:
        return None
    if told.code == CAPTURE_LOST:
        return payment
    taken = told.kind in (OperationKind.CAPTURE, OperationKind.CHARGE) and told.state is OperationState.SUCCEEDED
    return _take_back(work, payment, told, view) if taken and view.failed_operation is not None else None


def _take_back(work: UnitOfWork, payment: Payment, lost: Operation, view: View) -> Payment:
    """The payment without a capture that had succeeded: the sum is owed again, and a person hears of it."""
    after = work.payments.put(payment.without_capture(lost.amount_minor))
    failed = replace(lost, state=OperationState.FAILED, code=CAPTURE_LOST, error=view.code)
    work.operations.put(failed)
    minor = after.lost_minor - payment.lost_minor
    if minor:
        legs = _back_to_provider(work, after, minor)
        _book(work, after, "payment_taken_back", after.lost_minor, legs)
        target, target_id = _belongs_to(after)
        _allocate(work, after, failed, target, target_id, -minor)
        _event(work, after, "PaymentTakenBack", minor=minor, currency=after.currency)
    summary = (
        f"{lost.amount_minor} minor units of {after.currency} were captured and never arrived; {minor} are owed again"
    )
    note(work, after, "capture_lost", summary, lost.operation_id)
    return after


def _without_way_on(payment: Payment, settled: Operation, *, dead_end: bool) -> Payment:
    if dead_end:
        return payment.without_way_on(settled.code or "provider_unreachable", settled.kind)
    if settled.state is OperationState.NOT_SENT and payment.is_given_up_unbegun:
        # Its deadline went by while this was unknown; there is nothing that could be let go.
        return payment.without_way_on(payment.reason or "cancelled")
    return payment


def _gave_up_too_late(payment: Payment, operation: Operation | None) -> bool:
    """Whether a reader was to ask no longer, and by now the hold stands of which nobody knew when that was written down."""
    if operation is None or operation.kind is not OperationKind.VOID or payment.state is not PaymentState.AUTHORISED:
        return False
    asked = operation.asked
    return "reader_ref" in asked and asked.get("provider_ref") is None and payment.provider_ref is not None


def _of_what_stands(payment: Payment, operation: Operation | None, fact: ProviderFact) -> ProviderFact:
    """The fact, unless a reader that asks no longer says that nothing is held: of the hold that stands it knows nothing."""
    heard = fact.operation_id is not None and not isinstance(fact.outcome, Failed | NotSent | Unknown)
    if not heard or not _gave_up_too_late(payment, operation):
        return fact
    return replace(fact, outcome=Failed("paid_meanwhile", "a card was held meanwhile"))


def _is_dead_end(payment: Payment, operation: Operation, fact: ProviderFact) -> bool:
    """Whether asking for the same again would lead to the same: then a person decides."""
    if _gave_up_too_late(payment, operation):
        return False  # what is asked next names the hold
    if operation.kind in (OperationKind.ADJUST, OperationKind.REFUND):
        return False  # what is held stays held, and what is due is taken from that
    if operation.state is OperationState.NOT_SENT:
        # Who stood at the reader has gone, or tries again: it is not asked by itself a second time.
        return fact.source is Source.REPLY or operation.kind is OperationKind.PRESENT
    return operation.state is OperationState.FAILED


def _operation_of(work: UnitOfWork, fact: ProviderFact) -> Operation | None:
    if fact.operation_id is None:
        return on_its_way(work, fact.payment_id)
    operation = work.operations.get(fact.operation_id)
    assert operation.payment_id == fact.payment_id, "an answer belongs to the payment of its operation"
    return operation


def _settle(work: UnitOfWork, operation: Operation | None, fact: ProviderFact, view: View | None) -> Operation | None:
    if operation is None:
        return None
    if fact.operation_id is not None:
        return answered(operation, fact, work.machine_now)
    # A webhook about an earlier attempt says nothing about one written down after it (the provider counts in seconds).
    if view is None or (_is_said_before(fact, operation) and not _names(view, operation)):
        return operation
    return shown(operation, view, work.machine_now)


def _is_said_before(fact: ProviderFact, operation: Operation) -> bool:
    return fact.said_at is not None and fact.said_at // 1000 < operation.created_at // 1000


def _names(view: View, operation: Operation) -> bool:
    """Whether it is about that very operation: then it was said after it, whatever the provider's clock shows."""
    return any(one.operation_id == operation.operation_id for one in view.captures)


def _follow_operation(
    work: UnitOfWork, payment: Payment, before: Operation, operation: Operation, *, dead_end: bool
) -> None:
    work.operations.put(operation)
    if operation.state is before.state:
        return
    _end_failed_job(work, operation)
    if note_reader(work, payment, operation):
        return
    if operation.state is OperationState.UNKNOWN:
        work.jobs.add(_ask_later(work, operation))
        _event(work, payment, "PaymentUnknown", operation_id=operation.operation_id, kind=operation.kind.value)
    elif operation.state is OperationState.PENDING:
        work.jobs.add(_ask_later(work, operation))
    elif operation.kind is OperationKind.ADJUST:
        pass  # nobody has to deal with a hold that did not grow: whoever watches it ends the session in time
    elif operation.state is OperationState.FAILED and (dead_end or operation.kind is not OperationKind.VOID):
        # A void of what has ended in another way needs nobody; a capture that found its hold gone does.
        if not _came_too_late(operation, work.machine_now):
            note(
                work, payment, "operation_failed", f"{operation.kind} failed: {operation.code}", operation.operation_id
            )
    elif operation.state is OperationState.NOT_SENT and (dead_end or _was_wished(payment, operation)):
        # What a payment asks for by itself it asks again, and needs nobody.
        note(work, payment, "operation_not_sent", f"{operation.kind} never arrived", operation.operation_id)
    elif operation.state is OperationState.DECLINED and operation.advice == Advice.ASK_DRIVER:
        _event(work, payment, "DriverNeeded", operation_id=operation.operation_id, code=operation.code)


def _end_failed_job(work: UnitOfWork, operation: Operation) -> None:
    """Who asked about it until that was given up has nothing to ask any more: run once again, its job is done."""
    if operation.is_unresolved or work.machine_now - operation.created_at < GIVEN_UP_AFTER_MS:
        return
    asked = work.stored_jobs.one_by(kind=ASK_PROVIDER, subject_id=operation.operation_id)
    if asked is not None and asked.state is JobState.FAILED:
        work.jobs.add(Job(ASK_PROVIDER, operation.operation_id, asked.payload))


def _was_wished(payment: Payment, operation: Operation) -> bool:
    """Whether it is a refund that a person has asked for."""
    return operation.kind is OperationKind.REFUND and not is_rest(payment, operation)


def _came_too_late(operation: Operation, now: Instant) -> bool:
    """A page that was asked for when its time was nearly over: nobody has paid, and nobody stands there any more."""
    if operation.kind is not OperationKind.HOSTED_PAGE:
        return False
    return int(operation.asked.get("expires_at") or 0) * 1000 - now < LEAST_PAGE_LIFE_MS


def _ask_later(work: UnitOfWork, operation: Operation) -> Job:
    payload = {"payment_id": operation.payment_id, "account_id": operation.account_id}
    pause = ASK_AFTER_MS if operation.state is OperationState.UNKNOWN else PENDING_AFTER_MS
    return Job(ASK_PROVIDER, operation.operation_id, payload, Instant(work.machine_now + pause))


def _carry_out(work: UnitOfWork, payment: Payment, operation: Operation | None, consequence: Consequence) -> None:
    match consequence:
        case Captured(minor=minor):
            legs = (Leg(clearing(payment.account_id), owed_on(work, payment), minor),)
            _book(work, payment, "payment_captured", payment.captured_minor + payment.lost_minor, legs)
            target, target_id = _belongs_to(payment)
            _allocate(work, payment, operation, target, target_id, minor)
            _event(work, payment, "PaymentCaptured", minor=minor, currency=payment.currency)
        case Surplus(minor=minor, why=why):
            legs = (Leg(clearing(payment.account_id), suspense(payment.account_id), minor),)
            _book(work, payment, "payment_surplus", payment.suspense_minor, legs)
            _allocate(work, payment, operation, Target.SUSPENSE, payment.payment_id, minor)
            summary = f"{minor} minor units of {payment.currency} {why}"
            note(work, payment, "payment_surplus", summary, str(payment.suspense_minor))
        case GivenBack(minor=minor):
            _give_back(work, payment, operation, minor)
        case HoldPlaced(minor=minor):
            _event(work, payment, "PaymentAuthorised", minor=minor, currency=payment.currency)
            if payment.due_minor is None and payment.session_id is None:
                work.jobs.add(Job(START_PAID_SESSION, payment.payment_id))
        case HoldReleased(minor=minor, how=how):
            _event(work, payment, f"Payment{how.capitalize()}", minor=minor, currency=payment.currency)
        case Declined(code=code):
            _event(work, payment, "PaymentDeclined", code=code)
            note_method(work, payment, code)
        case Contradicted(code=code, detail=detail):
            note(work, payment, "payment_contradicted", f"{code}: {detail}", f"{code}/{detail}")


def owed_on(work: UnitOfWork, payment: Payment) -> str:
    """The ledger account on which this payer owes, or has what is paid in."""
    if payment.purpose == REST and payment.invoice_id is not None:
        # A driver without an account pays it by a payment of its own, and owes it as the one who has charged.
        invoice = work.invoices.get(payment.invoice_id)
        return receivable(invoice.payer.value, invoice.payer_id)
    if payment.purpose == TOP_UP:
        assert payment.customer_id is not None, "a balance is a customer's"
        return prepaid(payment.customer_id)
    if payment.kind is PaymentKind.STORED:
        return receivable(PayerKind.CUSTOMER.value, payment.customer_id)
    return receivable(PayerKind.AD_HOC.value, payment.payment_id)


def _back_to_provider(work: UnitOfWork, payment: Payment, minor: int) -> tuple[Leg, ...]:
    """From whom money goes back the way it came. What was paid in and is used up already, the customer owes on account."""
    cleared = clearing(payment.account_id)
    if payment.purpose != TOP_UP or payment.customer_id is None:
        return (Leg(owed_on(work, payment), cleared, minor),)
    there = max(0, free_minor(work, PREPAID, payment.customer_id, payment.currency, lock=True) or 0)
    part = min(minor, there)
    return (
        Leg(prepaid(payment.customer_id), cleared, part),
        Leg(on_account(payment.customer_id), cleared, minor - part),
    )


def _belongs_to(payment: Payment) -> tuple[Target, str]:
    if payment.invoice_id is not None:
        return Target.INVOICE, payment.invoice_id
    return Target.BALANCE, payment.customer_id or payment.payment_id


def _give_back(work: UnitOfWork, payment: Payment, operation: Operation | None, minor: int) -> None:
    legs = _back_to_provider(work, payment, minor)
    _book(work, payment, "payment_refunded", payment.refunded_minor, legs)
    for target, target_id, part in _taken_from(work, payment, minor):
        _allocate(work, payment, operation, target, target_id, -part)
    _allocate(work, payment, operation, Target.REFUND_DUE, payment.payment_id, minor)
    _event(work, payment, "PaymentRefunded", minor=minor, currency=payment.currency)
    if payment.invoice_id is not None:
        credit_refund(work, CreditRefund(payment.invoice_id))


def _taken_from(work: UnitOfWork, payment: Payment, minor: int) -> list[tuple[Target, str, int]]:
    """What goes back was for this: first what belongs to no invoice, because it was taken before there was one."""
    target, target_id = _belongs_to(payment)
    if target is Target.BALANCE:
        return [(target, target_id, minor)]
    rows = work.allocations.by(payment_id=payment.payment_id)
    balance = payment.customer_id or payment.payment_id
    free = min(minor, max(0, sum(one.amount_minor for one in rows if one.target is Target.BALANCE)))
    parts = [(Target.BALANCE, balance, free), (target, target_id, minor - free)]
    return [one for one in parts if one[2]]


def _book(work: UnitOfWork, payment: Payment, kind: str, total: int, legs: tuple[Leg, ...]) -> None:
    # The running total is in the cause: the same news again is the same entry, the next capture another one.
    post(work, Draft(kind, "payment", f"{payment.payment_id}/{total}", payment.currency, legs))


def _allocate(
    work: UnitOfWork, payment: Payment, operation: Operation | None, target: Target, target_id: str, minor: int
) -> None:
    told = payment.captured_minor + payment.suspense_minor + payment.refunded_minor + 2 * payment.lost_minor
    written = work.allocations.add(
        Allocation(
            allocation_id=work.draw.id(f"allocation/{payment.payment_id}/{target}/{minor}/{told}"),
            payment_id=payment.payment_id,
            target=target,
            target_id=target_id,
            amount_minor=minor,
            currency=payment.currency,
            operation_id=None if operation is None else operation.operation_id,
            created_at=work.now,
        )
    )
    assert written, "every part of a payment is allocated by a row of its own"


def _event(work: UnitOfWork, payment: Payment, type_: str, **data: str | int | None) -> None:
    work.events.append(Event("payment", payment.payment_id, type_, {"session_id": payment.session_id, **data}))
