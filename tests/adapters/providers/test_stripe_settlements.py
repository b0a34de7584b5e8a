"""Settlements on the official SDK and the simulated provider: fees, payouts, exchanges, and what goes wrong with them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tallywatt.adapters.providers.accountant import Accountant
from tallywatt.adapters.providers.caller import TryLater
from tallywatt.adapters.providers.stripe_cards import StripeCards
from tallywatt.kernel.clock import Instant
from tallywatt.payments.settlement import Action, DifferenceKind
from tallywatt.workflows.resolve_difference import ResolveDifference, resolve_difference
from tests.payments.house import OPERATOR, HouseOfPayments
from tests.simulators.psp.running import KEY, RunningPsp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tallywatt.payments.payment import Payment

FEE_OF_TEN = 35
"""What the simulator keeps of 10.00: one and a half per cent, and twenty."""


@pytest.fixture
def psp(tmp_path: Path) -> Iterator[RunningPsp]:
    with RunningPsp(tmp_path / "psp.jsonl") as running:
        yield running


@pytest.fixture
def house(sqlite_house_url: str, psp: RunningPsp) -> Iterator[HouseOfPayments]:
    cards = StripeCards(KEY, (), base_url=psp.url, timeout=httpx.Timeout(2.0))
    made = HouseOfPayments(sqlite_house_url, cards, now=Instant(int(time.time() * 1000)))  # noqa: TID251 - the provider's clock is the real one
    account = made.account()
    made.customer(account.account_id, cards.store_method("customer-c1", "pm_card_visa", "store"))
    yield made
    made.close()


def pays(house: HouseOfPayments, name: str, amount: str = "10.00") -> Payment:
    (customer,) = house.ask(lambda work: work.customers.by())
    payment = house.session_priced(customer.customer_id, amount, name=name)
    house.work()
    return house.payment(payment.payment_id)


def switch(psp: RunningPsp, path: str, **asked: Any) -> Any:
    return httpx.post(f"{psp.url}{path}", json=asked).raise_for_status().json()


def read(house: HouseOfPayments) -> None:
    (account,) = house.ask(lambda work: work.provider_accounts.by())
    Accountant(lambda _: house.provider).read_settlements(house.write, account.account_id)


def stands(house: HouseOfPayments) -> dict[str, int]:
    kinds = ("clearing", "fees", "transit", "suspense", "exchange", "differences")
    return {kind: minor for kind in kinds if (minor := house.balance(f"{kind}/"))}


def differences(house: HouseOfPayments) -> list[Any]:
    return house.ask(lambda work: work.settlement_differences.by(state="open"))


def test_fees_and_payouts_are_read_and_add_up(house: HouseOfPayments, psp: RunningPsp) -> None:
    """From the card to the bank: what is captured leaves as a payout and a fee, and nothing stays over."""
    for name in ("s1", "s2"):
        pays(house, name)
    read(house)
    assert stands(house) == {"clearing": 2000 - 2 * FEE_OF_TEN, "fees": 2 * FEE_OF_TEN}

    [sent] = switch(psp, "/_pay_out")
    assert sent["amount"] == 2000 - 2 * FEE_OF_TEN
    for _ in range(2):
        read(house)

    assert stands(house) == {"transit": sent["amount"], "fees": 2 * FEE_OF_TEN}
    assert differences(house) == []
    lines = house.ask(lambda work: work.settlement_lines.by())
    assert {one.payout_ref for one in lines} == {sent["id"]}
    assert sorted(one.kind.value for one in lines) == ["charge", "charge", "payout"]


def test_what_goes_wrong_with_a_settlement_is_listed(house: HouseOfPayments, psp: RunningPsp) -> None:
    """Case 46: missing, extra, another fee."""
    switch(psp, "/_settling", lose=1)
    lost = pays(house, "s1")
    pays(house, "s2")
    switch(psp, "/_invent", amount=700, currency="gbp")
    read(house)
    house.later(4 * 24 * 3600)
    read(house)

    assert sorted(one.kind.value for one in differences(house)) == ["extra", "missing"]
    [missing] = [one for one in differences(house) if one.kind is DifferenceKind.MISSING]
    assert missing.payment_id == lost.payment_id
    assert stands(house) == {"clearing": 2700 - FEE_OF_TEN, "fees": FEE_OF_TEN, "suspense": -700}

    [charge] = [one for one in house.ask(lambda work: work.settlement_lines.by()) if one.kind.value == "charge"]
    switch(psp, "/_correct", transaction=charge.line_ref, fee=60)
    read(house)
    assert stands(house)["fees"] == 60


def test_an_exchange_is_read_with_both_sums(house: HouseOfPayments, psp: RunningPsp) -> None:
    """Case 46, currency conversion: pounds on the card, euros on the way to the bank."""
    switch(psp, "/_settling", currency="eur", rate="1.17")
    payment = pays(house, "s1")
    read(house)

    [line] = house.ask(lambda work: work.settlement_lines.by())
    assert (line.payment_id, line.source_minor, line.source_currency) == (payment.payment_id, 1000, "GBP")
    assert (line.amount_minor, line.currency, line.exchange_rate) == (1170, "EUR", "1.17")
    assert differences(house) == []


def test_a_refund_that_the_house_has_not_heard_of_is_asked_about_and_agrees(
    house: HouseOfPayments, psp: RunningPsp
) -> None:
    """Given back on the provider's dashboard, the webhook lost: one click asks, and the difference closes by itself."""
    payment = pays(house, "s1")
    asked = {"payment_intent": payment.provider_ref, "amount": 300}
    httpx.post(f"{psp.url}/v1/refunds", data=asked, headers={"authorization": f"Bearer {KEY}"}).raise_for_status()
    read(house)
    [one] = differences(house)
    assert (one.kind, one.expected_minor, one.found_minor) == (DifferenceKind.REFUNDED, 0, 300)

    house.write(resolve_difference, ResolveDifference(one.difference_id, Action.ASK))
    Accountant(lambda _: house.provider).compare_payment(house.write, payment.payment_id)

    assert differences(house) == []
    assert house.payment(payment.payment_id).refunded_minor == 300


