"""What a customer had before a session is gathered when it is billed, frozen beside it, and the next one sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallywatt.adapters.storage.views.running import Running
from tallywatt.rating.canonical import read_text_before
from tallywatt.rating.results import price_again
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff, assign_tariff, put_tariff
from tests.workflows.house_of import KWH, PER_KWH

if TYPE_CHECKING:
    from tests.workflows.house_of import HouseOf

CAPPED: dict[str, Any] = {**PER_KWH, "id": "capped", "caps": [{"per": "day", "after_taxes": "5.00"}]}
TIERED: dict[str, Any] = {
    **PER_KWH,
    "id": "tiered",
    "elements": [
        {"price_components": [{"type": "ENERGY", "price": "0.30", "vat": 20}], "restrictions": {"max_month_kwh": 10}},
        {"price_components": [{"type": "ENERGY", "price": "0.20", "vat": 20}]},
    ],
}


def sell(house: HouseOf, tariff: dict[str, Any]) -> None:
    """Let a tariff hold everywhere for customers from now on."""
    version = house.do(put_tariff, PutTariff(tariff)).version.tariff_version_id
    house.do(assign_tariff, AssignTariff(version, audience="payment:account"))


def amounts(house: HouseOf) -> list[int]:
    """What each session costs, in the order in which they were billed."""
    rows = sorted(house.rows.invoices.by(), key=lambda one: one.sequence)
    return [one.gross_minor for one in rows]


def test_a_day_never_costs_a_customer_more_than_its_cap(house: HouseOf) -> None:
    """Three sessions at 30 p a kWh and a cap of five pounds; what is stored gives each price again."""
    sell(house, CAPPED)
    wire = house.wire()
    for energy in (10, 10, 4):
        wire.charge(energy * KWH)
    assert amounts(house) == [300, 200, 0]
    for result in house.rows.rated_results.by():
        tariff = house.rows.tariff_versions.get(result.tariff_version_id)
        policy = house.rows.policy_versions.get(result.policy_version_id)
        assert price_again(result, tariff, policy)[1].gross_minor == result.gross_minor
    house.adds_up()
    house.later(24 * 60)
    wire.charge(10 * KWH)
    assert amounts(house)[-1] == 300


def test_tiers_count_the_month_and_a_running_session_shows_them(quick_house: HouseOf) -> None:
    """Ten kilowatt-hours at the first price, the rest of the month at the second; also while it runs."""
    house = quick_house
    sell(house, TIERED)
    wire = house.wire()
    wire.charge(8 * KWH)
    wire.charge(8 * KWH)
    assert amounts(house) == [240, 180]
    last = max(house.rows.rated_results.by(), key=lambda one: one.rated_id)
    assert read_text_before(last.canonical_input).month_milliwatt_hours == 8 * KWH
    transaction = wire.start(meter=16 * KWH)
    house.later(30)
    session = house.session(transaction)
    assert Running().cost_so_far(house.reader, house.operator, session.session_id) is not None
    assert session.offer_id is not None
    offer = house.rows.offers.get(session.offer_id)
    assert [line["element"] for line in offer.shown["lines"] if line["applies_now"]] == [1]


def test_a_stranger_at_the_post_has_nothing_before(quick_house: HouseOf) -> None:
    """Who is no customer is a new one each time, so a cap of a day is one of the session."""
    version = quick_house.do(put_tariff, PutTariff(CAPPED)).version.tariff_version_id
    quick_house.do(assign_tariff, AssignTariff(version))
    transaction = quick_house.wire().start(token="STRANGER")
    session = quick_house.session(transaction)
    assert Running().cost_so_far(quick_house.reader, quick_house.operator, session.session_id) is not None
