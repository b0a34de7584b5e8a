"""A driver without an account: hold first, then start; and whatever does not become a session is let go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.adapters.providers.caller import TryLater
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict
from tallywatt.kernel.identity import EvseId, PaymentId
from tallywatt.payments.capabilities import Capabilities
from tallywatt.payments.fact import ProviderFact, Source
from tallywatt.payments.limits import LEAST_PAGE_LIFE_MS
from tallywatt.payments.operation import OperationKind
from tallywatt.payments.payment import PaymentState
from tallywatt.payments.provider import Failed
from tallywatt.workflows.apply_provider_fact import START_PAID_SESSION, apply_provider_fact
from tallywatt.workflows.look_at_page import LOOK_AT_PAGE
from tallywatt.workflows.pay_ad_hoc import MoveHold, move_hold
from tallywatt.workflows.void_hold import VoidHold, void_hold
from tests.payments.house import HouseOfPayments
from tests.payments.scripted import KEEP_500, LOSE_ANSWER, ScriptedProvider

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


def starts_asked_for(house: HouseOfPayments) -> list[str]:
    return [one.subject_id for one in house.jobs() if one.kind == START_PAID_SESSION]


def a_hold(house: HouseOfPayments, provider: ScriptedProvider) -> PaymentId:
    house.account()
    payment = house.hold()
    house.work()
    house.tell(payment.payment_id, provider.driver_pays(payment.payment_id, 4000))
    return payment.payment_id


def test_the_driver_gets_a_page_and_the_station_a_start_once_the_hold_is_there(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    house.account()
    payment = house.hold()
    house.work()
    opened = house.payment(payment.payment_id)
    assert (opened.state, opened.hosted_page_url) == (PaymentState.REQUIRES_ACTION, "http://page")
    assert not starts_asked_for(house)

    house.tell(payment.payment_id, provider.driver_pays(payment.payment_id, 4000))

    held = house.payment(payment.payment_id)
    assert (held.state, held.authorised_minor, held.card_last4) == (PaymentState.AUTHORISED, 4000, "4242")
    assert starts_asked_for(house) == [payment.payment_id]
    assert house.balance("clearing") == 0


def test_a_provider_that_was_away_for_long_gives_the_waiting_driver_a_page_at_once(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    """Whoever stands at the station does not come back in a quarter of an hour, when a job would run again."""
    house.account()
    provider.unreachable = True
    payment = house.hold()
    for _ in range(30):
        house.work()
        house.later(1)
    assert house.payment(payment.payment_id).hosted_page_url is None

    provider.unreachable = False
    for _ in range(15):
        house.later(1)
        house.work()

    assert house.payment(payment.payment_id).hosted_page_url == "http://page"


def test_the_page_leads_back_to_the_drivers_own_link(house: HouseOfPayments) -> None:
    """Whoever has the link sees the session: it cannot be guessed."""
    house.account()
    payment = house.hold()
    (page,) = house.operations(payment.payment_id)
    assert payment.driver_secret is not None
    assert len(payment.driver_secret) == 32
    assert page.asked["success_url"].endswith(payment.driver_secret)


def test_five_deliveries_of_the_same_news_ask_for_one_start(house: HouseOfPayments, provider: ScriptedProvider) -> None:
    house.account()
    payment = house.hold()
    house.work()
    view = provider.driver_pays(payment.payment_id, 4000)
    for _ in range(5):
        house.tell(payment.payment_id, view)
    assert starts_asked_for(house) == [payment.payment_id]


def test_news_of_the_hold_may_overtake_the_answer_about_the_page(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    """The driver was quicker than our own reply from the provider."""
    house.account()
    payment = house.hold()
    provider.script.append(LOSE_ANSWER)
    house.work()
    house.tell(payment.payment_id, provider.driver_pays(payment.payment_id, 4000))
    house.work_until_quiet(hours=0.1)
    after = house.payment(payment.payment_id)
    assert (after.state, house.kinds(payment.payment_id)) == (PaymentState.AUTHORISED, [("hosted_page", "succeeded")])


@pytest.mark.parametrize("reason", ["station_offline", "start_rejected", "never_plugged_in"])
def test_case_15_16_17_a_hold_that_nothing_came_of_is_let_go(
    house: HouseOfPayments, provider: ScriptedProvider, reason: str
) -> None:
    """Complaints about stacked holds are the trade's own plague: a failed start releases at once."""
    payment = a_hold(house, provider)

    house.write(void_hold, VoidHold(payment, reason))
    house.work()

    after = house.payment(payment)
    assert (after.state, after.reason, after.open_hold_minor) == (PaymentState.VOIDED, reason, 0)
    assert house.kinds(payment)[-1] == ("void", "succeeded")


