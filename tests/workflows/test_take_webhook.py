"""Webhooks: twice, late, in disorder, about strangers, from strangers. Each is kept, and none is counted twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import OperatorId, ProviderAccountId
from tallywatt.payments.payment import PaymentState
from tallywatt.payments.provider import ProviderEvent, View, ViewStatus
from tallywatt.payments.webhook import WebhookState
from tallywatt.workflows.apply_provider_fact import START_PAID_SESSION
from tallywatt.workflows.take_webhook import Taken, TakeWebhook, take_webhook
from tests.payments.house import HouseOfPayments
from tests.payments.scripted import ScriptedProvider

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


def delivered(
    house: HouseOfPayments,
    account_id: ProviderAccountId,
    payment_id: str | None,
    view: View | None,
    event_id: str = "evt_1",
    **more: Any,
) -> Taken:
    event = ProviderEvent(event_id, "payment_intent.something", Instant(house.time), payment_id, view=view, **more)
    return house.write(take_webhook, TakeWebhook(account_id, event, b'{"id": "evt_1"}'))


def test_five_deliveries_of_one_event_are_one_start(house: HouseOfPayments, provider: ScriptedProvider) -> None:
    account = house.account()
    payment = house.hold()
    house.work()
    view = provider.driver_pays(payment.payment_id, 4000)

    answers = [delivered(house, account.account_id, payment.payment_id, view) for _ in range(5)]

    assert answers == [Taken.APPLIED, *[Taken.DUPLICATE] * 4]
    assert [one.kind for one in house.jobs()].count(START_PAID_SESSION) == 1
    (row,) = house.ask(lambda work: work.webhook_events.by())
    assert (row.state, row.payment_id) == (WebhookState.APPLIED, payment.payment_id)


def test_case_20_a_webhook_may_come_before_the_answer(house: HouseOfPayments, provider: ScriptedProvider) -> None:
    """The charge is taken, the webhook is here, our own reply is still on its way: booked once."""
    account = house.account()
    payment = house.session_priced(house.customer(account.account_id), "12.40")
    house.work(rounds=1)
    provider.send(house.operations(payment.payment_id)[-1])

    delivered(house, account.account_id, payment.payment_id, provider.views[payment.payment_id])

    assert house.kinds(payment.payment_id)[-1] == ("charge", "succeeded")
    house.work()
    assert house.payment(payment.payment_id).captured_minor == 1240
    assert house.balance("clearing") == 1240


def test_news_in_disorder_ends_in_the_same_place(house: HouseOfPayments, provider: ScriptedProvider) -> None:
    """Captured is heard before authorised."""
    account = house.account()
    payment = house.hold()
    house.work()
    held = provider.driver_pays(payment.payment_id, 4000)
    house.session_begins(payment.payment_id)
    captured = replace(held, status=ViewStatus.CAPTURED, captured_minor=1240)

    delivered(house, account.account_id, payment.payment_id, captured, "evt_2")
    delivered(house, account.account_id, payment.payment_id, held, "evt_1")

    after = house.payment(payment.payment_id)
    assert (after.state, after.captured_minor, after.authorised_minor) == (PaymentState.CAPTURED, 1240, 4000)


def test_a_payment_that_nobody_knows_is_kept_and_listed(house: HouseOfPayments) -> None:
    """It carries our mark and is not here: somebody restored a backup, or two houses share an account."""
    account = house.account()
    view = View(ViewStatus.CAPTURED, "GBP", provider_ref="pi_stranger", authorised_minor=900, captured_minor=900)
    assert delivered(house, account.account_id, "no-such-payment", view, provider_ref="pi_stranger") is Taken.UNMATCHED
    assert house.inbox() == ["webhook_unmatched"]
    (row,) = house.ask(lambda work: work.webhook_events.by())
    assert row.state is WebhookState.UNMATCHED
    assert row.sealed


def test_what_others_do_with_the_same_account_is_none_of_ours(house: HouseOfPayments) -> None:
    account = house.account()
    view = View(ViewStatus.CAPTURED, "GBP", provider_ref="pi_shop", authorised_minor=900, captured_minor=900)
    assert delivered(house, account.account_id, None, view, provider_ref="pi_shop") is Taken.IGNORED
    assert delivered(house, account.account_id, None, None, "evt_2") is Taken.IGNORED
    assert house.inbox() == []


def test_the_object_is_known_by_the_providers_id_as_well(house: HouseOfPayments, provider: ScriptedProvider) -> None:
    """A refund made at the provider's dashboard carries no mark of ours."""
    account = house.account()
    payment = house.session_priced(house.customer(account.account_id), "12.40")
    house.work()
    seen = replace(provider.views[payment.payment_id], refunded_minor=240)
    assert delivered(house, account.account_id, None, seen, provider_ref=seen.provider_ref) is Taken.APPLIED
    assert house.payment(payment.payment_id).refunded_minor == 240
    assert house.balance("clearing") == 1000


