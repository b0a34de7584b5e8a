"""Coupons: entered, claimed with an offer, used by a bill, free again where no session happens; never used too often."""

from __future__ import annotations

import threading
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.metering.session import Source
from tallywatt.rating.coupon import UseState
from tallywatt.rating.results import price_again
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.bring_session import BringSession, bring_session
from tallywatt.workflows.erase_customer import EraseCustomer, erase_customer
from tallywatt.workflows.follow import follow
from tallywatt.workflows.offer_and_pay import OfferAndPay, offer_and_pay
from tallywatt.workflows.plug_in import plug_in
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff, assign_tariff, put_tariff
from tallywatt.workflows.resolve_inbox import Decision, ResolveItem, resolve_item
from tallywatt.workflows.use_coupon import (
    AddCoupon,
    EndCoupon,
    KeepCouponOf,
    add_coupon,
    end_coupon,
    keep_coupon_of,
    release_uses,
    settle_uses,
)
from tallywatt.workflows.void_hold import VoidHold, void_hold
from tests.workflows.house_of import KWH, PER_KWH, HouseOf

if TYPE_CHECKING:
    from tallywatt.kernel.identity import OfferId
    from tallywatt.payments.payment import Payment
    from tallywatt.rating.coupon import Coupon

DAY = 86_400_000


def coupon(house: HouseOf, code: str = "WELCOME", **more: Any) -> Coupon:
    """A coupon of a tenth off, or of other terms."""
    terms = more.pop("terms", {"percent": "10"})
    made: Coupon = house.do(add_coupon, AddCoupon(code, terms, **more))
    return made


def keep(house: HouseOf, code: str = "WELCOME", customer: str = "C1") -> None:
    """The customer enters the code."""
    house.do(keep_coupon_of, KeepCouponOf(code, customer))


def states(house: HouseOf) -> list[UseState]:
    """How all uses stand, in the order in which they were made."""
    return [one.state for one in sorted(house.rows.coupon_uses.by(), key=lambda one: (one.created_at, one.use_id))]


def counted(house: HouseOf, code: str = "WELCOME") -> int:
    """What is claimed and used of a coupon, as its row counts."""
    found = house.rows.coupons.one_by(code=code)
    assert found is not None
    held = [one for one in house.rows.coupon_uses.by() if one.coupon_id == found.coupon_id]
    assert found.uses == sum(one.state in {UseState.CLAIMED, UseState.USED} for one in held)
    return found.uses


def pay(house: HouseOf, code: str | None = "WELCOME") -> Payment:
    """An ad hoc driver says yes to the price, and types a code."""
    evse = house.rows.evses.by()[0]
    urls = "https://x.example/{secret}", "https://x.example/"
    paid: Payment = house.do(offer_and_pay, OfferAndPay(evse.code, *urls, coupon=code))
    return paid


def offer_of(house: HouseOf, transaction: str) -> OfferId:
    """The offer behind a session."""
    found = house.session(transaction).offer_id
    assert found is not None
    return found


def test_a_customers_coupon_is_taken_off_the_next_session_alone(house: HouseOf) -> None:
    """Ten kilowatt-hours at 30 p are three pounds: 2.70 with the coupon, then three again; stored, it is the same price."""
    coupon(house)
    keep(house, " wel come ")
    wire = house.wire()
    for _ in range(2):
        wire.charge(10 * KWH)
    rows = house.rows
    assert [one.gross_minor for one in sorted(rows.invoices.by(), key=lambda one: one.sequence)] == [270, 300]
    assert (states(house), counted(house)) == ([UseState.USED], 1)
    first = min(rows.rated_results.by(), key=lambda one: one.gross_minor)
    tariff, policy = (
        rows.tariff_versions.get(first.tariff_version_id),
        rows.policy_versions.get(first.policy_version_id),
    )
    assert price_again(first, tariff, policy)[1].gross_minor == 270
    with pytest.raises(Conflict, match="used this coupon already"):
        keep(house)
    house.adds_up()


def test_what_is_shown_with_the_offer_is_what_is_billed(quick_house: HouseOf) -> None:
    """The discount stands in the frozen offer, under its code."""
    coupon(quick_house)
    keep(quick_house)
    transaction = quick_house.wire().charge(10 * KWH)
    shown = quick_house.rows.offers.get(offer_of(quick_house, transaction)).shown
    assert [one["id"] for one in shown["discounts"]] == ["WELCOME"]
    [line] = [one for one in quick_house.rows.rated_lines.by() if one.reason_code == "coupon"]
    assert line.reason["discount"]["id"] == "WELCOME"


def test_entered_twice_it_is_kept_once(quick_house: HouseOf) -> None:
    """A form that is sent again changes nothing."""
    coupon(quick_house, uses_per_customer=3)
    keep(quick_house)
    keep(quick_house)
    assert states(quick_house) == [UseState.KEPT]
    assert counted(quick_house) == 0


