"""A house that came back from a backup asks first: nothing that moves money leaves it until it was compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.kernel.identity import PaymentId
from tallywatt.kernel.money import money
from tallywatt.payments.operation import OperationKind
from tallywatt.payments.payment import PaymentState
from tallywatt.workflows.add_operator import AddOperator, add_operator
from tallywatt.workflows.adjust_hold import AdjustHold, adjust_hold
from tallywatt.workflows.begin_restoration import BeginRestoration, begin_restoration
from tallywatt.workflows.end_restoration import EndRestoration, end_restoration
from tallywatt.workflows.give_back import GiveBack, give_back
from tallywatt.workflows.order_payment import order_release
from tallywatt.workflows.void_hold import VoidHold
from tests.payments.house import HouseOfPayments
from tests.payments.scripted import ScriptedProvider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.payments.payment import Payment


@pytest.fixture
def provider() -> ScriptedProvider:
    return ScriptedProvider()


@pytest.fixture
def house(sqlite_house_url: str, provider: ScriptedProvider) -> Iterator[HouseOfPayments]:
    made = HouseOfPayments(sqlite_house_url, provider)
    made.write(add_operator, AddOperator("dundee", "Dundee"))
    yield made
    made.close()


def authorised(house: HouseOfPayments, provider: ScriptedProvider) -> Payment:
    """A hold that stands."""
    payment = house.hold()
    house.work()
    house.tell(payment.payment_id, provider.driver_pays(payment.payment_id, 4000))
    return house.payment(payment.payment_id)


def test_nothing_that_moves_money_is_sent_before_the_providers_were_asked(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    """Every kind of operation is written down and waits; after the comparison each is carried out once."""
    account = house.account()
    customer = house.customer(account.account_id)
    paid = house.session_priced(customer, "100.00", name="paid")
    house.work()
    taken, let_go, grows = (authorised(house, provider) for _ in range(3))
    house.session_begins(taken.payment_id, "taken")
    before = len(provider.sent)
    restoration = house.write(begin_restoration, BeginRestoration("0" * 64, house.time))

    charged = house.session_priced(customer, "20.00", name="charged")
    house.write(give_back, GiveBack(paid.payment_id, money("30.00", "GBP"), "complaint", "r1"))
    house.held_session_priced(taken.payment_id, "12.00", name="taken")
    house.write(order_release, VoidHold(let_go.payment_id, "changed his mind"))
    house.write(adjust_hold, AdjustHold(grows.payment_id, 9000))
    opened = house.hold()
    for _ in range(3):
        house.work()
        house.later(60)

    assert provider.sent[before:] == []
    assert house.payment(paid.payment_id).refunded_minor == 0

    house.write(end_restoration, EndRestoration(restoration.restoration_id))
    house.later(60)
    house.work()
    wanted = {
        (charged.payment_id, OperationKind.PREPARE), (charged.payment_id, OperationKind.CHARGE),
        (paid.payment_id, OperationKind.REFUND), (taken.payment_id, OperationKind.CAPTURE),
        (let_go.payment_id, OperationKind.VOID), (grows.payment_id, OperationKind.ADJUST),
            (opened.payment_id, OperationKind.HOSTED_PAGE),
    }  # fmt: skip
    sent = [(PaymentId(one.payment_id), one.kind) for one in provider.sent[before:]]
    assert sorted(sent) == sorted(wanted), "each of them, once"
    # What is held in our own books is asked of nobody outside;
    # what goes to a card reader waits at the same gate, and needs one.
    others = {OperationKind.AUTHORISE, OperationKind.PRESENT}
    assert {kind for _, kind in wanted} == set(OperationKind) - others, "every kind that there is"
    assert house.payment(charged.payment_id).state is PaymentState.CAPTURED
