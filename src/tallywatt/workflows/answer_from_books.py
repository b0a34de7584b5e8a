"""What a provider would answer whose customers have their accounts in our own books: a prepaid balance, or buying on invoice.

It is asked like any other: what is wanted was written down first, and the answer is taken in by `apply_provider_fact`. Each
answer is one entry in the books, named by its operation: asked again after a crash it is the same answer. The customer's
account is locked before anything is decided, so that two sessions at once never hold more than is there.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tallywatt.kernel.clock import local_date
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import CustomerId, OperationId
from tallywatt.ledger.books import Phase
from tallywatt.ledger.chart import clearing, on_account, prepaid
from tallywatt.ledger.post import Draft, Leg, account_id, entry_id, transfer_id
from tallywatt.payments.codes import Advice
from tallywatt.payments.operation import OperationKind
from tallywatt.payments.own_books import (
    INVOICE,
    NOT_ALLOWED,
    OVER_LIMIT,
    PREPAID,
    SHORT_OF_BALANCE,
    CustomerHold,
    HoldState,
)
from tallywatt.payments.provider import Declined, Failed, Succeeded
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.post_entry import post
from tallywatt.workflows.receive_transfer import take_what_is_left
from tallywatt.workflows.tell_customer import TELL_LOW

if TYPE_CHECKING:
    from tallywatt.kernel.events import Scalar
    from tallywatt.payments.account import ProviderAccount
    from tallywatt.payments.operation import Operation
    from tallywatt.payments.provider import Outcome
    from tallywatt.workflows.ports import UnitOfWork


def answer_from_books(work: UnitOfWork, operation_id: OperationId) -> Outcome:
    """Do what an operation asks for, and say how its payment stands then."""
    operation = work.operations.get(operation_id)
    account = work.provider_accounts.get(operation.account_id)
    hold = work.customer_holds.find(operation.payment_id)
    if hold is not None:
        hold = work.customer_holds.lock(operation.payment_id)
        if work.entries.find(entry_id(_draft(operation, ()))) is not None:
            return Succeeded(hold.view, hold.payment_id)
    if operation.kind in (OperationKind.AUTHORISE, OperationKind.CHARGE):
        return _begin(work, operation, account) if hold is None else Succeeded(hold.view, hold.payment_id)
    if hold is None:
        return Failed("no_hold", "nothing was ever held for this payment")
    does = {
        OperationKind.ADJUST: _adjust,
        OperationKind.CAPTURE: _capture,
        OperationKind.VOID: _void,
        OperationKind.REFUND: _refund,
    }[operation.kind]
    return does(work, operation, hold)


def free_minor(work: UnitOfWork, provider: str, customer_id: str, currency: str, *, lock: bool = False) -> int | None:
    """What a customer can still use; None when the account is not theirs to use. Locked, nobody else decides on it now."""
    if provider == PREPAID:
        balance = work.accounts.find(account_id(prepaid(customer_id), currency))
        if balance is None:
            return 0
        if lock:
            balance = work.accounts.lock(balance.account_id)
        return balance.credits_posted - balance.debits_posted - balance.debits_pending
    terms = work.credit_terms.find(customer_id, currency)
    if terms is not None and lock:
        terms = work.credit_terms.lock(customer_id, currency)
    if terms is None or terms.ended_at is not None:
        return None
    return terms.limit_minor - work.queries.used_on_invoice(customer_id, currency)


def own_account(provider: str, customer_id: str) -> str:
    """The customer's account in the chart."""
    return prepaid(customer_id) if provider == PREPAID else on_account(customer_id)


def _draft(operation: Operation, legs: tuple[Leg, ...]) -> Draft:
    cause = f"{operation.payment_id}/{operation.operation_id}"
    return Draft(f"own_{operation.kind}", "hold", cause, operation.currency, legs)


def _sides(hold: CustomerHold) -> tuple[str, str]:
    return own_account(hold.provider, hold.customer_id), clearing(hold.account_id)


def _let_go(hold: CustomerHold) -> tuple[Leg, ...]:
    """What ends a pending hold in the books."""
    return (Leg(*_sides(hold), hold.held_minor, Phase.VOID, hold.pending_id),)


def _begin(work: UnitOfWork, operation: Operation, account: ProviderAccount) -> Outcome:
    """Hold something, or take it at once."""
    customer_id = CustomerId(str(operation.asked["customer_ref"]))
    takes = operation.kind is OperationKind.CHARGE
    free = free_minor(work, account.provider, customer_id, operation.currency, lock=True)
    if free is None and not takes:
        return _no(NOT_ALLOWED, "the customer may not buy on invoice")
    # What was delivered is owed anyhow: on invoice it is an open item, whatever the limit says. A limit keeps from starting.
    if (free or 0) < operation.amount_minor and not (takes and account.provider == INVOICE):
        return _no(*_short(account.provider, free or 0, operation.amount_minor))
    hold = CustomerHold(
        payment_id=operation.payment_id,
        account_id=account.account_id,
        customer_id=customer_id,
        provider=account.provider,
        currency=operation.currency,
        held_minor=operation.amount_minor,
        taken_minor=operation.amount_minor if takes else 0,
        returned_minor=0,
        settled_minor=0,
        state=HoldState.TAKEN if takes else HoldState.HELD,
        pending_id=None,
        invoice_id=None,
        due_on=None,
        created_at=work.now,
        ended_at=work.now if takes else None,
    )
    phase = Phase.SINGLE if takes else Phase.PENDING
    entry = post(work, _draft(operation, (Leg(*_sides(hold), operation.amount_minor, phase),)))
    hold = _open_item(work, hold) if takes else replace(hold, pending_id=transfer_id(entry, 0))
    work.customer_holds.add_new(hold)
    if takes:
        _after_taking(work, hold, account)
    return Succeeded(work.customer_holds.get(hold.payment_id).view, hold.payment_id)


