"""What is not known is found out: never guessed, never sent again under a new key while it may have had an effect."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tallywatt.kernel.identity import OperationId
from tallywatt.payments.fact import MOST_ATTEMPTS, ProviderFact, Source
from tallywatt.payments.operation import OperationKind
from tallywatt.payments.payment import PaymentState
from tallywatt.payments.provider import Succeeded
from tallywatt.workflows.apply_provider_fact import apply_provider_fact
from tallywatt.workflows.resolve_unknown import pursue
from tests.payments.house import HouseOfPayments, crash_when, dies
from tests.payments.scripted import KEEP_500, LOSE_ANSWER, NEVER_ARRIVE, REFUSE, ScriptedProvider

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def provider() -> ScriptedProvider:
    return ScriptedProvider()


@pytest.fixture
def house(house_url: str, provider: ScriptedProvider) -> Iterator[HouseOfPayments]:
    made = HouseOfPayments(house_url, provider)
    yield made
    made.close()


@pytest.mark.parametrize("fault", [LOSE_ANSWER, NEVER_ARRIVE, REFUSE, KEEP_500])
@pytest.mark.parametrize("healthy_before", [0, 1])
def test_whatever_happens_to_an_answer_the_money_is_taken_once(
    house: HouseOfPayments, provider: ScriptedProvider, fault: str, healthy_before: int
) -> None:
    """Prepare or charge; done or not; heard of or not: one charge, for the right sum, and the books agree."""
    account = house.account()
    provider.script.extend([*["ok"] * healthy_before, fault])
    payment = house.session_priced(house.customer(account.account_id), "12.40")

    house.work_until_quiet()

    assert house.payment(payment.payment_id).state is PaymentState.CAPTURED
    assert provider.captured == {payment.payment_id: 1240}
    assert house.balance(f"clearing/{account.account_id}") == 1240
    assert not [one for one in house.operations(payment.payment_id) if one.is_unresolved]


def test_an_unclear_answer_is_no_decline(house: HouseOfPayments, provider: ScriptedProvider) -> None:
    account = house.account()
    provider.script.extend(["ok", LOSE_ANSWER])
    payment = house.session_priced(house.customer(account.account_id), "12.40")

    house.work()

    assert house.payment(payment.payment_id).state is PaymentState.PREPARED
    assert house.kinds(payment.payment_id) == [("prepare", "succeeded"), ("charge", "unknown")]


def test_what_was_done_is_found_by_its_id_without_another_request(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    account = house.account()
    provider.script.extend(["ok", LOSE_ANSWER])
    house.session_priced(house.customer(account.account_id), "12.40")
    house.work_until_quiet()
    assert provider.times_sent(OperationKind.CHARGE) == 1


def test_case_8_what_may_not_have_arrived_is_sent_again_under_the_same_key(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    account = house.account()
    provider.script.extend(["ok", NEVER_ARRIVE])
    house.session_priced(house.customer(account.account_id), "12.40")
    house.work_until_quiet()
    charges = [one for one in provider.sent if one.kind is OperationKind.CHARGE]
    assert len(charges) == 2
    assert len({(one.idempotency_key, one.request, one.request_hash) for one in charges}) == 1


def test_case_10_a_kept_failure_ends_in_a_new_operation_only_after_it_is_known_to_have_done_nothing(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    """The provider keeps its 500 under the key: the same key would never tell more."""
    account = house.account()
    provider.script.extend(["ok", KEEP_500])
    payment = house.session_priced(house.customer(account.account_id), "12.40")

    house.work_until_quiet()

    assert house.kinds(payment.payment_id) == [
        ("prepare", "succeeded"),
        ("charge", "not_sent"),
        ("charge", "succeeded"),
    ]
    assert provider.captured == {payment.payment_id: 1240}
    assert house.inbox() == [], "an hour of a provider's 500 would leave hundreds of items that nobody has to work off"


def test_after_the_window_of_the_key_nothing_is_sent_before_it_was_looked_for(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    """The house was down for two days: the key may be forgotten there, and the same bytes would be a second charge."""
    account = house.account()
    provider.script.extend(["ok", LOSE_ANSWER])
    payment = house.session_priced(house.customer(account.account_id), "12.40")
    house.work()
    provider.unreachable = True
    house.later(48 * 3600)
    house.work()
    assert house.kinds(payment.payment_id)[-1] == ("charge", "unknown")
    provider.unreachable = False

    house.work_until_quiet()

    assert house.payment(payment.payment_id).captured_minor == 1240
    assert provider.times_sent(OperationKind.CHARGE) == 1


def test_an_intention_that_slept_too_long_is_looked_for_first(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    """It may have been sent by a worker that died: its key's window is counted from the intention."""
    account = house.account()
    payment = house.session_priced(house.customer(account.account_id), "12.40")
    crash_when(provider, "send")
    dies(house.work)
    house.restart()
    house.later(48 * 3600)

    house.work_until_quiet()

    assert provider.times_sent(OperationKind.PREPARE) == 1
    assert house.payment(payment.payment_id).captured_minor == 1240


