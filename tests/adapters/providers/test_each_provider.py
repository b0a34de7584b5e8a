"""What must hold at every provider, through its official SDK against its own wire. Stripe's own file has more of it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
import pytest

from tallywatt.kernel.errors import BadInput, Busy
from tallywatt.kernel.money import money
from tallywatt.payments.operation import OperationKind, OperationState
from tallywatt.payments.payment import PaymentState
from tallywatt.payments.provider import Enquiry, Failed, NotSent, Pending, Setup, Succeeded, Unknown
from tallywatt.simulators.psp import books
from tallywatt.workflows.give_back import GiveBack, give_back
from tallywatt.workflows.void_hold import VoidHold, void_hold
from tallywatt.workflows.wake_unresolved import WakeUnresolved, wake_unresolved
from tests.adapters.providers.bench import Bench, an_operation_of, open_bench
from tests.payments.house import crash_when, dies

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROVIDERS = ("mollie", "adyen")


@pytest.fixture(params=PROVIDERS)
def bench(request: pytest.FixtureRequest, tmp_path: Path, sqlite_house_url: str) -> Iterator[Bench]:
    made = open_bench(request.param, tmp_path, sqlite_house_url)
    yield made
    made.close()


def test_a_driver_holds_charges_pays_and_gets_a_part_back(bench: Bench) -> None:
    """Page, hold, session, capture of less than was held (case 32), and a refund: the books are the provider's own."""
    house, payment = bench.house, bench.held()
    held = house.payment(payment)
    assert (held.state, held.authorised_minor, held.card_last4) == (PaymentState.AUTHORISED, 4000, "4242")
    assert held.hold_expires_at is not None

    assert house.session_begins(payment)
    house.held_session_priced(payment, "12.40")
    house.work()
    bench.hear_until(lambda: house.payment(payment).state is PaymentState.CAPTURED)
    house.write(give_back, GiveBack(payment, money("2.40", "GBP"), "complaint", "r1"))
    house.work()
    bench.hear_until(lambda: house.payment(payment).refunded_minor == 240)

    after = house.payment(payment)
    assert (after.state, after.captured_minor, after.refunded_minor) == (PaymentState.CAPTURED, 1240, 240)
    totals = books.read(bench.psp.state)
    assert (totals.captured_minor, totals.refunded_minor, totals.holds_open) == ({"GBP": 1240}, {"GBP": 240}, 0)
    assert totals.captured_by("tallywatt_payment") == {payment: 1240}
    assert {one.state for one in house.operations(payment)} == {OperationState.SUCCEEDED}
    assert house.balance("clearing") == 1000
    assert house.inbox() == []


@pytest.mark.parametrize(("answer", "held"), [("yes", 4000), ("no", 0)])
def test_case_3_a_bank_that_asks_holds_only_what_the_driver_approves(bench: Bench, answer: str, held: int) -> None:
    """3-D Secure: before the answer nothing is held, and a no is no hold."""
    payment = bench.opened()
    assert bench.pays(payment, "pm_card_threeDSecure2Required") == 200
    assert books.read(bench.psp.state).holds_open == 0
    bench.pays(payment, "pm_card_threeDSecure2Required", approve=answer)
    bench.hear(1)
    assert bench.house.payment(payment.payment_id).authorised_minor == held


def test_a_hold_is_released(bench: Bench) -> None:
    payment = bench.held()
    bench.house.write(void_hold, VoidHold(payment, "start_rejected"))
    bench.house.work()
    bench.hear_until(lambda: bench.house.payment(payment).state is PaymentState.VOIDED)
    assert (books.read(bench.psp.state).voided, books.read(bench.psp.state).holds_open) == (1, 0)


def test_a_page_is_closed(bench: Bench) -> None:
    payment = bench.opened()
    bench.house.write(void_hold, VoidHold(payment.payment_id, "cancelled"))
    bench.house.work()
    assert bench.house.payment(payment.payment_id).state is PaymentState.ABANDONED
    assert "Too late" in httpx.get(payment.hosted_page_url or "").text


def test_a_page_paid_while_it_is_closed_is_found_and_voided(bench: Bench) -> None:
    """The driver pays in the second in which we let go: what is held is released."""
    payment = bench.opened()
    bench.house.write(void_hold, VoidHold(payment.payment_id, "cancelled"))
    bench.pays(payment)
    bench.house.work()
    bench.hear_until(lambda: bench.house.payment(payment.payment_id).state is PaymentState.VOIDED)
    assert books.read(bench.psp.state).holds_open == 0