def test_a_dispute_is_listed_for_a_person(house: HouseOfPayments, provider: ScriptedProvider) -> None:
    account = house.account()
    payment = house.session_priced(house.customer(account.account_id), "12.40")
    house.work()
    ref = provider.views[payment.payment_id].provider_ref
    delivered(house, account.account_id, None, None, provider_ref=ref, attention="charge.dispute.created")
    assert house.inbox() == ["provider_needs_person"]


def test_case_62_one_operator_cannot_touch_the_payment_of_another(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    """An event on the account of B that names a payment of A finds nothing there."""
    mine = house.account()
    payment = house.session_priced(house.customer(mine.account_id), "12.40")
    other = OperatorId("perth")
    theirs = house.account(operator=other)
    view = View(ViewStatus.CAPTURED, "GBP", provider_ref="pi_x", authorised_minor=1240, captured_minor=1240)
    event = ProviderEvent("evt_1", "payment_intent.succeeded", Instant(house.time), payment.payment_id, "pi_x", view)

    taken = house.write(take_webhook, TakeWebhook(theirs.account_id, event, b"{}"), operator=other)

    assert taken is Taken.UNMATCHED
    assert house.payment(payment.payment_id).captured_minor == 0
    assert house.balance("clearing") == 0
    assert house.balance("clearing", operator=other) == 0


def test_another_account_of_the_same_operator_cannot_either(house: HouseOfPayments) -> None:
    mine = house.account()
    second = house.account(name="second")
    payment = house.session_priced(house.customer(mine.account_id), "12.40")
    view = View(ViewStatus.CAPTURED, "GBP", provider_ref="pi_x", authorised_minor=1240, captured_minor=1240)
    assert delivered(house, second.account_id, payment.payment_id, view, provider_ref="pi_x") is Taken.UNMATCHED
    assert house.payment(payment.payment_id).captured_minor == 0


def test_case_61_a_card_number_in_a_webhook_is_not_stored_and_somebody_is_told(house: HouseOfPayments) -> None:
    """The event itself is kept and acknowledged."""
    account = house.account()
    event = ProviderEvent("evt_1", "charge.updated", Instant(house.time))
    taken = house.write(take_webhook, TakeWebhook(account.account_id, event, b'{"name": "4242 4242 4242 4242"}'))
    assert taken is Taken.IGNORED
    assert house.inbox() == ["card_number_hidden"]
    (row,) = house.ask(lambda work: work.webhook_events.by())
    assert row.key_id is not None
    assert row.sealed is not None
    assert len(row.sealed) == len(b'{"name": "[card number ending 4242]"}') + 12 + 16


def test_bodies_are_sealed_and_open_with_their_key_alone(house: HouseOfPayments) -> None:
    """A webhook's body tells about people: dropping the month's key erases it."""
    account = house.account()
    event = ProviderEvent("evt_1", "customer.created", Instant(house.time))
    house.write(take_webhook, TakeWebhook(account.account_id, event, b"somebody@example.org"))
    (row,) = house.ask(lambda work: work.webhook_events.by())
    assert row.key_id is not None
    assert row.sealed is not None
    assert b"somebody" not in row.sealed