def _short(provider: str, free: int, wanted: int) -> tuple[str, str]:
    if provider == PREPAID:
        return SHORT_OF_BALANCE, f"{free} minor units of the balance are free, {wanted} were asked for"
    return OVER_LIMIT, f"{free} minor units of the limit are left, {wanted} were asked for"


def _no(code: str, said: str, hold: CustomerHold | None = None) -> Declined:
    return Declined(code, Advice.OTHER_METHOD.value, said, None if hold is None else hold.view)


def _adjust(work: UnitOfWork, operation: Operation, hold: CustomerHold) -> Outcome:
    more = operation.amount_minor - hold.held_minor
    if hold.state is not HoldState.HELD:
        return Failed("hold_gone", f"the hold is {hold.state}", hold.view)
    free = free_minor(work, hold.provider, hold.customer_id, hold.currency, lock=True)
    if free is None or free < more:
        return _no(*_short(hold.provider, free or 0, more), hold)
    legs = (*_let_go(hold), Leg(*_sides(hold), operation.amount_minor, Phase.PENDING))
    entry = post(work, _draft(operation, legs))
    grown = replace(hold, held_minor=operation.amount_minor, pending_id=transfer_id(entry, 1))
    return Succeeded(work.customer_holds.put(grown).view, hold.payment_id)


def _capture(work: UnitOfWork, operation: Operation, hold: CustomerHold) -> Outcome:
    if hold.state is not HoldState.HELD or operation.amount_minor > hold.held_minor:
        return Failed("hold_gone", f"the hold of {hold.held_minor} is {hold.state}", hold.view)
    post(work, _draft(operation, (*_let_go(hold), Leg(*_sides(hold), operation.amount_minor))))
    taken = replace(hold, state=HoldState.TAKEN, taken_minor=operation.amount_minor, pending_id=None, ended_at=work.now)
    done = work.customer_holds.put(_open_item(work, taken))
    _after_taking(work, done, work.provider_accounts.get(hold.account_id))
    return Succeeded(work.customer_holds.get(hold.payment_id).view, hold.payment_id)


def _void(work: UnitOfWork, operation: Operation, hold: CustomerHold) -> Outcome:
    if hold.state is HoldState.TAKEN:
        return Failed("hold_used", "it was taken already", hold.view)
    if hold.state is HoldState.HELD:
        post(work, _draft(operation, _let_go(hold)))
        hold = work.customer_holds.put(replace(hold, state=HoldState.RELEASED, pending_id=None, ended_at=work.now))
    return Succeeded(hold.view, hold.payment_id)


def _refund(work: UnitOfWork, operation: Operation, hold: CustomerHold) -> Outcome:
    if operation.amount_minor > hold.taken_minor - hold.returned_minor:
        return Failed("refund_beyond_capture", "more than was taken", hold.view)
    own, cleared = _sides(hold)
    post(work, _draft(operation, (Leg(cleared, own, operation.amount_minor),)))
    back = replace(hold, returned_minor=hold.returned_minor + operation.amount_minor)
    return Succeeded(work.customer_holds.put(back).view, hold.payment_id)


def _open_item(work: UnitOfWork, hold: CustomerHold) -> CustomerHold:
    """What was taken on invoice is to be paid within the customer's term, for the invoice that the payment is for."""
    if hold.provider != INVOICE:
        return hold
    terms = work.credit_terms.find(hold.customer_id, hold.currency)
    today = local_date(work.now, work.operators.get().zone)
    due = today + timedelta(days=terms.term_days if terms is not None else 0)
    return replace(hold, due_on=due.isoformat(), invoice_id=work.payments.get(hold.payment_id).invoice_id)


def _after_taking(work: UnitOfWork, hold: CustomerHold, account: ProviderAccount) -> None:
    """An open item takes what came in before it; a balance that has become low is told, once on its way down."""
    if hold.provider == INVOICE:
        take_what_is_left(work, hold)
        return
    balance = work.accounts.get(account_id(prepaid(hold.customer_id), hold.currency))
    left = balance.credits_posted - balance.debits_posted
    low = account.low_minor
    if low is not None and left < low <= left + hold.taken_minor:
        data: dict[str, Scalar] = {"minor": left, "low_minor": low, "currency": hold.currency}
        work.events.append(Event("customer", hold.customer_id, "BalanceLow", data))
        work.jobs.add(Job(TELL_LOW, f"{hold.customer_id}/{hold.currency}"))
