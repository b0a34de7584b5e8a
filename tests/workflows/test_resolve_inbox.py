"""What a person decides about a held session: it ends as money or as an explanation, and always adds up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.kernel.errors import Conflict, NotFound
from tallywatt.kernel.money import money
from tallywatt.metering.session import InboxState, PayerKind, SessionState
from tallywatt.payments.payment import PaymentState
from tallywatt.workflows.lose_stop import LoseStop, lose_stop
from tallywatt.workflows.pay_ad_hoc import PayAdHoc, pay_ad_hoc
from tallywatt.workflows.resolve_inbox import Decision, ResolveItem, resolve_item
from tallywatt.workflows.start_paid_session import StartPaidSession, start_paid_session
from tests.workflows.house_of import PER_KWH, HouseOf, kwh

if TYPE_CHECKING:
    from tallywatt.metering.session import InboxItem


def decide(house: HouseOf, item: InboxItem, decision: Decision, customer: str | None = None) -> InboxItem:
    """A person decides."""
    return house.do(resolve_item, ResolveItem(item.item_id, decision, "seen", customer), actor="person:1")


def test_a_stranger_s_session_is_billed_to_the_customer_whom_a_person_names(house: HouseOf) -> None:
    """Its explanation is taken back by rows; the invoice goes to the customer."""
    transaction = house.wire().charge(kwh(10), token="NOBODY")
    [item] = house.inbox("unknown_payer")
    with pytest.raises(Conflict) as refused:
        decide(house, item, Decision.RELEASE)
    assert refused.value.code == "sessions.no_payer"
    with pytest.raises(NotFound):
        decide(house, item, Decision.RELEASE, "C99")
    resolved = decide(house, item, Decision.RELEASE, "C1")
    assert (resolved.state, resolved.resolved_by, resolved.resolution) == (
        InboxState.RESOLVED,
        "person:1",
        "release: seen",
    )
    assert house.session(transaction).state is SessionState.BILLED
    [invoice] = house.rows.invoices.by()
    assert invoice.gross_minor == 300
    house.adds_up()


def test_a_lost_stop_is_billed_up_to_the_register_that_was_heard_of_last(house: HouseOf) -> None:
    """Also what the next start told about it: the energy that was explained is the energy that is billed."""
    wire = house.wire()
    transaction = wire.start(meter=0)
    house.later(30)
    wire.sample(transaction, (house.now, kwh(5)))
    house.later(30)
    wire.start(meter=kwh(7))
    held = house.session(transaction)
    assert (held.state, held.milliwatt_hours) == (SessionState.HELD, kwh(7))
    [item] = house.inbox("lost_stop")
    decide(house, item, Decision.RELEASE)
    billed = house.session(transaction)
    assert (billed.state, billed.milliwatt_hours) == (SessionState.BILLED, kwh(7))
    house.adds_up()


def test_a_session_without_any_stop_or_reading_can_be_released(quick_house: HouseOf) -> None:
    """Nothing was delivered as far as anybody knows: an invoice of nothing, and no crash."""
    transaction = quick_house.wire().start(meter=0)
    session = quick_house.session(transaction)
    quick_house.do(lose_stop, LoseStop(session.session_id))
    [item] = quick_house.inbox("lost_stop")
    decide(quick_house, item, Decision.RELEASE)
    assert quick_house.session(transaction).state is SessionState.BILLED
    quick_house.adds_up()


def test_a_session_without_a_tariff_waits_for_one_and_is_priced_by_it(house_without_price: HouseOf) -> None:
    """The tariff must hold at the time of the start: no price is made up afterwards."""
    house = house_without_price
    transaction = house.wire().charge(kwh(10))
    [item] = house.inbox("no_tariff")
    with pytest.raises(Conflict) as refused:
        decide(house, item, Decision.RELEASE)
    assert refused.value.code == "offers.no_tariff"
    house.price(PER_KWH)
    decide(house, item, Decision.RELEASE)
    assert house.session(transaction).state is SessionState.BILLED
    house.adds_up()


@pytest.fixture
def house_without_price(sqlite_house_url: str) -> HouseOf:
    """A house that sells nothing yet."""
    built = HouseOf(sqlite_house_url)
    built.furnish(None)
    return built


def test_a_written_off_session_keeps_its_energy_explained_and_lets_the_hold_go(house: HouseOf) -> None:
    """Paid by card, more than plausible, and a person decides against a bill."""
    evse = house.rows.evses.by(number=1)[0]
    asked = PayAdHoc(evse.evse_id, money("45", "GBP"), "Depot", "http://x/{secret}", "http://x")
    payment = house.do(pay_ad_hoc, asked)
    house.collect()
    house.do(start_paid_session, StartPaidSession(payment.payment_id))
    [tag] = house.rows.tokens.by(type="AD_HOC_USER")
    transaction = house.wire().charge(kwh(400), token=tag.uid)
    [item] = house.inbox("implausible")
    decide(house, item, Decision.WRITE_OFF)
    assert house.session(transaction).state is SessionState.EXPLAINED
    house.collect()
    assert house.rows.payments.get(payment.payment_id).state is PaymentState.VOIDED
    assert house.adds_up()["explained_wh"] == {"written_off": "400000"}


def test_a_payer_who_is_known_is_not_exchanged(house: HouseOf) -> None:
    """A card was charged for it: an invoice in another's name would be owed beside money that was taken."""
    evse = house.rows.evses.by(number=1)[0]
    asked = PayAdHoc(evse.evse_id, money("450", "GBP"), "Depot", "http://x/{secret}", "http://x")
    payment = house.do(pay_ad_hoc, asked)
    house.collect()
    house.do(start_paid_session, StartPaidSession(payment.payment_id))
    [tag] = house.rows.tokens.by(type="AD_HOC_USER")
    house.wire().charge(kwh(400), token=tag.uid)
    [item] = house.inbox("implausible")
    with pytest.raises(Conflict) as refused:
        decide(house, item, Decision.RELEASE, "C1")
    assert refused.value.code == "sessions.payer_known"
    decide(house, item, Decision.RELEASE)
    house.collect()
    [invoice] = house.rows.invoices.by()
    assert invoice.payer is PayerKind.AD_HOC
    assert house.rows.payments.get(payment.payment_id).captured_minor == invoice.gross_minor
    house.adds_up()