def test_the_deadline_lets_go_of_a_hold_that_no_session_has_taken_up(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    payment = a_hold(house, provider)
    house.work_until_quiet(hours=2)
    after = house.payment(payment)
    assert (after.state, after.reason) == (PaymentState.VOIDED, "never_plugged_in")


def test_the_deadline_leaves_a_hold_that_a_session_stands_on(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    payment = a_hold(house, provider)
    assert house.session_begins(payment)
    house.work_until_quiet(hours=2)
    assert house.payment(payment).state is PaymentState.AUTHORISED


def test_case_4_a_page_that_nobody_pays_is_closed(house: HouseOfPayments, provider: ScriptedProvider) -> None:
    house.account()
    payment = house.hold()
    house.work_until_quiet(hours=2)
    after = house.payment(payment.payment_id)
    assert (after.state, after.reason) == (PaymentState.ABANDONED, "never_paid")
    assert provider.times_sent(OperationKind.VOID) == 1


@pytest.mark.parametrize("is_given_up", [True, False])
def test_a_page_that_nobody_could_be_led_to_is_over_when_its_time_is(
    house: HouseOfPayments, provider: ScriptedProvider, is_given_up: bool
) -> None:
    """Made, answered with an error that is kept, and not to be asked about: nobody knows where it was, so nobody has paid."""
    provider.capabilities = Capabilities(6 * 24 * 3600, enquiry=False, enquiry_by_reference=False, answers_later=True)
    house.account()
    provider.script.append(KEEP_500)
    payment = house.hold().payment_id
    house.work()
    if is_given_up:
        house.write(void_hold, VoidHold(payment, "never_paid"))
    house.work_until_quiet(hours=0.5)
    assert house.kinds(payment) == [("hosted_page", "unknown")]

    house.work_until_quiet(hours=5)

    assert house.kinds(payment)[0] == ("hosted_page", "not_sent")
    assert house.payment(payment).state is PaymentState.ABANDONED


def test_a_page_that_never_came_is_given_up_with_its_payment(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    """Its deadline went by while nobody knew whether there was a page; later it was known that there was none."""
    house.account()
    provider.script.append(KEEP_500)
    payment = house.hold().payment_id
    house.work()
    house.write(void_hold, VoidHold(payment, "never_paid"))
    assert house.payment(payment).state is PaymentState.CREATED
    house.work_until_quiet(hours=2)

    after = house.payment(payment)
    assert (after.state, after.reason) == (PaymentState.ABANDONED, "never_paid")
    assert house.kinds(payment) == [("hosted_page", "not_sent")]


def test_a_driver_whose_webhook_was_lost_is_found_by_looking(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    """The money was held and nobody told us: the driver stood at the station for three quarters of an hour."""
    house.account()
    payment = house.hold()
    house.work()
    opened_at = house.time
    [look] = [one for one in house.jobs() if one.kind == LOOK_AT_PAGE]
    pauses = []
    for minutes in (0, 1, 5, 30):
        house.time = Instant(opened_at + minutes * 60_000)
        with pytest.raises(TryLater) as later:
            house.caller.look_at_page(house.write, payment.payment_id, opened_at)
        pauses.append(later.value.after_seconds)
    assert starts_asked_for(house) == []

    provider.driver_pays(payment.payment_id, 4000)
    house.caller.look_at_page(house.write, payment.payment_id, opened_at)

    assert house.payment(payment.payment_id).state is PaymentState.AUTHORISED
    assert starts_asked_for(house) == [payment.payment_id]
    assert 0 < look.run_at - opened_at <= 15_000
    assert pauses == [15, 15, 60, 300]
    house.caller.look_at_page(house.write, payment.payment_id, opened_at)
    assert starts_asked_for(house) == [payment.payment_id], "what is known is not asked about again"


@pytest.mark.parametrize(("minutes", "listed"), [(0, ["operation_failed"]), (6, [])])
def test_a_page_that_was_asked_for_too_late_is_no_persons_business(
    house: HouseOfPayments, provider: ScriptedProvider, minutes: int, listed: list[str]
) -> None:
    """The house was away for minutes: the provider refuses a page that is nearly over, and nobody stands there any more."""
    house.account()
    payment = house.hold()
    [operation] = house.operations(payment.payment_id)
    house.later(minutes * 60)

    refused = ProviderFact(
        payment.payment_id, Failed("refused", "too short"), Source.REPLY, operation.operation_id, house.time
    )
    house.write(apply_provider_fact, refused)

    assert house.payment(payment.payment_id).state is PaymentState.ABANDONED
    assert house.inbox() == listed


def test_a_second_try_for_a_page_can_be_paid_as_long_as_the_first(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    """The same end of the page's life, minutes later, is refused: pages may not be shorter than half an hour."""
    house.account()
    provider.script.append(KEEP_500)
    payment = house.hold()
    house.later(10 * 60)
    house.work_until_quiet(hours=0.1)

    first, second = house.operations(payment.payment_id)
    assert (first.kind, second.kind) == (OperationKind.HOSTED_PAGE, OperationKind.HOSTED_PAGE)
    assert second.asked["expires_at"] * 1000 - second.created_at > LEAST_PAGE_LIFE_MS
    assert first.asked["title"] == second.asked["title"]
    assert house.payment(payment.payment_id).hosted_page_url == "http://page"


def test_a_session_cannot_stand_on_a_hold_that_is_being_let_go(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    payment = a_hold(house, provider)
    house.write(void_hold, VoidHold(payment, "start_rejected"))
    assert not house.session_begins(payment)


def test_one_hold_carries_one_session(house: HouseOfPayments, provider: ScriptedProvider) -> None:
    payment = a_hold(house, provider)
    assert house.session_begins(payment, "s1")
    assert house.session_begins(payment, "s1")
    assert not house.session_begins(payment, "s2")


def test_a_void_whose_answer_is_lost_is_found_out(house: HouseOfPayments, provider: ScriptedProvider) -> None:
    payment = a_hold(house, provider)
    house.write(void_hold, VoidHold(payment, "start_rejected"))
    provider.script.append(LOSE_ANSWER)
    house.work_until_quiet()
    assert house.payment(payment).state is PaymentState.VOIDED
    assert provider.times_sent(OperationKind.VOID) == 1


def test_a_page_paid_at_the_last_moment_is_voided_after_all(house: HouseOfPayments, provider: ScriptedProvider) -> None:
    """We had let go of it; the money is held nevertheless: it must not stay so."""
    house.account()
    payment = house.hold()
    house.work()
    house.write(void_hold, VoidHold(payment.payment_id, "cancelled"))
    provider.driver_pays(payment.payment_id, 4000)

    house.tell(payment.payment_id, provider.views[payment.payment_id])
    house.work_until_quiet()

    assert house.payment(payment.payment_id).state is PaymentState.VOIDED
    assert not starts_asked_for(house)


def test_case_18_a_second_try_at_the_next_evse_uses_the_same_hold(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    payment = a_hold(house, provider)
    house.write(move_hold, MoveHold(payment, EvseId("evse-2")))
    moved = house.payment(payment)
    assert (moved.evse_id, moved.authorised_minor) == ("evse-2", 4000)
    assert provider.times_sent(OperationKind.HOSTED_PAGE) == 1
    assert house.session_begins(payment)
    with pytest.raises(Conflict):
        house.write(move_hold, MoveHold(payment, EvseId("evse-3")))


def test_less_than_the_provider_takes_is_no_hold(house: HouseOfPayments) -> None:
    house.account()
    with pytest.raises(BadInput):
        house.hold("0.20")


def test_a_currency_that_no_account_collects_is_refused_before_anything_is_asked(house: HouseOfPayments) -> None:
    house.account()
    with pytest.raises(Conflict):
        house.hold("50.00", "USD")


def test_case_6_a_smaller_hold_than_was_asked_for_is_what_can_be_captured(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    """An issuer may approve thirty of fifty."""
    house.account()
    payment = house.hold("50.00")
    house.work()
    house.tell(payment.payment_id, provider.driver_pays(payment.payment_id, 3000))
    house.session_begins(payment.payment_id)

    house.held_session_priced(payment.payment_id, "41.00")
    house.work()

    after = house.payment(payment.payment_id)
    assert (after.captured_minor, after.due_minor, after.reason) == (3000, 4100, "beyond_hold")
