"""Collect what a session costs: decide how, and intend the first step, in the transaction that prices the session."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import PaymentId
from tallywatt.kernel.money import Money
from tallywatt.payments.allocation import Allocation, Target
from tallywatt.payments.limits import least_charge
from tallywatt.payments.operation import OperationKind
from tallywatt.payments.own_books import PREPAID
from tallywatt.payments.payment import BEYOND_HOLD, Payment, PaymentKind, PaymentState
from tallywatt.payments.routing import Wish
from tallywatt.workflows.answer_from_books import free_minor
from tallywatt.workflows.compare_settlement import compare_due
from tallywatt.workflows.hold_ends import hold_behind
from tallywatt.workflows.open_rest import on_a_page
from tallywatt.workflows.route_payment import account_for, method_for
from tallywatt.workflows.take_next_step import take_next_step

if TYPE_CHECKING:
    from tallywatt.kernel.events import Scalar
    from tallywatt.kernel.identity import CustomerId, InvoiceId, SessionId
    from tallywatt.payments.account import PaymentMethod, ProviderAccount
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class Collection:
    """A priced session and who owes for it: a customer, or the ad hoc payment that stands behind it."""

    session_id: SessionId
    invoice_id: InvoiceId | None
    total: Money
    customer_id: CustomerId | None = None
    payment_id: PaymentId | None = None
    purpose: str | None = None
    """What it is collected for besides a session that ends."""


def intend_collection(work: UnitOfWork, collection: Collection) -> Payment | None:
    """The payment that collects this session, with its first step on its way; None when nothing can collect it.

    The same session again gives the same payment. What cannot be collected stays owed, with the reason on the payment.
    """
    if collection.payment_id is not None:
        return _from_hold(work, collection, collection.payment_id)
    held = hold_behind(work, collection.session_id)
    if held is not None:
        return _from_hold(work, collection, held.payment_id)
    if collection.total.minor == 0 or collection.customer_id is None:
        return None
    known = [one for one in work.payments.by(session_id=collection.session_id) if one.kind is PaymentKind.STORED]
    if known:
        return _for_invoice(work, known[-1], collection)
    return from_stored_method(work, collection, collection.customer_id)


def _from_hold(work: UnitOfWork, collection: Collection, payment_id: PaymentId) -> Payment:
    """Capture what is due from the hold; nothing due, or less than the provider charges, lets it go."""
    payment = work.payments.lock(payment_id)
    if payment.due_minor is not None and payment.session_id == collection.session_id:
        return _after_part(work, payment, collection) if payment.waits_for_total else payment
    due = collection.total.minor
    account = work.provider_accounts.get(payment.account_id)
    reason = payment.reason
    if payment.state is PaymentState.CAPTURED:
        # A terminal was faster than the price.
        reason = BEYOND_HOLD if due > payment.captured_minor else reason
    elif payment.state is not PaymentState.AUTHORISED:
        reason = "no_hold" if due else reason
    elif due > payment.authorised_minor:
        reason = BEYOND_HOLD
    elif 0 < due < least_charge(account.provider, payment.currency):
        reason = "below_minimum"
    changed = replace(
        payment, session_id=collection.session_id, invoice_id=collection.invoice_id, due_minor=due, reason=reason
    )
    stored = work.payments.put(changed)
    _put_on_invoice(work, stored, collection)
    if stored.state is PaymentState.CAPTURED:
        compare_due(work, stored)
    take_next_step(work, stored)
    return stored


def _after_part(work: UnitOfWork, payment: Payment, collection: Collection) -> Payment:
    """A part was taken before the hold ended, and now the total is known: what is missing stays owed, the rest goes back."""
    due = collection.total.minor
    taken = payment.captured_minor
    captures = [one for one in work.operations.by(payment_id=payment.payment_id) if one.kind is OperationKind.CAPTURE]
    waits = next((one for one in captures if one.is_unresolved), None)
    if taken == 0 and waits is None:
        # It could not be taken; what there is of the hold is for the whole.
        untouched = work.payments.put(replace(payment, due_minor=None, keeps_hold=False))
        return _from_hold(work, collection, untouched.payment_id)
    reason = _why_short(work, payment, due, taken + (waits.amount_minor if waits else 0))
    changed = replace(payment, invoice_id=collection.invoice_id, due_minor=due, reason=reason, keeps_hold=False)
    stored = work.payments.put(changed)
    _put_on_invoice(work, stored, collection)
    # What is missing is taken from what is still held; what is too much of it is let go, or goes back.
    take_next_step(work, stored)
    return stored


def _why_short(work: UnitOfWork, payment: Payment, due: int, taken: int) -> str | None:
    """Why a hold of which a part is taken does not pay all of what is due; None or what was said before, when it does."""
    if due > (payment.authorised_minor if payment.keeps_hold else taken):
        return BEYOND_HOLD
    least = least_charge(work.provider_accounts.get(payment.account_id).provider, payment.currency)
    return "below_minimum" if 0 < due - taken < least else payment.reason


def _for_invoice(work: UnitOfWork, payment: Payment, collection: Collection) -> Payment:
    """The same session again is the same payment. One that was found at its provider learns here which invoice it is for."""
    if payment.invoice_id is not None or collection.invoice_id is None:
        return payment
    stored = work.payments.put(replace(work.payments.lock(payment.payment_id), invoice_id=collection.invoice_id))
    _put_on_invoice(work, stored, collection)
    return stored


def _put_on_invoice(work: UnitOfWork, payment: Payment, collection: Collection) -> None:
    """Money that was taken before there was an invoice belongs to it now. What is more than it asks stays the payer's."""
    rows = work.allocations.by(payment_id=payment.payment_id)
    waiting = sum(one.amount_minor for one in rows if one.target is Target.BALANCE)
    part = min(waiting, collection.total.minor)
    if part <= 0 or collection.invoice_id is None:
        return
    for target, target_id, minor in (
        (Target.BALANCE, payment.customer_id or payment.payment_id, -part),
        (Target.INVOICE, collection.invoice_id, part),
    ):
        name = f"allocation/{payment.payment_id}/{target}/early"
        work.allocations.add(
            Allocation(
                work.draw.id(name), payment.payment_id, target, target_id, minor, payment.currency, None, work.now
            )
        )


