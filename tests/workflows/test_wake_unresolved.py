"""The janitor's round: a job that gave up does not leave money in the dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.workflows.wake_unresolved import WakeUnresolved, wake_unresolved
from tests.payments.house import HouseOfPayments
from tests.payments.scripted import LOSE_ANSWER, ScriptedProvider

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


def test_an_outage_of_days_ends_in_the_truth(house: HouseOfPayments, provider: ScriptedProvider) -> None:
    """The provider took the money and stayed away until every retry was used up."""
    account = house.account()
    provider.script.extend(["ok", LOSE_ANSWER])
    payment = house.session_priced(house.customer(account.account_id), "12.40")
    house.work()
    provider.unreachable = True
    house.work_until_quiet(hours=200)
    assert [one.state for one in house.jobs() if one.kind == "ask_provider"] == ["failed"]
    provider.unreachable = False

    assert house.write(wake_unresolved, WakeUnresolved()) == 1
    house.work_until_quiet()

    assert house.payment(payment.payment_id).captured_minor == 1240
    assert provider.captured == {payment.payment_id: 1240}


def test_news_after_everything_was_tried_leaves_no_failed_job_behind(
    house: HouseOfPayments, provider: ScriptedProvider
) -> None:
    """The notification came in the minute after the last attempt: nothing stands in the way of closing the day."""
    account = house.account()
    provider.script.extend(["ok", LOSE_ANSWER])
    payment = house.session_priced(house.customer(account.account_id), "12.40").payment_id
    house.work()
    provider.unreachable = True
    house.work_until_quiet(hours=200)
    assert [one.state for one in house.jobs() if one.kind == "ask_provider"] == ["failed"]

    house.tell(payment, provider.views[payment])
    house.work()

    assert house.payment(payment).captured_minor == 1240
    assert [one.state for one in house.jobs() if one.kind == "ask_provider"] == ["done"]


def test_what_has_just_begun_is_left_alone(house: HouseOfPayments) -> None:
    account = house.account()
    house.session_priced(house.customer(account.account_id), "12.40")
    assert house.write(wake_unresolved, WakeUnresolved()) == 0


def test_a_round_where_nothing_is_wrong_changes_nothing(house: HouseOfPayments) -> None:
    account = house.account()
    house.session_priced(house.customer(account.account_id), "12.40")
    house.work()
    before = house.jobs()
    house.later(3600)
    assert house.write(wake_unresolved, WakeUnresolved()) == 0
    assert house.jobs() == before


def test_what_nothing_helps_keeps_nobody_else_waiting(house: HouseOfPayments, provider: ScriptedProvider) -> None:
    """A hundred operations of an account that was closed stand first in every round."""
    account = house.account()
    for number in range(3):
        provider.script.extend(["ok", LOSE_ANSWER])
        house.session_priced(house.customer(account.account_id, name=f"c{number}"), "12.40", name=f"s{number}")
        house.work()
    provider.unreachable = True
    house.work_until_quiet(hours=200)
    asking = {one.subject_id for one in house.jobs() if one.kind == "ask_provider" and one.state == "failed"}
    assert len(asking) == 3

    for _ in range(40):
        assert house.write(wake_unresolved, WakeUnresolved(most=1)) == 1

    assert {one.subject_id for one in house.jobs() if one.kind == "ask_provider" and one.state == "ready"} == asking