def test_whoever_owes_already_may_be_named(house: HouseOf) -> None:
    """The same decision in other words."""
    transaction = house.wire().charge(kwh(400))
    [item] = house.inbox("implausible")
    decide(house, item, Decision.RELEASE, "C1")
    assert house.session(transaction).state is SessionState.BILLED


def test_a_decision_is_taken_once(quick_house: HouseOf) -> None:
    """Two people click at the same time: the second reads what the first decided."""
    quick_house.wire().charge(kwh(10), token="NOBODY")
    [item] = quick_house.inbox()
    first = decide(quick_house, item, Decision.WRITE_OFF)
    again = decide(quick_house, item, Decision.RELEASE, "C1")
    assert again.resolution == first.resolution
    assert quick_house.rows.invoices.by() == []


def test_an_item_without_a_session_is_dismissed_and_one_with_a_held_one_is_not(quick_house: HouseOf) -> None:
    """Energy that is held wants a decision."""
    wire = quick_house.wire()
    wire.stop(999_999, kwh(1))
    wire.charge(kwh(10), token="NOBODY")
    [stray] = quick_house.inbox("unknown_transaction")
    [held] = quick_house.inbox("unknown_payer")
    assert decide(quick_house, stray, Decision.DISMISS).state is InboxState.RESOLVED
    for item, decision in ((held, Decision.DISMISS), (held, Decision.RETRY)):
        with pytest.raises(Conflict):
            decide(quick_house, item, decision)
