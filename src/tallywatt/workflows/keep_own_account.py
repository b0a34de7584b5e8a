"""A customer's account in our own books: a prepaid balance, or that they may buy on invoice, with a limit and a term."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import CustomerId
from tallywatt.kernel.money import Money  # a command that the control socket reads: its types are needed there
from tallywatt.payments.account import MethodState, PaymentMethod
from tallywatt.payments.capabilities import capabilities_of
from tallywatt.payments.own_books import INVOICE, METHOD_REF, PREPAID, CreditTerms
from tallywatt.payments.provider import StoredMethod
from tallywatt.workflows.keep_method import KeepMethod, keep_method
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.customers.customer import Customer
    from tallywatt.kernel.events import Scalar
    from tallywatt.payments.account import ProviderAccount
    from tallywatt.workflows.ports import UnitOfWork

LONGEST_TERM_DAYS: Final = 365


@dataclass(frozen=True, slots=True)
class OpenBalance:
    """Which customer is to pay from a prepaid balance in that currency."""

    customer: str
    currency: str


def open_balance(work: UnitOfWork, command: OpenBalance) -> PaymentMethod:
    """The balance as a way to pay; asked again it is the same one."""
    return way_to_pay(work, _customer(work, command.customer).customer_id, PREPAID, command.currency)


@dataclass(frozen=True, slots=True)
class AllowInvoice:
    """Which customer may buy on invoice, how much may be open at a time, and within how many days a bill is to be paid."""

    customer: str
    limit: Money
    term_days: int


def allow_invoice(work: UnitOfWork, command: AllowInvoice) -> CreditTerms:
    """The terms, as they hold from now on; what is open or held already stays so."""
    if command.limit.minor < 0 or not 0 <= command.term_days <= LONGEST_TERM_DAYS:
        msg = f"a limit is not below nothing, and a term has at most {LONGEST_TERM_DAYS} days"
        raise BadInput(msg, code="credit.bad_terms")
    customer = _customer(work, command.customer)
    code = command.limit.currency.code
    way_to_pay(work, customer.customer_id, INVOICE, code)
    terms = CreditTerms(customer.customer_id, code, command.limit.minor, command.term_days, work.now, None)
    before = None
    if not work.credit_terms.add(terms):
        known = work.credit_terms.lock(customer.customer_id, code)
        before = _told(known)
        terms = replace(known, limit_minor=command.limit.minor, term_days=command.term_days, ended_at=None)
        if terms == known:
            return known
        terms = work.credit_terms.put(terms)
    record_action(
        work, "credit.allow", "customer", customer.customer_id, before=before, after={"currency": code, **_told(terms)}
    )
    data: dict[str, Scalar] = {"currency": code, "limit_minor": terms.limit_minor, "term_days": terms.term_days}
    work.events.append(Event("customer", customer.customer_id, "CreditAllowed", data))
    return terms


@dataclass(frozen=True, slots=True)
class EndInvoice:
    """Which customer may no longer buy on invoice."""

    customer: str
    currency: str


def end_invoice(work: UnitOfWork, command: EndInvoice) -> CreditTerms:
    """Nothing more begins on invoice; what goes on is still put there, and what is open stays open."""
    customer = _customer(work, command.customer)
    known = work.credit_terms.find(customer.customer_id, command.currency)
    if known is None:
        msg = "this customer does not buy on invoice"
        raise NotFound(msg, code="credit.not_found")
    known = work.credit_terms.lock(customer.customer_id, command.currency)
    if known.ended_at is not None:
        return known
    ended = work.credit_terms.put(replace(known, ended_at=work.now))
    record_action(work, "credit.end", "customer", customer.customer_id, before=_told(known))
    work.events.append(Event("customer", customer.customer_id, "CreditEnded", {"currency": command.currency}))
    return ended


def way_to_pay(work: UnitOfWork, customer_id: CustomerId, provider: str, currency: str) -> PaymentMethod:
    """The customer's account in our own books as a stored way to pay, made when it is not there."""
    account = _account(work, provider, currency)
    reference = f"{METHOD_REF[provider]} {customer_id}"
    stored = StoredMethod(customer_id, reference, provider, "")
    method = keep_method(work, KeepMethod(customer_id, account.account_id, stored))
    if method.state is not MethodState.ACTIVE:
        method = work.payment_methods.put(replace(method, state=MethodState.ACTIVE))
    return method


def _account(work: UnitOfWork, provider: str, currency: str) -> ProviderAccount:
    for one in work.provider_accounts.by(provider=provider, closed_at=None):
        if currency in one.currencies and capabilities_of(one.provider).own_books:
            return one
    msg = f"there is no {provider} account in {currency}"
    remedy = f"add one: tallywatt provider-account add {provider} --provider {provider} --currency {currency}"
    raise Conflict(msg, code="payment.no_account", remedy=remedy)


def _customer(work: UnitOfWork, reference: str) -> Customer:
    found = work.customers.one_by(reference=reference)
    if found is None:
        msg = f"there is no customer {reference!r}"
        raise NotFound(msg, code="customers.not_found")
    return found


def _told(terms: CreditTerms) -> dict[str, int | bool]:
    return {"limit_minor": terms.limit_minor, "term_days": terms.term_days, "ended": terms.ended_at is not None}
