"""Whose price is offered: a driver's own before what stands on the post, and a speed's before all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import NotFound
from tallywatt.rating.records import Scope
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.offer_and_pay import OfferAndPay, offer_and_pay
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff, assign_tariff, put_tariff
from tests.workflows.house_of import PER_KWH

if TYPE_CHECKING:
    from tests.workflows.house_of import HouseOf


def assign(house: HouseOf, reference: str, audience: str, scope: Scope = Scope.OPERATOR, target: str = "") -> None:
    """Put a tariff under a name and let it hold for somebody, from long ago."""
    put = house.do(put_tariff, PutTariff({**PER_KWH, "id": reference}))
    version = put.version.tariff_version_id
    house.do(assign_tariff, AssignTariff(version, scope, target, valid_from=Instant(0), audience=audience))


def offered(house: HouseOf) -> list[tuple[str, str]]:
    """The tariff of each offer, and why it was that one."""
    rows = house.rows
    return [
        (rows.tariff_versions.get(one.tariff_version_id).reference, one.choice_reason)
        for one in sorted(rows.offers.by(), key=lambda one: one.offer_id)
    ]


def test_a_personal_price_is_offered_to_its_customer_alone(quick_house: HouseOf) -> None:
    """Also where a post has a price of its own; the next driver at that post pays what stands there."""
    quick_house.do(add_customer, AddCustomer("C2", name="Driver Two"))
    quick_house.do(add_token, AddToken("CARD2", "C2"))
    assign(quick_house, "post", "everyone", Scope.STATION, "CP1")
    assign(quick_house, "staff", "customer:C1")
    wire = quick_house.wire()
    wire.start(token="CARD1")
    wire.start(token="CARD2", evse=2)
    assert offered(quick_house) == [
        ("staff", "customer; operator; before everyone at operator, everyone at station"),
        ("post", "station; before operator"),
    ]


def test_ad_hoc_drivers_have_their_price_and_are_shown_it(quick_house: HouseOf) -> None:
    """Who pays by card at the post is no customer; an account pays the price of accounts."""
    assign(quick_house, "card", "payment:ad_hoc")
    assign(quick_house, "account", "payment:account")
    evse = quick_house.rows.evses.by()[0]
    quick_house.do(offer_and_pay, OfferAndPay(evse.code, "https://x.example/{secret}", "https://x.example/"))
    quick_house.wire().start(token="CARD1")
    assert [name for name, _ in offered(quick_house)] == ["card", "account"]


def test_a_card_that_nobody_knows_gets_the_price_for_everyone(quick_house: HouseOf) -> None:
    """Energy that flows has a price, whoever will turn out to owe it."""
    assign(quick_house, "staff", "customer:C1")
    quick_house.wire().start(token="STRANGER")
    assert [why for _, why in offered(quick_house)] == ["operator"]


def test_a_speed_has_its_price(quick_house: HouseOf) -> None:
    """By what the charging point can give."""
    assign(quick_house, "medium", "speed:ac_medium")
    assign(quick_house, "fast", "speed:dc_fast,dc_ultra_fast")
    quick_house.wire().start()
    assert offered(quick_house) == [("medium", "operator at this speed; before operator at any speed")]


def test_an_audience_that_is_nobody_is_refused(quick_house: HouseOf) -> None:
    """An order that changes nothing is a typing error."""
    with pytest.raises(NotFound, match="C99"):
        assign(quick_house, "staff", "customer:C1,C99")
    with pytest.raises(NotFound, match="group:taxis"):
        assign(quick_house, "taxis", "group:taxis")
    assert len(quick_house.rows.tariff_assignments.by()) == 1