def test_a_provider_that_does_not_answer_is_asked_later_and_nothing_is_missing(
    house: HouseOfPayments, psp: RunningPsp
) -> None:
    """What cannot be asked says nothing about what is there."""
    pays(house, "s1")
    psp.stop()
    house.later(10 * 24 * 3600)

    with pytest.raises(TryLater):
        read(house)

    assert differences(house) == []
    psp.start()
    read(house)
    assert differences(house) == []
    assert stands(house)["fees"] == FEE_OF_TEN


def test_another_accounts_movements_are_its_own(house: HouseOfPayments, psp: RunningPsp) -> None:
    """Each key is an account: two operators never see each other's settlement."""
    pays(house, "s1")
    read(house)
    other = StripeCards("sk_test_other", (), base_url=psp.url)

    assert other.list_settlements(Instant(0)) == ()
    assert house.ask(lambda work: len(work.settlement_lines.by()), operator=OPERATOR) == 1


def test_a_dispute_is_heard_by_enquiry_and_its_fee_is_booked(house: HouseOfPayments, psp: RunningPsp) -> None:
    """Its webhook was lost: the next reading finds it, and later how the bank has decided."""
    payment = pays(house, "s1")
    [opened] = switch(psp, "/_dispute", payment_intent=payment.provider_ref)
    read(house)
    assert house.balance("disputed/") == 1000
    assert stands(house)["fees"] == FEE_OF_TEN + 1500

    switch(psp, "/_decide", dispute=opened["id"], status="won")
    house.later(60)
    read(house)

    [one] = house.ask(lambda work: work.disputes.by())
    assert (one.state.value, one.withdrawn_minor) == ("won", 0)
    assert (house.balance("disputed/"), stands(house)["clearing"]) == (0, 1000 - FEE_OF_TEN - 1500)
    assert differences(house) == []
