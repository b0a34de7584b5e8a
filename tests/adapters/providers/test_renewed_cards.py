"""Stored cards end and are replaced by their banks; the sums that waited for that are taken once."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tallywatt.payments.account import MethodState
from tallywatt.payments.payment import PaymentState
from tallywatt.simulators.psp import books
from tallywatt.workflows.try_again import TryAgain, try_again
from tests.adapters.providers.bench import Bench, open_bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tallywatt.kernel.identity import PaymentId
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork

EXPIRED = "pm_card_chargeDeclinedExpiredCard"


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path, sqlite_house_url: str) -> Iterator[Bench]:
    made = open_bench(request.param, tmp_path, sqlite_house_url)
    yield made
    made.close()


def change(bench: Bench, card: str, **more: str) -> None:
    """The stored card becomes another one, at its bank."""
    puts = [one for line in bench.psp.state.read_text().splitlines() for one in json.loads(line).get("put", [])]
    stored = next(one["id"] for one in reversed(puts) if one["object"] == "payment_method" and one["customer"])
    asked = {"payment_method": stored, "card": card, **more}
    httpx.post(f"{bench.psp.url}/_change_card", json=asked).raise_for_status()


def declined(bench: Bench) -> tuple[Any, Any]:
    """A customer whose card has expired, and a session that it did not pay."""
    customer = bench.customer()
    change(bench, EXPIRED)
    payment = bench.house.session_priced(customer, "12.40")
    bench.house.work()
    after = bench.house.payment(payment.payment_id)
    assert (after.state, after.reason) == (PaymentState.DECLINED, "expired_card")
    return customer, payment.payment_id


def owes_less(work: UnitOfWork, payment_id: PaymentId) -> Payment:
    """What a correction of its price leaves to be paid."""
    return work.payments.put(replace(work.payments.lock(payment_id), due_minor=1000, amount_minor=1000))


def method_of(bench: Bench) -> Any:
    [found] = bench.house.ask(lambda work: work.payment_methods.by())
    return found


@pytest.mark.parametrize("bench", ["adyen", "mollie", "stripe"], indirect=True)
def test_case_48_an_expired_card_is_not_asked_for_the_next_session(bench: Bench) -> None:
    """It will not work again by being asked again: the next sum is owed at once, and its payer is told."""
    customer, _ = declined(bench)
    assert method_of(bench).state is MethodState.FAILED
    later = bench.house.session_priced(customer, "3.00", name="s2")
    assert (later.state, later.reason) == (PaymentState.OWED, "no_method")


@pytest.mark.parametrize("bench", ["adyen", "mollie", "stripe"], indirect=True)
def test_case_48_a_card_that_works_again_is_charged_once_a_person_says_so(bench: Bench) -> None:
    """The token stays; what was declined under it before is an object that nobody touches again."""
    _, payment = declined(bench)
    change(bench, "pm_card_visa")
    bench.house.write(try_again, TryAgain(payment))
    bench.house.work()
    after = bench.house.payment(payment)
    assert (after.state, after.captured_minor) == (PaymentState.CAPTURED, 1240)
    assert method_of(bench).state is MethodState.ACTIVE
    assert books.read(bench.psp.state).captured_minor == {"GBP": 1240}
    assert (bench.house.balance("clearing"), bench.house.inbox()) == (1240, [])


@pytest.mark.parametrize("bench", ["adyen", "mollie", "stripe"], indirect=True)
def test_a_sum_that_became_less_is_taken_as_it_is_now(bench: Bench) -> None:
    """A price was put right between the decline and the next try: what was made ready for the old sum is not used."""
    _, payment = declined(bench)
    change(bench, "pm_card_visa")
    bench.house.write(owes_less, payment)
    bench.house.write(try_again, TryAgain(payment))
    bench.house.work()
    after = bench.house.payment(payment)
    assert (after.state, after.captured_minor, after.suspense_minor) == (PaymentState.CAPTURED, 1000, 0)
    assert books.read(bench.psp.state).captured_minor == {"GBP": 1000}
    assert (bench.house.balance("clearing"), bench.house.inbox()) == (1000, [])


@pytest.mark.parametrize("bench", ["stripe"], indirect=True)
def test_case_48_a_card_that_its_bank_replaced_pays_what_it_owed(bench: Bench) -> None:
    """The updater tells the new card: it is shown, and what only waited for it is taken without anybody asking."""
    _, payment = declined(bench)
    change(bench, "pm_card_visa", last4="1881")
    bench.hear_until(lambda: method_of(bench).last4 == "1881")
    bench.house.work()
    assert method_of(bench).state is MethodState.ACTIVE
    assert bench.house.payment(payment).state is PaymentState.CAPTURED
    assert books.read(bench.psp.state).captured_minor == {"GBP": 1240}
    bench.heard = 0
    bench.hear(1)
    bench.house.work()
    assert books.read(bench.psp.state).captured_minor == {"GBP": 1240}
