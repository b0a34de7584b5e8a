"""Forget a customer: the account at once, what was heard and written about it by a search, invoices when the law lets go."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.customers.customer import TokenState
from tallywatt.customers.erasure import Erasure, ErasureState, Traces, traces_of
from tallywatt.customers.roles import Role
from tallywatt.invoicing.retention import kept_through, may_go
from tallywatt.kernel.clock import local_date
from tallywatt.kernel.errors import Conflict, NotFound
from tallywatt.kernel.events import Event
from tallywatt.ledger.chart import prepaid
from tallywatt.metering.session import PayerKind, SessionState
from tallywatt.payments.account import MethodState
from tallywatt.payments.operation import UNRESOLVED
from tallywatt.workflows.end_session import end_session
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.keep_circle import leave_all_circles
from tallywatt.workflows.keep_local_list import tokens_changed
from tallywatt.workflows.keep_mandate import forget_accounts, refuse_while_asked
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.use_coupon import forget_kept

if TYPE_CHECKING:
    from tallywatt.customers.customer import Customer, Token
    from tallywatt.customers.person import Person
    from tallywatt.invoicing.invoice import Invoice
    from tallywatt.workflows.ports import UnitOfWork

ERASURE = "erasure"
"""The class of the key under which the words of a search are sealed."""


@dataclass(frozen=True, slots=True)
class EraseCustomer:
    """Whom."""

    reference: str


def erase_customer(work: UnitOfWork, command: EraseCustomer) -> Erasure:
    """Empty the account, and begin the search. Asked again, there is no such customer any more."""
    customer = work.customers.one_by(reference=command.reference)
    if customer is None:
        msg = f"there is no customer {command.reference!r}"
        raise NotFound(msg, code="customers.not_found")
    _refuse_while_something_runs(work, customer)
    person = _person(work, customer)
    if person is not None:
        _refuse_for_staff(work, person)
    tokens = work.tokens.by(customer_id=customer.customer_id)
    traces = _traces(work, customer, tokens, person)
    erasure_id = work.draw.id(f"erasure/{customer.customer_id}")
    key_id, sealed = work.vault.seal(ERASURE, erasure_id, traces.as_text().encode())
    _empty(work, customer, tokens)
    if person is not None:
        _sign_out_for_good(work, person)
    erasure = Erasure(erasure_id, customer.customer_id, ErasureState.SEARCHING, key_id, sealed, 0, work.now, None, None)
    work.erasures.add(erasure)
    work.jobs.add(Job("erase_traces", erasure_id))
    record_action(work, "customer.erase", "customer", customer.customer_id, after={"erasure_id": erasure_id})
    work.events.append(Event("customer", customer.customer_id, "CustomerErased", {"erasure_id": erasure_id}))
    return erasure


def _refuse_while_something_runs(work: UnitOfWork, customer: Customer) -> None:
    if _has_session(work, customer, SessionState.ACTIVE, SessionState.ENDED):
        msg = "a session of this customer goes on"
        raise Conflict(msg, code="customers.session_goes_on", remedy="erase the customer when it is billed")
    if _has_session(work, customer, SessionState.HELD):
        # Released afterwards it would be owed by nobody who can be reached, and charged to no card.
        msg = "a session of this customer waits for a decision"
        remedy = "release it or write it off in the inbox, then erase the customer"
        raise Conflict(msg, code="customers.session_held", remedy=remedy)
    for state in UNRESOLVED:
        for operation in work.operations.by(state=state):
            if work.payments.get(operation.payment_id).customer_id == customer.customer_id:
                msg = "a payment of this customer is on its way"
                remedy = "erase the customer when it is settled"
                raise Conflict(msg, code="customers.payment_on_its_way", remedy=remedy)
    if any(one.credits_posted > one.debits_posted for one in work.accounts.by(code=prepaid(customer.customer_id))):
        msg = "this customer has a prepaid balance"
        raise Conflict(msg, code="customers.balance_left", remedy="pay it out first: tallywatt balance pay-out")
    refuse_while_asked(work, customer.customer_id)
    number = work.queries.unprinted_invoice(PayerKind.CUSTOMER, customer.customer_id)
    if number is not None:
        # The law wants the paper, with the name of whom it was for.
        msg = f"invoice {number} of this customer is not printed yet"
        remedy = "erase the customer in a minute; if it stays like this, look at the jobs that failed"
        raise Conflict(msg, code="customers.invoice_not_printed", remedy=remedy)


def _has_session(work: UnitOfWork, customer: Customer, *states: SessionState) -> bool:
    found = (one for state in states for one in work.sessions.by(payer_id=customer.customer_id, state=state))
    return any(one.payer is PayerKind.CUSTOMER for one in found)


def _refuse_for_staff(work: UnitOfWork, person: Person) -> None:
    for one in work.memberships.by(person_id=person.person_id):
        if one.is_open and one.role is not Role.DRIVER:
            msg = "the customer's address signs in to the console as well"
            raise Conflict(
                msg, code="customers.is_staff", remedy="end that place first, or give the customer another address"
            )


def _person(work: UnitOfWork, customer: Customer) -> Person | None:
    """The driver who signs in with the customer's address."""
    details = work.customer_details.find(customer.customer_id)
    if details is None or not details.email:
        return None
    return work.people.one_by(email_folded=details.email.strip().casefold())


