"""A customer's session begins: hold what it may cost from an account in our own books, or say that it cannot be paid.

Cards are charged afterwards and hold nothing here. An account in our own books answers at once, so the hold is asked for and
answered in the transaction of the start, through the same rows as any other payment's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import CustomerId, PaymentId
from tallywatt.metering.measure import Flag
from tallywatt.metering.session import PayerKind
from tallywatt.payments.account import MethodState
from tallywatt.payments.capabilities import capabilities_of
from tallywatt.payments.fact import ProviderFact, Source
from tallywatt.payments.own_books import LEAST_SHARE, METHOD_REF
from tallywatt.payments.payment import Payment, PaymentKind, PaymentState
from tallywatt.payments.routing import Wish
from tallywatt.stations.command import Action
from tallywatt.stations.station import StationState
from tallywatt.workflows.answer_from_books import answer_from_books, free_minor
from tallywatt.workflows.apply_provider_fact import apply_provider_fact
from tallywatt.workflows.command_station import CommandStation, command_station
from tallywatt.workflows.hold_ends import hold_behind
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.listen import with_flags
from tallywatt.workflows.pay_ad_hoc import FIRST_LOOK_MS, WATCH_HOLD
from tallywatt.workflows.route_payment import method_for
from tallywatt.workflows.take_next_step import take_next_step

if TYPE_CHECKING:
    from tallywatt.kernel.events import Scalar
    from tallywatt.metering.session import Session
    from tallywatt.payments.account import PaymentMethod, ProviderAccount
    from tallywatt.workflows.ports import UnitOfWork

OWN: Final = frozenset(METHOD_REF)


def cover_start(work: UnitOfWork, session: Session) -> Session:
    """The session with its hold behind it; flagged, and its station asked to stop, when nothing can pay for it."""
    offer = work.offers.find(session.offer_id) if session.offer_id is not None else None
    if session.payer is not PayerKind.CUSTOMER or session.payer_id is None or offer is None:
        return session
    if not has_own(work, session.payer_id) or hold_behind(work, session.session_id) is not None:
        return session
    customer_id = CustomerId(session.payer_id)
    found = _way_to_pay(work, customer_id, offer.currency)
    if found is None:
        return _not_covered(work, session)
    method, account, minor = found
    if minor is None:
        return session
    payment = _payment(work, session, method, account, offer.currency, minor)
    work.payments.add_new(payment)
    data: dict[str, Scalar] = {"session_id": session.session_id, "minor": minor, "currency": payment.currency}
    work.events.append(Event("payment", payment.payment_id, "PaymentIntended", {**data, "reason": None}))
    operation = take_next_step(work, payment)
    assert operation is not None, "a new payment without a sum due asks for its hold"
    outcome = answer_from_books(work, operation.operation_id)
    fact = ProviderFact(payment.payment_id, outcome, Source.REPLY, operation.operation_id, work.machine_now)
    held = apply_provider_fact(work, fact)
    assert held.state is PaymentState.AUTHORISED, "what is free was locked, and no more was asked for"
    work.jobs.add(Job(WATCH_HOLD, payment.payment_id, {}, Instant(work.machine_now + FIRST_LOOK_MS)))
    return session


def may_start(work: UnitOfWork, customer_id: str) -> bool:
    """Whether something of a customer's could pay for a session now: the answer when a card is shown."""
    if not has_own(work, customer_id):
        return True
    return _way_to_pay(work, CustomerId(customer_id), work.operators.get().currency) is not None


def has_own(work: UnitOfWork, customer_id: str) -> bool:
    """Whether a customer pays from an account in our own books, first or last."""
    return any(
        one.brand in OWN and one.state is MethodState.ACTIVE for one in work.payment_methods.by(customer_id=customer_id)
    )


def _way_to_pay(
    work: UnitOfWork, customer_id: CustomerId, currency: str
) -> tuple[PaymentMethod, ProviderAccount, int | None] | None:
    """What pays, and how much to hold of it (None: nothing); the next one in the operator's order where one cannot."""
    tried: list[str] = []
    while (found := method_for(work, customer_id, Wish(currency), not_at=tried)) is not None:
        method, account = found
        if not capabilities_of(account.provider).holds_alone:
            return method, account, None
        minor = _to_hold(work, account, customer_id, currency)
        if minor:
            return method, account, minor
        tried.append(account.account_id)
    return None


def _to_hold(work: UnitOfWork, account: ProviderAccount, customer_id: CustomerId, currency: str) -> int:
    """As much as is usual, or what is there if that is enough for a start; 0 when it is not."""
    operator = work.operators.get()
    free = free_minor(work, account.provider, customer_id, currency, lock=True) or 0
    usual = operator.hold_minor if currency == operator.currency else free
    least = account.least_minor if account.least_minor is not None else usual // LEAST_SHARE
    return min(free, usual) if free >= max(1, least) else 0


def _not_covered(work: UnitOfWork, session: Session) -> Session:
    """Nothing can pay: the station hears it with the answer to its start, and is asked to stop besides."""
    work.events.append(Event("session", session.session_id, "StartNotCovered", {"customer_id": session.payer_id}))
    station = None if session.station_id is None else work.stations.get(session.station_id)
    if station is not None and station.state is StationState.ADOPTED and session.transaction_ended_at is None:
        command_station(work, CommandStation(station.station_id, Action.STOP, session_id=session.session_id))
    return work.sessions.put(replace(session, flags=with_flags(session.flags, Flag.NOT_COVERED)))


def _payment(
    work: UnitOfWork, session: Session, method: PaymentMethod, account: ProviderAccount, currency: str, minor: int
) -> Payment:
    payment_id = PaymentId(work.draw.id(f"cover/{session.session_id}"))
    return Payment(
        payment_id=payment_id,
        session_id=session.session_id,
        customer_id=method.customer_id,
        account_id=account.account_id,
        method_id=method.method_id,
        evse_id=None,
        offer_id=None,
        invoice_id=None,
        kind=PaymentKind.STORED,
        reference=payment_id,
        currency=currency,
        amount_minor=minor,
        due_minor=None,
        authorised_minor=0,
        captured_minor=0,
        refunded_minor=0,
        suspense_minor=0,
        state=PaymentState.CREATED,
        provider_ref=None,
        page_ref=None,
        hosted_page_url=None,
        hold_expires_at=None,
        card_brand=method.brand,
        card_last4=method.last4,
        driver_secret=None,
        reason=None,
        created_at=work.now,
    )