def test_a_stored_card_is_charged(bench: Bench) -> None:
    payment = bench.house.session_priced(bench.customer(), "12.40")
    bench.house.work()
    after = bench.house.payment(payment.payment_id)
    assert (after.state, after.captured_minor, after.card_last4) == (PaymentState.CAPTURED, 1240, "4242")
    assert books.read(bench.psp.state).captured_by("tallywatt_payment") == {payment.payment_id: 1240}


def test_a_page_for_a_card_is_refused_or_put_off_as_such(bench: Bench) -> None:
    """There is somebody to tell: a wrong currency is their mistake, a provider that is away is not."""
    setup = Setup("c1", "Keep my card", "ZAR", "http://127.0.0.1:1/back", "setup")
    with pytest.raises(BadInput):
        bench.cards.open_setup(replace(setup, currency="XXX"))
    bench.psp.stop()
    with pytest.raises(Busy):
        bench.cards.open_setup(setup)


def test_what_is_left_on_a_page_for_a_card_is_no_payment(bench: Bench) -> None:
    bench.customer()
    assert bench.house.inbox() == []
    assert books.read(bench.psp.state).captured_minor == {}


def test_case_1_insufficient_funds_is_a_decline_with_advice(bench: Bench) -> None:
    """What may be tried later is not what must never be tried again."""
    payment = bench.house.session_priced(bench.customer(), "9000.02")
    bench.house.work()
    charge = bench.house.operations(payment.payment_id)[-1]
    assert (charge.state, charge.code, charge.advice) == (
        OperationState.DECLINED,
        "insufficient_funds",
        "retry_later",
    )
    assert bench.house.payment(payment.payment_id).state is PaymentState.DECLINED
    assert books.read(bench.psp.state).captured_minor == {}


def test_case_47_a_charge_that_wants_its_holder_asks_for_the_driver(bench: Bench) -> None:
    """Off session nobody can approve: a link goes to the driver, and no second try to the bank."""
    payment = bench.house.session_priced(bench.customer("pm_card_authenticationRequired"), "12.40")
    bench.house.work()
    charge = bench.house.operations(payment.payment_id)[-1]
    assert (charge.code, charge.advice) == ("authentication_required", "ask_driver")
    assert books.read(bench.psp.state).captured_minor == {}


@pytest.mark.parametrize("kind", ["lost_answer", "hang_up", "error_500_after_work", "rate_limit", "refuse"])
def test_case_7_whatever_goes_wrong_with_a_charge_the_card_is_charged_once(bench: Bench, kind: str) -> None:
    """Cases 7 to 11 of a charge: lost answers, never arrived, errors that are kept, throttled, refused."""
    customer = bench.customer()
    bench.psp.fault(kind, path="/payments", method="POST", times=1, milliseconds=50)
    payment = bench.house.session_priced(customer, "12.40")

    bench.house.work_until_quiet()
    time.sleep(0.1)
    bench.house.write(wake_unresolved, WakeUnresolved())
    bench.house.work_until_quiet()
    if bench.house.payment(payment.payment_id).state is not PaymentState.CAPTURED:
        bench.hear(1)

    assert bench.house.payment(payment.payment_id).captured_minor == 1240
    assert books.read(bench.psp.state).captured_minor == {"GBP": 1240}
    assert bench.house.balance("clearing") == 1240


@pytest.mark.parametrize("kind", ["lost_answer", "hang_up", "error_500_after_work"])
def test_case_36_whatever_goes_wrong_with_a_capture_it_is_captured_once(bench: Bench, kind: str) -> None:
    house, payment = bench.house, bench.held()
    house.session_begins(payment)
    bench.psp.fault(kind, path="/captures", method="POST", times=1)
    house.held_session_priced(payment, "12.40")

    house.work()
    house.later(3)
    house.work()
    bench.hear_until(lambda: house.payment(payment).state is PaymentState.CAPTURED)

    assert books.read(bench.psp.state).captured_minor == {"GBP": 1240}
    assert house.balance("clearing") == 1240


def test_case_37_both_processes_die_and_the_money_is_counted_once(bench: Bench) -> None:
    """We die after the provider captured; then the provider dies; then both come back."""
    house, payment = bench.house, bench.held()
    house.session_begins(payment)
    house.held_session_priced(payment, "12.40")
    crash_when(bench.cards, "send")
    dies(house.work)
    bench.psp.kill()
    house.restart()
    bench.psp.start()

    house.later(61)
    house.work()
    bench.hear_until(lambda: house.payment(payment).state is PaymentState.CAPTURED)

    assert house.payment(payment).captured_minor == 1240
    assert books.read(bench.psp.state).captured_minor == {"GBP": 1240}
    assert house.balance("clearing") == 1240