@pytest.mark.parametrize("kind", [OperationKind.PREPARE, OperationKind.CHARGE])
def test_a_death_between_sending_and_writing_down_changes_nothing(
    house: HouseOfPayments, provider: ScriptedProvider, kind: OperationKind
) -> None:
    """The process is killed after the provider has acted and before anybody heard of it."""
    account = house.account()
    payment = house.session_priced(house.customer(account.account_id), "12.40")
    if kind is OperationKind.CHARGE:
        house.work(rounds=1)
    crash_when(provider, "send")

    dies(house.work)
    house.restart()
    house.work_until_quiet()

    assert house.payment(payment.payment_id).state is PaymentState.CAPTURED
    assert provider.captured == {payment.payment_id: 1240}
    assert house.balance("clearing") == 1240


def test_a_provider_that_stays_away_is_given_up_visibly_and_nothing_is_taken(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    """Refused connections are safe to repeat; after enough of them a person decides, and the sum stays owed."""
    account = house.account()
    provider.unreachable = True
    payment = house.session_priced(house.customer(account.account_id), "12.40")

    house.work_until_quiet(hours=100)

    after = house.payment(payment.payment_id)
    assert (after.state, after.reason) == (PaymentState.OWED, "provider_unreachable")
    (operation,) = house.operations(payment.payment_id)
    assert (operation.state, operation.attempts) == ("not_sent", MOST_ATTEMPTS)
    assert house.inbox() == ["operation_not_sent"]


def test_a_job_that_runs_twice_sends_once_more_and_charges_once(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    """A worker that was slow, not dead: its lease ran out, and another one did the same."""
    account = house.account()
    payment = house.session_priced(house.customer(account.account_id), "12.40")
    house.work(rounds=1)
    charge = house.operations(payment.payment_id)[-1]
    pursuits = [house.write(pursue, OperationId(charge.operation_id)) for _ in range(2)]
    facts = [house.caller.send(one) for one in pursuits if one is not None]

    for fact in facts:
        house.write(apply_provider_fact, fact)

    assert len(facts) == 2
    assert house.payment(payment.payment_id).captured_minor == 1240
    assert house.balance("clearing") == 1240


def test_case_49_the_janitor_and_a_webhook_at_once_book_once(house_url: str, provider: ScriptedProvider) -> None:
    """Two connections, one barrier: both bring the same news, and one of them is late."""
    first = HouseOfPayments(house_url, provider, name="first")
    account = first.account()
    provider.script.extend(["ok", LOSE_ANSWER])
    payment = first.session_priced(first.customer(account.account_id), "12.40")
    first.work()
    charge = first.operations(payment.payment_id)[-1]
    pursuit = first.write(pursue, charge.operation_id)
    assert pursuit is not None
    by_janitor = first.caller.find_out(pursuit)
    by_webhook = ProviderFact(payment.payment_id, Succeeded(provider.views[payment.payment_id]), Source.WEBHOOK)
    second = HouseOfPayments(house_url, provider, now=first.time, name="second")
    barrier = threading.Barrier(2)

    def apply(house: HouseOfPayments, fact: ProviderFact) -> None:
        barrier.wait()
        house.write(apply_provider_fact, fact)

    threads = [threading.Thread(target=apply, args=one) for one in ((first, by_janitor), (second, by_webhook))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert first.payment(payment.payment_id).captured_minor == 1240
    assert first.balance("clearing") == 1240
    assert first.allocated(payment.payment_id) == {"invoice": 1240}
    first.close()
    second.close()
