"""Two providers, and one dies in the middle: what the other does not collect is owed with a reason, nobody is held twice.

A short day is in every run; `make outage` plays five hundred sessions.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.adapters.providers.caller import Caller
from tallywatt.payments.health import Circuit
from tallywatt.payments.operation import OperationKind
from tallywatt.payments.payment import PaymentState
from tallywatt.payments.provider import StoredMethod, ViewStatus
from tallywatt.workflows.keep_method import KeepMethod, keep_method
from tests.payments.house import HouseOfPayments
from tests.payments.scripted import LOSE_ANSWER, NEVER_ARRIVE, REFUSE, ScriptedProvider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.payments.payment import Payment


@dataclass
class Two:
    """A house with accounts at two providers."""

    house: HouseOfPayments
    first: ScriptedProvider
    second: ScriptedProvider
    accounts: list[Any] = field(default_factory=list)

    def provider_of(self, account: Any) -> ScriptedProvider:
        return self.first if account.name == "first" else self.second

    def at(self, payment: Payment) -> ScriptedProvider:
        """Where a payment is."""
        return self.first if payment.account_id == self.accounts[0].account_id else self.second

    def health(self, account: Any) -> Any:
        return self.house.ask(lambda work: work.provider_health.find(account.account_id))

    def customer(self, name: str, *, both: bool = True) -> Any:
        """A customer with a card at both, the last one at the first; or at the first alone."""
        first, second = self.accounts
        at_first = StoredMethod(f"cus_{name}", f"pm1_{name}", "visa", "1111")
        if not both:
            return self.house.customer(first.account_id, at_first, name)
        at_second = StoredMethod(f"cus_{name}", f"pm2_{name}", "visa", "2222")
        customer = self.house.customer(second.account_id, at_second, name)
        self.house.write(keep_method, KeepMethod(customer, first.account_id, at_first))
        return customer


@pytest.fixture
def two(sqlite_house_url: str) -> Iterator[Two]:
    first, second = ScriptedProvider(), ScriptedProvider()
    house = HouseOfPayments(sqlite_house_url, first)
    made = Two(house, first, second)
    house.caller = Caller(made.provider_of, house)
    made.accounts = [house.account(name="first"), house.account(name="second", rank=1)]
    yield made
    house.close()


def test_case_9_a_driver_whose_provider_cannot_be_reached_gets_the_page_of_the_other(two: Two) -> None:
    """Nobody waits at a station for a provider that is away, and nothing was held there."""
    two.first.unreachable = True
    payment = two.house.hold()
    two.house.work()
    after = two.house.payment(payment.payment_id)
    assert (after.state, after.account_id) == (PaymentState.REQUIRES_ACTION, two.accounts[1].account_id)
    assert [one.state.value for one in two.house.operations(payment.payment_id)] == ["not_sent", "succeeded"]
    first, second = (one.asked for one in two.house.operations(payment.payment_id))
    assert first["success_url"] == second["success_url"], "the driver comes back to the same place"
    assert two.house.inbox() == []


@pytest.mark.parametrize("step", [LOSE_ANSWER, NEVER_ARRIVE])
def test_a_page_that_nobody_has_seen_holds_nothing_and_is_left(two: Two, step: str) -> None:
    """Its address is known to nobody, so it cannot be paid: the driver gets another one at once."""
    two.first.script.append(step)
    payment = two.house.hold()
    two.house.work()
    after = two.house.payment(payment.payment_id)
    assert (after.state, after.account_id) == (PaymentState.REQUIRES_ACTION, two.accounts[1].account_id)
    assert two.house.inbox() == []


def test_case_7_an_unknown_capture_never_goes_to_another_provider(two: Two) -> None:
    """A capture stays where its hold is, whatever its answer was."""
    payment = two.house.hold()
    two.house.work()
    two.house.tell(payment.payment_id, two.first.driver_pays(payment.payment_id, 4000))
    two.house.session_begins(payment.payment_id)
    two.first.script.append(LOSE_ANSWER)
    two.house.held_session_priced(payment.payment_id, "12.40")
    two.house.work_until_quiet()
    after = two.house.payment(payment.payment_id)
    assert (after.captured_minor, after.account_id) == (1240, two.accounts[0].account_id)
    assert two.second.sent == []


@pytest.mark.parametrize("step", [LOSE_ANSWER, NEVER_ARRIVE, REFUSE])
def test_a_charge_is_asked_about_and_never_moved(two: Two, step: str) -> None:
    """Money may have moved: another card is not charged while that is not known."""
    two.first.script.extend(["ok", step])
    payment = two.house.session_priced(two.customer("c1"), "12.40")
    two.house.work_until_quiet()
    after = two.house.payment(payment.payment_id)
    assert (after.state, after.captured_minor) == (PaymentState.CAPTURED, 1240)
    assert after.account_id == two.accounts[0].account_id
    assert (two.first.captured, two.second.sent) == ({payment.payment_id: 1240}, [])


def test_a_first_charge_without_anything_harmless_before_it_stays_too(two: Two) -> None:
    """Whoever died before writing down the answer may have charged the card: such a charge is no first step to move."""
    third = two.house.account(name="third", provider="mollie", rank=0)
    provider = ScriptedProvider(unreachable=True)
    two.house.caller = Caller(lambda one: provider if one.name == "third" else two.provider_of(one), two.house)
    customer = two.customer("c1")
    stored = StoredMethod("cst_1", "mdt_1", "visa", "3333")
    two.house.write(keep_method, KeepMethod(customer, third.account_id, stored))
    payment = two.house.session_priced(customer, "12.40")
    two.house.work_until_quiet()
    after = two.house.payment(payment.payment_id)
    assert (after.state, after.reason, after.account_id) == (
        PaymentState.OWED,
        "provider_unreachable",
        third.account_id,
    )
    assert two.first.sent == []


def test_case_50_an_outage_opens_the_circuit_and_one_payment_closes_it(two: Two) -> None:
    """The first drivers go over one by one; then new ones go to the other at once, and back when it is well again."""
    two.first.unreachable = True
    for _ in range(3):
        two.house.hold()
        two.house.work()
    first, second = two.accounts
    assert two.health(first).state is Circuit.OPEN
    tried = len(two.house.operations(two.house.hold().payment_id))
    assert tried == 1
    (last,) = two.house.ask(lambda work: work.payments.by(state=PaymentState.CREATED))
    assert last.account_id == second.account_id
    two.first.unreachable = False
    two.house.work()
    two.house.later(20)
    probe, other = two.house.hold(), two.house.hold()
    assert (two.house.payment(probe.payment_id).account_id, two.house.payment(other.payment_id).account_id) == (
        first.account_id,
        second.account_id,
    )
    two.house.work()
    assert two.health(first).state is Circuit.CLOSED
    assert two.house.payment(two.house.hold().payment_id).account_id == first.account_id


def test_a_customer_with_a_card_at_the_other_provider_is_charged_there(two: Two) -> None:
    two.first.unreachable = True
    payment = two.house.session_priced(two.customer("c1"), "12.40")
    two.house.work()
    after = two.house.payment(payment.payment_id)
    assert (after.captured_minor, after.card_last4) == (1240, "2222")
    assert after.account_id == two.accounts[1].account_id


def test_a_customer_without_another_card_owes_with_a_reason(two: Two) -> None:
    two.first.unreachable = True
    payment = two.house.session_priced(two.customer("c1", both=False), "12.40")
    two.house.work_until_quiet()
    after = two.house.payment(payment.payment_id)
    assert (after.state, after.reason) == (PaymentState.OWED, "provider_unreachable")


def test_where_there_is_one_account_nothing_of_this_is_written(sqlite_house_url: str) -> None:
    """An operator with one provider pays nothing for what only helps with two."""
    provider = ScriptedProvider(unreachable=True)
    house = HouseOfPayments(sqlite_house_url, provider)
    account = house.account()
    house.hold()
    house.work()
    assert house.ask(lambda work: work.provider_health.find(account.account_id)) is None
    house.close()


def play(two: Two, sessions: int, dies_at: int, back_at: int | None, seed: int) -> list[str]:
    """So many sessions, half of them of customers, half of drivers at the station; the payments that stand behind them."""
    luck = random.Random(seed)
    payments: list[str] = []
    waiting: list[str] = []
    for number in range(sessions):
        if number == dies_at:
            two.first.unreachable = True
            two.first.script.clear()
        if number == back_at:
            two.first.unreachable = False
        if not two.first.unreachable and luck.random() < 0.1:
            two.first.script.append(luck.choice([LOSE_ANSWER, NEVER_ARRIVE, REFUSE]))
        name = f"s{number}"
        if luck.random() < 0.5:
            customer = two.customer(name, both=luck.random() < 0.8)
            payments.append(two.house.session_priced(customer, "12.40", name=name).payment_id)
        else:
            payment = two.house.hold()
            payments.append(payment.payment_id)
            waiting.append(payment.payment_id)
        two.house.work()
        two.house.later(luck.randrange(1, 20))
        for one in waiting:
            waiting.remove(one) if charge(two, one, f"held/{one}") else None
    for _ in range(30):
        two.house.later(60)
        two.house.work()
        for one in waiting:
            waiting.remove(one) if charge(two, one, f"held/{one}") else None
    return payments


def charge(two: Two, payment_id: str, name: str) -> bool:
    """A driver whose page is there pays, charges, and leaves; False while there is no page."""
    payment = two.house.payment(payment_id)
    if payment.state is PaymentState.ABANDONED:
        return True
    if payment.state is not PaymentState.REQUIRES_ACTION:
        return False
    two.house.tell(payment_id, two.at(payment).driver_pays(payment_id, 4000))
    assert two.house.session_begins(payment_id, name)
    two.house.held_session_priced(payment_id, "12.40", name=name)
    return True


def judge(two: Two, payments: list[str]) -> dict[str, int]:
    """Nothing is held or taken twice, and what was not collected says why; how many ended in which way."""
    ends: dict[str, int] = {}
    for payment_id in payments:
        payment = two.house.payment(payment_id)
        views = [one.views[payment_id] for one in (two.first, two.second) if payment_id in one.views]
        money = [one for one in views if one.captured_minor or one.status is ViewStatus.AUTHORISED]
        assert len(money) <= 1, f"{payment_id} is held or taken twice"
        assert sum(one.captured_minor for one in views) == payment.captured_minor
        if payment.captured_minor != 1240:
            assert payment.reason is not None, f"{payment_id} is {payment.state} and says nothing"
        ends[payment.state.value] = ends.get(payment.state.value, 0) + 1
    assert two.house.balance("clearing") == sum(sum(one.captured.values()) for one in (two.first, two.second))
    return ends


@pytest.mark.parametrize("comes_back", [False, True])
def test_case_50_one_provider_dies_in_the_middle(two: Two, *, comes_back: bool) -> None:
    """Every session is paid by the other or is owed with a reason; no driver is held twice."""
    sessions = int(os.environ.get("TALLYWATT_SESSIONS", "24"))
    payments = play(two, sessions, sessions // 3, sessions * 3 // 4 if comes_back else None, seed=sessions)
    two.house.work_until_quiet()

    ends = judge(two, payments)

    assert sum(ends.values()) == sessions
    assert ends["captured"] > sessions // 2
    after_death = [one for one in two.second.sent if one.kind is OperationKind.HOSTED_PAGE]
    assert after_death, "the other provider took drivers over"