def _instead(token: Token) -> str:
    """What stands where a token's number stood: of a length that every message allows, and leading nowhere."""
    return f"erased-{token.token_id[-12:]}"


def _traces(work: UnitOfWork, customer: Customer, tokens: list[Token], person: Person | None) -> Traces:
    details = work.customer_details.find(customer.customer_id)
    pairs = tuple((one.uid, _instead(one)) for one in tokens)
    names = [] if person is None else [person.name]
    if details is None:
        return traces_of(pairs, names, None, None, customer.reference)
    return traces_of(pairs, [details.name, *names], details.email, details.address, customer.reference)


def _empty(work: UnitOfWork, customer: Customer, tokens: list[Token]) -> None:
    details = work.customer_details.find(customer.customer_id)
    if details is not None:
        work.customer_details.put(replace(details, name="", email=None, address=None))
    work.customers.put(replace(customer, reference=f"erased-{customer.customer_id}"))
    leave_all_circles(work, customer.customer_id)
    forget_kept(work, customer.customer_id)
    forget_accounts(work, customer.customer_id)
    for token in tokens:
        word = _instead(token)
        work.tokens.put(replace(token, uid=word, uid_folded=word, group_uid=None, state=TokenState.BLOCKED))
    if tokens:
        tokens_changed(work)
    for method in work.payment_methods.by(customer_id=customer.customer_id):
        word = f"erased-{method.method_id}"
        work.payment_methods.put(
            replace(method, customer_ref=word, method_ref=word, last4="", brand="", state=MethodState.REMOVED)
        )


def _sign_out_for_good(work: UnitOfWork, person: Person) -> None:
    for membership in work.memberships.by(person_id=person.person_id):
        if membership.is_open:
            work.memberships.put(replace(membership, ended_at=work.machine_now))
    for session in work.console_sessions.by(person_id=person.person_id):
        if session.revoked_at is None:
            end_session(work, session)
    for passkey in work.passkeys.by(person_id=person.person_id):
        word = f"erased-{passkey.passkey_id}"
        ended = passkey.removed_at or work.machine_now
        work.passkeys.put(replace(passkey, name="", credential_id=word, public_key=b"", removed_at=ended))
    for identity in work.linked_identities.by(person_id=person.person_id):
        work.linked_identities.put(replace(identity, subject=f"erased-{identity.identity_id}"))
    work.people.put(replace(person, name="", email=None, email_folded=None))


@dataclass(frozen=True, slots=True)
class EndSearch:
    """Nothing is found any more."""

    erasure_id: str
    rows: int


def end_search(work: UnitOfWork, command: EndSearch) -> Erasure:
    """Forget the words of the search; what is left are invoices, until their terms end."""
    erasure = work.erasures.lock(command.erasure_id)
    if erasure.state is not ErasureState.SEARCHING:
        return erasure
    work.jobs.add(Job("erase_papers", erasure.erasure_id))
    return work.erasures.put(replace(erasure, key_id=None, sealed=None, rows=command.rows, state=ErasureState.KEPT))


def papers_that_may_go(work: UnitOfWork, erasure_id: str) -> list[str]:
    """The ids of the customer's invoices whose term has ended."""
    return [one.invoice_id for one in _invoices(work, work.erasures.get(erasure_id)) if _may_go(work, one)]


def end_papers(work: UnitOfWork, erasure_id: str) -> Erasure:
    """The papers that might go are gone: it is done, or waits for the last term."""
    erasure = work.erasures.lock(erasure_id)
    operator = work.operators.get()
    kept = [one for one in _invoices(work, erasure) if not _may_go(work, one)]
    if not kept:
        return work.erasures.put(replace(erasure, state=ErasureState.DONE, done_at=work.now, kept_until=None))
    until = max(kept_through(one.issue_date, operator.country) for one in kept)
    return work.erasures.put(replace(erasure, kept_until=until))


def _may_go(work: UnitOfWork, invoice: Invoice) -> bool:
    operator = work.operators.get()
    return may_go(invoice.issue_date, operator.country, local_date(work.now, operator.zone).isoformat())


def _invoices(work: UnitOfWork, erasure: Erasure) -> list[Invoice]:
    return [one for one in work.invoices.by(payer_id=erasure.customer_id) if one.payer is PayerKind.CUSTOMER]
