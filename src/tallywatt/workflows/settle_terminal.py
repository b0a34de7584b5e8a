"""A payment terminal at the station takes the money itself, or leaves it to us: whoever does it, it is taken once.

A transaction that such a terminal has begun names the provider's reference as its token (OCPP 2.1: DirectPayment). From then
on it is a payment like any other, whose hold the terminal has placed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final

from tallywatt.customers.customer import Token, TokenState, fold
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import EvseId, OperationId, PaymentId, TokenId
from tallywatt.kernel.money import currency
from tallywatt.payments.fact import ProviderFact, Source
from tallywatt.payments.operation import OperationKind, OperationState
from tallywatt.payments.payment import Payment, PaymentKind, PaymentState
from tallywatt.payments.provider import Succeeded, View, ViewStatus
from tallywatt.payments.routing import Wish
from tallywatt.workflows.apply_provider_fact import apply_provider_fact
from tallywatt.workflows.compare_settlement import captures_of, compare_settled, compare_status
from tallywatt.workflows.intend_operation import on_its_way
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.listen import keep_frame, to_inbox
from tallywatt.workflows.name_token import safe_uid
from tallywatt.workflows.route_payment import account_for
from tallywatt.workflows.take_next_step import take_next_step

if TYPE_CHECKING:
    from tallywatt.kernel.events import Scalar
    from tallywatt.metering.facts import TerminalSettled
    from tallywatt.workflows.ports import UnitOfWork

SETTLE_OURSELVES: Final = "settle_ourselves"
"""Job: the terminal of the payment of that id has had its time."""
TERMINAL_MS: Final = 24 * 3600 * 1000
"""How long a terminal may take to settle: it may be offline as long as its station."""


def terminal_token(work: UnitOfWork, psp_ref: str, evse_id: EvseId | None) -> Token | None:
    """The token of a payment that a terminal has begun, with the payment; None where nobody collects in this currency."""
    operator = work.operators.get()
    account = account_for(work, Wish(operator.currency))
    if account is None:
        return None
    payment_id = PaymentId(work.draw.id(f"payment/{psp_ref}"))
    payment = Payment(
        payment_id=payment_id,
        session_id=None,
        customer_id=None,
        account_id=account.account_id,
        method_id=None,
        evse_id=evse_id,
        offer_id=None,
        invoice_id=None,
        kind=PaymentKind.AD_HOC,
        reference=payment_id,
        currency=operator.currency,
        amount_minor=operator.hold_minor,
        due_minor=None,
        authorised_minor=operator.hold_minor,
        captured_minor=0,
        refunded_minor=0,
        suspense_minor=0,
        state=PaymentState.AUTHORISED,
        provider_ref=psp_ref,
        page_ref=None,
        hosted_page_url=None,
        hold_expires_at=None,
        card_brand=None,
        card_last4=None,
        driver_secret=None,
        reason=None,
        created_at=work.now,
        terminal_until=Instant(work.machine_now + TERMINAL_MS),
    )
    if not work.payments.add(payment):
        return None
    work.jobs.add(Job(SETTLE_OURSELVES, payment_id, {}, payment.terminal_until))
    data: dict[str, Scalar] = {"minor": payment.authorised_minor, "currency": payment.currency, "session_id": None}
    work.events.append(Event("payment", payment_id, "PaymentAuthorised", data))
    token = Token(
        TokenId(work.draw.id(f"token/{psp_ref}")),
        "AD_HOC_USER",
        psp_ref,
        fold(psp_ref),
        None,
        payment_id,
        TokenState.ACTIVE,
        work.now,
        None,
    )
    work.tokens.add(token)
    return token


def settle_terminal(work: UnitOfWork, fact: TerminalSettled) -> None:
    """Take in what a terminal says that it has done. Said twice, late, or after we have settled, it changes nothing."""
    frame_id = keep_frame(work, fact.heard)
    psp_ref = safe_uid(work, fact.psp_ref)
    found = [one for one in work.payments.by(provider_ref=psp_ref) if _is_of_station(work, one, fact)]
    if not found:
        if fact.status != "Canceled":
            # One that was cancelled before anything began was never told of, and nothing is left to be done.
            summary = f"a terminal tells that a payment is {fact.status}, which began nothing here"
            station_id = fact.heard.station_id
            to_inbox(
                work, "settlement_unmatched", summary, station_id, psp_ref, station_id=station_id, frame_id=frame_id
            )
        return
    payment = work.payments.lock(found[-1].payment_id)
    if fact.status == "Settled":
        minor = _minor(fact.amount, payment.currency)
        if compare_settled(work, payment, fact, minor, frame_id):
            _settled(work, payment, minor)
        return
    if not compare_status(work, payment, fact, frame_id):
        return
    match fact.status:
        case "Canceled":
            gone = View(ViewStatus.VOIDED, payment.currency, payment.provider_ref)
            _apply(work, replace(payment, terminal_until=None), payment, gone)
        case _:
            # The terminal could not, and its hold stands: we take what is due by the same reference.
            settle_ourselves(work, SettleOurselves(payment.payment_id))


def _is_of_station(work: UnitOfWork, payment: Payment, fact: TerminalSettled) -> bool:
    evse = work.evses.find(payment.evse_id) if payment.evse_id is not None else None
    return evse is not None and evse.station_id == fact.heard.station_id


def _minor(amount: str, code: str) -> int:
    return int(Decimal(amount).scaleb(currency(code).exponent).to_integral_value(ROUND_HALF_UP))


def _settled(work: UnitOfWork, payment: Payment, minor: int) -> None:
    told = replace(payment, terminal_until=None)
    if minor and not captures_of(work, payment):
        # Whatever was taken was asked for, by whomever.
        operation = payment.operation(
            OperationId(work.draw.id(f"terminal/{payment.payment_id}")),
            OperationKind.CAPTURE,
            minor,
            {"settled_by": "terminal", "amount_minor": minor, "currency": payment.currency},
            work.machine_now,
        )
        done = replace(
            operation,
            state=OperationState.SUCCEEDED,
            provider_ref=payment.provider_ref,
            resolved_at=work.machine_now,
        )
        work.operations.add(done)
    status = ViewStatus.CAPTURED if minor else ViewStatus.VOIDED
    seen = View(status, payment.currency, payment.provider_ref, authorised_minor=minor, captured_minor=minor)
    _apply(work, told, payment, seen)


def _apply(work: UnitOfWork, told: Payment, payment: Payment, view: View) -> None:
    if told != payment:
        work.payments.put(told)
    fact = ProviderFact(payment.payment_id, Succeeded(view), Source.WEBHOOK, said_at=work.machine_now)
    apply_provider_fact(work, fact)


@dataclass(frozen=True, slots=True)
class SettleOurselves:
    """The terminal of this payment will not settle it."""

    payment_id: PaymentId


def settle_ourselves(work: UnitOfWork, command: SettleOurselves) -> Payment:
    """The payment, with what is due on its way if it is known. Done twice it changes nothing."""
    payment = work.payments.lock(command.payment_id)
    if payment.terminal_until is None:
        return payment
    ours = work.payments.put(replace(payment, terminal_until=None))
    if on_its_way(work, ours.payment_id) is None:
        take_next_step(work, ours)
    return ours