def from_stored_method(work: UnitOfWork, collection: Collection, customer_id: CustomerId) -> Payment | None:
    """The payment from what the customer has stored, or why it stays owed; None where the operator collects no such money."""
    method, account = _method_of(work, customer_id, collection.total.currency.code, collection.total.minor)
    if account is None:
        return None
    total = collection.total
    reason = None
    if method is None:
        reason = "no_method"
    elif total.minor < least_charge(account.provider, total.currency.code):
        reason = "below_minimum"
    payment_id = PaymentId(work.draw.id(f"payment/{collection.session_id}"))
    payment = Payment(
        payment_id=payment_id,
        session_id=collection.session_id,
        customer_id=customer_id,
        account_id=account.account_id,
        method_id=None if method is None else method.method_id,
        evse_id=None,
        offer_id=None,
        invoice_id=collection.invoice_id,
        kind=PaymentKind.STORED,
        reference=payment_id,
        currency=total.currency.code,
        amount_minor=total.minor,
        due_minor=total.minor,
        authorised_minor=0,
        captured_minor=0,
        refunded_minor=0,
        suspense_minor=0,
        state=PaymentState.CREATED if reason is None else PaymentState.OWED,
        provider_ref=None,
        page_ref=None,
        hosted_page_url=None,
        hold_expires_at=None,
        card_brand=None if method is None else method.brand,
        card_last4=None if method is None else method.last4,
        driver_secret=None,
        reason=reason,
        created_at=work.now,
        purpose=collection.purpose,
    )
    work.payments.add_new(payment)
    kind = "PaymentIntended" if reason is None else "PaymentOwed"
    data: dict[str, Scalar] = {"session_id": collection.session_id, "minor": total.minor, "currency": payment.currency}
    data["reason"] = reason
    work.events.append(Event("payment", payment_id, kind, data))
    take_next_step(work, payment)
    return payment


def _method_of(
    work: UnitOfWork, customer_id: CustomerId, currency: str, minor: int
) -> tuple[PaymentMethod | None, ProviderAccount | None]:
    """The stored method that is charged in this currency, with its account; else the account to be asked."""
    unable: list[str] = []
    first = found = method_for(work, customer_id, Wish(currency))
    while found is not None and not _can_pay(work, found[1], customer_id, currency, minor):
        unable.append(found[1].account_id)
        found = method_for(work, customer_id, Wish(currency), not_at=unable)
    # Where none of them suffices the first one says so, and why.
    chosen = found or first
    return (
        chosen
        if chosen is not None
        else (None, account_for(work, Wish(currency, minor)) or _any_account(work, currency))
    )


def _can_pay(work: UnitOfWork, account: ProviderAccount, customer_id: CustomerId, currency: str, minor: int) -> bool:
    """Whether a balance suffices for all of it. What is asked of others, and what goes on an invoice, is theirs to say."""
    if account.provider != PREPAID:
        return True
    return (free_minor(work, PREPAID, customer_id, currency, lock=True) or 0) >= minor


def is_below_least(work: UnitOfWork, customer_id: CustomerId | None, asked: Money) -> bool:
    """Whether a sum is too small for everything that could collect it: what the customer has stored, and a page."""
    code, accounts = asked.currency.code, work.provider_accounts.by(closed_at=None)
    if on_a_page(accounts, code, asked.minor):
        return False
    if customer_id is None:
        return on_a_page(accounts, code, None)
    _, account = _method_of(work, customer_id, code, asked.minor)
    return account is not None and asked.minor < least_charge(account.provider, code)


def _any_account(work: UnitOfWork, currency: str) -> ProviderAccount | None:
    """Where what is owed is kept, when the sum is too small for all of them."""
    return account_for(work, Wish(currency))
