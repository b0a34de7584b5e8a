"""What is left of a prepaid balance goes back: to the cards that it came from, the latest first, and the rest by bank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallywatt.kernel.card_numbers import hide_card_numbers
from tallywatt.kernel.errors import Conflict, NotFound
from tallywatt.kernel.events import Event
from tallywatt.kernel.money import Money, currency
from tallywatt.ledger.chart import BANK, prepaid
from tallywatt.ledger.post import Draft, Leg
from tallywatt.payments.own_books import PREPAID
from tallywatt.payments.payment import TOP_UP
from tallywatt.workflows.answer_from_books import free_minor
from tallywatt.workflows.give_back import GiveBack, give_back
from tallywatt.workflows.intend_operation import on_its_way
from tallywatt.workflows.post_entry import post
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.kernel.events import Scalar
    from tallywatt.kernel.identity import CustomerId
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class PayOutBalance:
    """Whose balance. `by_bank`: how a person has paid out what no card can take back; None: it stays where it is."""

    customer: str
    currency: str
    by_bank: str | None = None
    most_minor: int | None = None
    """No more than that, if it is said."""


@dataclass(frozen=True, slots=True)
class PaidOut:
    """What is on its way back to cards, what was paid out by bank, and what is left."""

    to_cards_minor: int
    by_bank_minor: int
    left_minor: int
    currency: str


def pay_out_balance(work: UnitOfWork, command: PayOutBalance) -> PaidOut:
    """Give back all that is free. Asked again, nothing is free any more."""
    customer_id = whose_balance(work, command.customer)
    unit = currency(command.currency)
    there = _free(work, customer_id, unit.code)
    left = free = there if command.most_minor is None else min(there, command.most_minor)
    for payment in _paid_in(work, customer_id, unit.code):
        part = min(left, payment.returnable_minor)
        if part > 0 and on_its_way(work, payment.payment_id) is None:
            left -= _to_card(work, payment, Money(part, unit))
    to_cards, by_bank = free - left, 0
    if left and command.by_bank is not None:
        by_bank, left = left, 0
        cause = f"{customer_id}/{work.draw.id('payout')}"
        legs = (Leg(prepaid(customer_id), BANK, by_bank),)
        post(work, Draft("balance_paid_out", "bank_payout", cause, unit.code, legs))
        data: dict[str, Scalar] = {"minor": by_bank, "currency": unit.code}
        work.events.append(Event("customer", customer_id, "BalancePaidOut", data))
    if to_cards or by_bank:
        reference = hide_card_numbers(command.by_bank or "")[0]
        after = {"to_cards_minor": to_cards, "by_bank_minor": by_bank, "currency": unit.code, "reference": reference}
        record_action(work, "balance.pay_out", "customer", customer_id, after=after)
    return PaidOut(to_cards, by_bank, there - to_cards - by_bank, unit.code)


def whose_balance(work: UnitOfWork, reference: str) -> CustomerId:
    """The customer's id, or NotFound."""
    customer = work.customers.one_by(reference=reference)
    if customer is None:
        msg = f"there is no customer {reference!r}"
        raise NotFound(msg, code="customers.not_found")
    return customer.customer_id


def leaving(work: UnitOfWork, customer_id: CustomerId, command: PayOutBalance) -> int:
    """How much would leave the house at most: all that is free, or what cards take back where nobody sends the rest."""
    free = _free(work, customer_id, command.currency)
    if command.by_bank is not None:
        return free
    return min(free, sum(max(0, one.returnable_minor) for one in _paid_in(work, customer_id, command.currency)))


def _free(work: UnitOfWork, customer_id: CustomerId, code: str) -> int:
    return max(0, free_minor(work, PREPAID, customer_id, code, lock=True) or 0)


def _paid_in(work: UnitOfWork, customer_id: str, code: str) -> list[Payment]:
    found = [one for one in work.payments.by(customer_id=customer_id, purpose=TOP_UP) if one.currency == code]
    latest_first = sorted((one.payment_id for one in found), reverse=True)
    return [work.payments.lock(one) for one in latest_first]


def _to_card(work: UnitOfWork, payment: Payment, amount: Money) -> int:
    """How much is on its way back: nothing of a payment that its bank has disputed."""
    key = f"payout/{work.draw.id(f'payout/{payment.payment_id}')}"
    try:
        give_back(work, GiveBack(payment.payment_id, amount, "the balance is paid out", key))
    except Conflict:
        return 0
    return amount.minor