def test_of_two_sessions_that_claim_the_last_use_at_once_one_gets_it(house_url: str) -> None:
    """Two posts, two connections, one use left: the counter says one, and the other driver pays the full price."""
    with HouseOf(house_url) as first:
        first.furnish()
        coupon(first, most_uses=1)
        first.do(add_customer, AddCustomer("C2"))
        first.do(add_token, AddToken("CARD2", "C2"))
        keep(first, customer="C1")
        keep(first, customer="C2")
        second = HouseOf(house_url)
        second._draws = count(10_000)  # another process draws other numbers
        starts = [(house, house.wire().started(house.now, 0, card, place)) for house, card, place in
                  ((first, "CARD1", 1), (second, "CARD2", 2))]  # fmt: skip
        barrier = threading.Barrier(2)
        broken: list[Exception] = []

        def start(house: HouseOf, fact: Any) -> None:
            barrier.wait()
            try:
                house.do_all(fact)
            except Exception as error:  # noqa: BLE001 - told by the thread that waits
                broken.append(error)

        threads = [threading.Thread(target=start, args=one) for one in starts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        second.close()
        assert broken == []
        assert counted(first) == 1
        assert sorted(states(first)) == [UseState.CLAIMED, UseState.KEPT]
        offers = [len(one.shown.get("discounts", ())) for one in first.rows.offers.by()]
        assert sorted(offers) == [0, 1]


def test_a_hold_for_a_session_that_never_starts_frees_its_use_once(house: HouseOf) -> None:
    """The driver typed the code of the last use and walked away; the hold is let go twice, the use once."""
    coupon(house, most_uses=1)
    payment = pay(house)
    assert (states(house), counted(house)) == ([UseState.CLAIMED], 1)
    with pytest.raises(Conflict, match="used up"):
        pay(house)
    for _ in range(2):
        house.do(void_hold, VoidHold(payment.payment_id, "never_plugged_in"))
        assert (states(house), counted(house)) == ([UseState.RELEASED], 0)
    pay(house)
    assert counted(house) == 1


def test_settled_and_released_twice_nothing_happens_twice(house: HouseOf) -> None:
    """Whatever comes again finds the use at its end."""
    coupon(house)
    keep(house)
    offer = offer_of(house, house.wire().charge(10 * KWH))
    for again in (settle_used, settle_unused, release):
        house.do(again, offer)
        assert (states(house), counted(house)) == ([UseState.USED], 1)
    events = [row[0] for row in house.reader.execute("SELECT type FROM events WHERE type LIKE 'Coupon%' ORDER BY 1")]
    assert events == ["CouponClaimed", "CouponUsed"]


def settle_used(work: Any, offer: OfferId) -> None:
    """Its session is billed, and it took something off."""
    settle_uses(work, offer, work.sessions.by()[0].session_id, took_something=True)


def settle_unused(work: Any, offer: OfferId) -> None:
    """Its session is billed, and it took nothing off."""
    settle_uses(work, offer, work.sessions.by()[0].session_id, took_something=False)


def release(work: Any, offer: OfferId) -> None:
    """Its session does not happen."""
    release_uses(work, offer)


def test_a_session_without_a_price_to_cut_gives_the_coupon_back(quick_house: HouseOf) -> None:
    """Nothing flowed, so nothing was taken off: the customer has it for the next session."""
    house = quick_house
    coupon(house, most_uses=1)
    keep(house)
    wire = house.wire()
    wire.charge(0, minutes=2)
    assert (states(house), counted(house)) == ([UseState.RELEASED, UseState.KEPT], 0)
    wire.charge(10 * KWH)
    assert sorted(states(house)) == [UseState.RELEASED, UseState.USED]
    assert counted(house) == 1


def test_a_session_that_is_written_off_gives_the_coupon_back(quick_house: HouseOf) -> None:
    """More energy than the post can give in the time: a person decides not to bill it."""
    house = quick_house
    coupon(house)
    keep(house)
    wire = house.wire()
    transaction = wire.start()
    house.later(1)
    wire.stop(transaction, 50 * KWH)
    [item] = house.inbox()
    assert counted(house) == 1
    house.do(resolve_item, ResolveItem(item.item_id, Decision.WRITE_OFF))
    assert (counted(house), sorted(states(house))) == (0, [UseState.KEPT, UseState.RELEASED])


def test_when_the_place_is_learned_later_the_claim_goes_along(quick_house: HouseOf) -> None:
    """OCPP 2.x may begin without an EVSE: the new price has the coupon, and it counts once."""
    house = quick_house
    version = house.do(put_tariff, PutTariff({**PER_KWH, "id": "other"})).version.tariff_version_id
    house.do(assign_tariff, AssignTariff(version, audience="payment:account"))
    coupon(house, most_uses=1)
    keep(house)
    wire = house.wire(protocol="ocpp2.0.1")
    began = house.now
    house.do(plug_in, replace(wire.event_started(began, "T1"), evse_number=None))
    assert counted(house) == 1
    house.do(follow, wire.event_updated(house.later(1), "T1", 1, KWH // 10))
    assert house.session("T1").evse_id is not None
    assert counted(house) == 1
    shown = house.rows.offers.get(offer_of(house, "T1")).shown
    assert [one["id"] for one in shown["discounts"]] == ["WELCOME"]


def test_a_coupon_holds_from_its_beginning_until_its_end_and_in_its_currency(quick_house: HouseOf) -> None:
    """What a customer keeps is passed over then; what somebody types is refused, so that nobody pays more than they thought."""
    house = quick_house
    tomorrow = Instant(house.now + DAY)
    coupon(house, "EARLY", valid_from=tomorrow)
    coupon(house, "EUROS", terms={"after_taxes": "1.00"}, currency="EUR")
    for code in ("EARLY", "EUROS"):
        with pytest.raises(Conflict):
            pay(house, code)
    with pytest.raises(NotFound):
        pay(house, "NOBODY")
    with pytest.raises(Conflict):
        keep(house, "EARLY")
    keep(house, "EUROS")
    late = coupon(house, "LATE")
    keep(house, "LATE")
    ended = house.do(end_coupon, EndCoupon(late.coupon_id))
    assert house.do(end_coupon, EndCoupon(late.coupon_id, tomorrow)) == ended
    house.wire().charge(10 * KWH)
    assert [one.gross_minor for one in house.rows.invoices.by()] == [300]
    assert states(house) == [UseState.KEPT, UseState.KEPT]


def test_the_first_that_was_entered_and_holds_is_claimed(quick_house: HouseOf) -> None:
    """One session has one coupon; the other one waits for the session after it."""
    house = quick_house
    coupon(house, "FIRST", terms={"after_taxes": "1.00"})
    coupon(house, "SECOND", terms={"percent": "50"})
    keep(house, "FIRST")
    house.later(1)
    keep(house, "SECOND")
    for _ in range(2):
        house.wire().charge(10 * KWH)
    rows = sorted(house.rows.invoices.by(), key=lambda one: one.sequence)
    assert [one.gross_minor for one in rows] == [200, 150]


def test_a_code_that_was_entered_today_is_not_for_a_session_of_last_week(quick_house: HouseOf) -> None:
    """Somebody uploads the sessions of another system."""
    house = quick_house
    coupon(house, valid_from=Instant(house.now - 8 * DAY))
    keep(house)
    begun = Instant(house.now - 7 * DAY)
    told = BringSession(
        source=Source.API,
        upstream_id="old", started_at=begun, ended_at=Instant(begun + 3_600_000), milliwatt_hours=5 * KWH,
        evse_code=house.rows.evses.by()[0].code, token_uid="CARD1",
    )  # fmt: skip
    house.do(bring_session, told)
    assert [one.gross_minor for one in house.rows.invoices.by()] == [150]
    assert states(house) == [UseState.KEPT]


def test_who_is_forgotten_keeps_no_coupon(quick_house: HouseOf) -> None:
    """It is free for others at once."""
    coupon(quick_house)
    keep(quick_house)
    quick_house.do(erase_customer, EraseCustomer("C1"))
    assert states(quick_house) == [UseState.RELEASED]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("AB", {}),
        ("4111 1111 1111 1111", {}),
        ("GOOD", {"terms": {"percent": "10", "start_date": "2026-01-01"}}),
        ("GOOD", {"terms": {"percent": "101"}}),
        ("GOOD", {"terms": {}}),
        ("GOOD", {"terms": {"percent": "10", "colour": "red"}}),
        ("GOOD", {"most_uses": 0}),
        ("GOOD", {"uses_per_customer": 0}),
        ("GOOD", {"valid_until": Instant(5)}),
    ],
)
def test_what_cannot_be_meant_is_refused(quick_house: HouseOf, code: str, told: dict[str, Any]) -> None:
    """With a code of a problem, and no row is there afterwards."""
    with pytest.raises(BadInput):
        coupon(quick_house, code, **told)
    assert quick_house.rows.coupons.by() == []


def test_a_code_is_given_once_in_whatever_case(quick_house: HouseOf) -> None:
    """People do not type alike."""
    made = coupon(quick_house, "Welcome")
    with pytest.raises(Conflict):
        coupon(quick_house, "WELCOME")
    with pytest.raises(NotFound):
        keep(quick_house, customer="C99")
    with pytest.raises(BadInput):
        quick_house.do(end_coupon, EndCoupon(made.coupon_id, Instant(quick_house.now - 1)))
