"""Choose the provider account of a new payment, remember how accounts fare, and move a payment that certainly holds nothing.

A payment moves only while it is known that nothing was held and nothing taken. One of which that is not known stays where it
is and is asked about; what is found there later is let go.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tallywatt.kernel.events import Event
from tallywatt.payments.account import MethodState
from tallywatt.payments.fact import Source
from tallywatt.payments.health import Circuit, after_sending, healthy
from tallywatt.payments.operation import OperationKind, OperationState
from tallywatt.payments.payment import PaymentKind, PaymentState
from tallywatt.payments.provider import NotSent, Unknown
from tallywatt.payments.routing import Wish, route
from tallywatt.workflows.intend_operation import intend_again
from tallywatt.workflows.take_next_step import MOST_OPERATIONS, take_next_step

if TYPE_CHECKING:
    from collections.abc import Collection

    from tallywatt.kernel.identity import CustomerId
    from tallywatt.payments.account import PaymentMethod, ProviderAccount
    from tallywatt.payments.fact import ProviderFact
    from tallywatt.payments.health import ProviderHealth
    from tallywatt.payments.operation import Operation
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork


LEFT = "left_for_another_provider"
"""The code of a first step whose answer nobody waited for: what it may have made holds nothing."""


def account_for(work: UnitOfWork, wish: Wish, *, not_at: Collection[str] = ()) -> ProviderAccount | None:
    """The account that takes such a payment now; None when the operator has none that could."""
    accounts = work.provider_accounts.by(closed_at=None)
    if len(accounts) == 1:
        return next(iter(route(accounts, {}, wish, work.machine_now, not_at=not_at)), None)
    health = _health_of(work, accounts)
    chosen = next(iter(route(accounts, health, wish, work.machine_now, not_at=not_at)), None)
    if chosen is not None and chosen.account_id in health:
        _try(work, chosen)
    return chosen


def _health_of(work: UnitOfWork, accounts: list[ProviderAccount]) -> dict[str, ProviderHealth]:
    found = (work.provider_health.find(one.account_id) for one in accounts)
    return {one.account_id: one for one in found if one is not None}


def _try(work: UnitOfWork, account: ProviderAccount) -> None:
    """An account in trouble is tried by one payment at a time."""
    health = work.provider_health.lock(account.account_id)
    if health.state is not Circuit.CLOSED and health.may_take(work.machine_now):
        work.provider_health.put(health.tried(work.machine_now))


def note_health(work: UnitOfWork, operation: Operation | None, fact: ProviderFact) -> None:
    """Remember how a sending went. Where there is no other account, nothing would follow from it."""
    if fact.sent_at is None or operation is None or fact.source not in (Source.REPLY, Source.JANITOR):
        return
    if len(work.provider_accounts.by(closed_at=None)) < 2:
        return
    known = work.provider_health.find(operation.account_id)
    before = known or healthy(operation.account_id, work.machine_now)
    if after_sending(before, fact.outcome, work.machine_now) == before:
        return
    if known is None:
        work.provider_health.add(before)
    before = work.provider_health.lock(operation.account_id)
    after = after_sending(before, fact.outcome, work.machine_now)
    work.provider_health.put(after)
    if after.state is not before.state:
        data = {"before": before.state.value, "after": after.state.value}
        work.events.append(Event("provider_account", operation.account_id, "ProviderHealthChanged", data))


def method_for(
    work: UnitOfWork, customer_id: CustomerId, wish: Wish, *, not_at: Collection[str] = ()
) -> tuple[PaymentMethod, ProviderAccount] | None:
    """The stored method to charge: of the account that is best just now, the one stored last."""
    methods = [one for one in work.payment_methods.by(customer_id=customer_id) if one.state is MethodState.ACTIVE]
    latest = {one.account_id: one for one in methods}
    at = [account for account in work.provider_accounts.by(closed_at=None) if account.account_id in latest]
    newest_first = [one.account_id for one in reversed(methods)]
    health = _health_of(work, at) if len(at) > 1 else {}
    ready = route(at, health, replace(wish, stored=True), work.machine_now, not_at=not_at)
    # Among accounts that are well the customer's latest choice counts, not the operator's order.
    well = [one for one in ready if one.account_id not in health or health[one.account_id].may_take(work.machine_now)]
    chosen = min(well, key=lambda one: newest_first.index(one.account_id)) if well else next(iter(ready), None)
    if chosen is None:
        return None
    if chosen.account_id in health:
        _try(work, chosen)
    return latest[chosen.account_id], chosen


def fail_over(work: UnitOfWork, payment: Payment, operation: Operation | None, fact: ProviderFact) -> Payment | None:
    """The payment at another account, with its first step on its way there; None when it must or can only stay.

    Called with the payment locked, after an answer to its first step.
    """
    if operation is None or not _holds_nothing(payment, operation, fact):
        return None
    if len(work.operations.by(payment_id=payment.payment_id)) >= MOST_OPERATIONS:
        return None
    moved = _elsewhere(work, payment)
    if moved is None:
        return None
    never = isinstance(fact.outcome, NotSent)
    state = OperationState.NOT_SENT if never else OperationState.FAILED
    work.operations.put(replace(operation, state=state, code=None if never else LEFT, resolved_at=work.machine_now))
    stored = work.payments.put(moved)
    if operation.kind is OperationKind.HOSTED_PAGE:
        intend_again(work, stored, operation)
    else:
        take_next_step(work, stored)
    data = {"before": payment.account_id, "after": stored.account_id, "session_id": stored.session_id}
    work.events.append(Event("payment", stored.payment_id, "PaymentMoved", data))
    return stored


def _holds_nothing(payment: Payment, operation: Operation, fact: ProviderFact) -> bool:
    """Whether it is known that nothing was held or taken, although the provider's answer was no answer.

    A page whose address nobody has been told cannot be paid, and an object that was only prepared moves nothing: what such a
    step may have left behind is harmless. A charge is not: of that one it is found out, and it is never moved.
    """
    return (
        isinstance(fact.outcome, (NotSent, Unknown))
        and payment.state is PaymentState.CREATED
        and payment.due_minor != 0
        and payment.reader_id is None  # a reader belongs to one account
        and operation.kind in (OperationKind.HOSTED_PAGE, OperationKind.PREPARE)
        and operation.state in (OperationState.INTENDED, OperationState.UNKNOWN, OperationState.NOT_SENT)
    )


def _elsewhere(work: UnitOfWork, payment: Payment) -> Payment | None:
    accounts = work.provider_accounts.by(closed_at=None)
    if len(accounts) < 2:
        return None
    health = _health_of(work, accounts)
    unwell = {one.account_id for one in health.values() if not one.may_take(work.machine_now)}
    not_at = unwell | {payment.account_id}
    if payment.kind is PaymentKind.AD_HOC:
        other = account_for(work, Wish(payment.currency, payment.amount_minor, on_page=True), not_at=not_at)
        return None if other is None else replace(payment, account_id=other.account_id)
    if payment.customer_id is None:
        return None
    found = method_for(work, payment.customer_id, Wish(payment.currency, payment.amount_minor), not_at=not_at)
    if found is None:
        return None
    method, account = found
    return replace(
        payment,
        account_id=account.account_id,
        method_id=method.method_id,
        card_brand=method.brand,
        card_last4=method.last4,
    )