def test_case_9_a_refused_connection_is_not_sent(bench: Bench) -> None:
    """It is the one failure after which another provider may be asked."""
    bench.psp.stop()
    assert isinstance(bench.cards.send(an_operation_of(OperationKind.HOSTED_PAGE)), NotSent)


def test_case_11_throttling_is_not_sent_and_says_when_to_come_back(bench: Bench) -> None:
    bench.psp.fault("rate_limit", times=1, seconds=7)
    assert bench.cards.send(an_operation_of(OperationKind.HOSTED_PAGE)) == NotSent("throttled", 7)


def test_case_12_the_same_key_twice_is_one_page(bench: Bench) -> None:
    operation = an_operation_of(OperationKind.HOSTED_PAGE)
    first, second = bench.cards.send(operation), bench.cards.send(operation)
    assert isinstance(first, Succeeded)
    assert first == second


def test_case_13_the_same_key_with_another_sum_is_never_taken_for_a_refusal(bench: Bench) -> None:
    """What was sent under it before may have had its effect."""
    assert isinstance(bench.cards.send(an_operation_of(OperationKind.HOSTED_PAGE)), Succeeded)
    assert isinstance(bench.cards.send(an_operation_of(OperationKind.HOSTED_PAGE, amount_minor=5000)), Unknown)


@pytest.mark.parametrize(("code", "minor"), [("JPY", 4000), ("EUR", 4000), ("KWD", 40_000)])
def test_case_14_minor_units_are_those_of_the_currency(bench: Bench, code: str, minor: int) -> None:
    """4,000 yen have no decimals, 40 dinars have three."""
    outcome = bench.cards.send(an_operation_of(OperationKind.HOSTED_PAGE, amount_minor=minor, currency=code))
    assert isinstance(outcome, Succeeded)
    page = next(one for one in _objects(bench) if one["object"] == "checkout.session")
    assert (page["amount_total"], page["currency"]) == (minor, code.lower())


def _objects(bench: Bench) -> list[dict[str, object]]:
    return [one for line in bench.psp.state.read_text().splitlines() for one in json.loads(line).get("put", [])]


def test_a_wrong_key_sends_nothing(bench: Bench) -> None:
    cards = type(bench.cards)(
        "live_wrong", base_url=f"{bench.psp.url}/checkout" if bench.provider == "adyen" else bench.psp.url
    )
    assert isinstance(cards.send(an_operation_of(OperationKind.HOSTED_PAGE)), NotSent)


def test_a_request_that_makes_no_sense_is_refused_for_good(bench: Bench) -> None:
    outcome = bench.cards.send(an_operation_of(OperationKind.HOSTED_PAGE, amount_minor=0))
    assert isinstance(outcome, Failed)


def test_what_nobody_knows_is_not_there(bench: Bench) -> None:
    if bench.cards.capabilities.enquiry_by_reference:
        assert bench.cards.enquire(Enquiry("nobody", bench.house.now())) is None


def test_case_19_a_webhook_told_five_times_is_one_hold(bench: Bench) -> None:
    """The same news again: the same answer, and one start."""
    payment = bench.opened()
    bench.pays(payment)
    for _ in range(5):
        bench.heard = 0
        bench.hear(1)
    assert bench.house.payment(payment.payment_id).state is PaymentState.AUTHORISED
    starts = [one for one in bench.house.jobs() if one.kind == "start_paid_session"]
    assert len(starts) == 1


def test_case_43_more_than_was_captured_never_goes_back(bench: Bench) -> None:
    """Whatever we ask for, the provider refuses it and we see it refused."""
    house, payment = bench.house, bench.held()
    house.session_begins(payment)
    house.held_session_priced(payment, "12.40")
    house.work()
    bench.hear_until(lambda: house.payment(payment).state is PaymentState.CAPTURED)
    ref = house.payment(payment).provider_ref
    beyond = an_operation_of(OperationKind.REFUND, amount_minor=1241, currency="GBP", provider_ref=ref)
    answer = bench.cards.send(beyond)
    assert isinstance(answer, Pending if bench.cards.capabilities.answers_later else Failed)
    assert books.read(bench.psp.state).refunded_minor == {}
