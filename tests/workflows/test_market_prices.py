"""Prices of a market, from their file to the bill: brought twice, late and corrected, and frozen at each offer."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tallywatt.adapters.storage.views.prices import as_offered, markets, tariffs
from tallywatt.kernel.clock import Instant
from tallywatt.market.price import Told
from tallywatt.metering.session import Reason, SessionState
from tallywatt.rating.freeze import Wanted
from tallywatt.rating.read import read_tariff, read_tariff_text
from tallywatt.rating.results import price_again
from tallywatt.rating.tariff import to_data
from tallywatt.workflows.put_market_prices import MarketPricesPut, PutMarketPrices, put_market_prices
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff, assign_tariff, put_tariff
from tallywatt.workflows.resolve_inbox import Decision, ResolveItem, resolve_item
from tests.workflows.house_of import MINUTE, NINE, kwh

if TYPE_CHECKING:
    from tests.workflows.house_of import HouseOf

HOUR = 60 * MINUTE


def told(*prices: str | None, since: int = NINE) -> PutMarketPrices:
    """Prices of an hour each; None: nobody told one."""
    return PutMarketPrices(
        tuple(
            Told("GB", 60, "GBP", Instant(since + place * HOUR), Decimal(price))
            for place, price in enumerate(prices)
            if price is not None
        )
    )


def follow_the_market(house: HouseOf, **index: Any) -> str:
    """From now on a tariff holds that follows the market; the id of its version."""
    component = {"type": "ENERGY", "price": "0.50", "vat": "20", "index": {"market": "GB", "markup": "0.10", **index}}
    data = {"id": "spot", "currency": "GBP", "tax_included": "YES", "elements": [{"price_components": [component]}]}
    put = house.do(put_tariff, PutTariff(data))
    house.do(assign_tariff, AssignTariff("spot", valid_from=house.now))
    return put.version.tariff_version_id


def rows(house: HouseOf, name: str) -> list[Any]:
    """All rows of a set."""
    found: list[Any] = house.do(lambda work, _: list(getattr(work, name).by()), None)
    return found


def test_prices_that_come_twice_late_or_corrected_are_kept_once(house: HouseOf) -> None:
    """The exchange publishes again, the file is sent again, a slot is late: the newest word of each slot stands."""
    assert house.do(put_market_prices, told("80", None, "100")) == MarketPricesPut(2, 0, 0, 1)
    assert house.do(put_market_prices, told("80", None, "100")) == MarketPricesPut(0, 2, 0, 1)
    house.later(5)
    assert house.do(put_market_prices, told("80", "90.5", "-12")) == MarketPricesPut(1, 1, 1, 0)
    kept = sorted(rows(house, "market_prices"), key=lambda one: one.starts_at)
    assert [(str(one.per_mwh), one.changed_at) for one in kept] == [("80", None), ("90.5", None), ("-12", house.now)]
    [first, last] = [one for one in rows(house, "actions") if one.action == "market_prices.put"]
    assert first.after["new"] == 2
    assert last.after["corrections"] == [{"at": "2026-03-02T11:00:00.000Z", "from": "100", "to": "-12"}]


def test_a_session_is_priced_by_the_prices_of_its_offer_whatever_is_told_later(house: HouseOf) -> None:
    """10 kWh in the hour at 80 and 10 in the one at 100 per MWh: 1.80 and 2.00, today and in five years."""
    rule = follow_the_market(house)
    house.do(put_market_prices, told("80", "100"))
    wire = house.wire()
    transaction = wire.start()
    house.do(put_market_prices, told("800", "1000", "900"))
    wire.sample(transaction, (house.later(60), kwh(10)))
    house.later(60)
    wire.stop(transaction, kwh(20))
    [result] = rows(house, "rated_results")
    assert (house.session(transaction).state, result.gross_minor) == (SessionState.BILLED, 380)
    versions = {one.tariff_version_id: one for one in rows(house, "tariff_versions")}
    assert versions[result.tariff_version_id].frozen_of == rule
    [policy] = [one for one in rows(house, "policy_versions") if one.policy_version_id == result.policy_version_id]
    assert price_again(result, versions[result.tariff_version_id], policy)[1].gross_minor == 380
    # What was frozen is no tariff of the operator's list, and the next offer has the prices of its own time.
    assert [one["id"] for one in tariffs(house.reader, house.operator) if one["reference"] == "spot"] == [rule]
    wire.start(evse=2)
    newest = max(rows(house, "offers"), key=lambda one: one.offered_at)
    assert newest.tariff_version_id not in {rule, result.tariff_version_id}


def test_offers_of_the_same_prices_share_a_version(house: HouseOf) -> None:
    """A hundred drivers at noon need one frozen tariff."""
    follow_the_market(house)
    house.do(put_market_prices, told("80", "100"))
    wire = house.wire()
    for evse in (1, 2):
        house.later(1)
        wire.start(evse=evse)
    frozen = [one for one in rows(house, "tariff_versions") if one.frozen_of is not None]
    assert len(frozen) == 1


def test_a_price_that_a_person_is_to_look_at_is_held_and_then_billed(house: HouseOf) -> None:
    """Nobody told a price: the tariff asks for a person, who lets its own price hold."""
    follow_the_market(house, missing="hold")
    wire = house.wire()
    transaction = wire.charge(kwh(10))
    session = house.session(transaction)
    assert session.state is SessionState.HELD
    [explained] = [one for one in rows(house, "explanations") if one.session_id == session.session_id]
    assert (explained.reason, explained.milliwatt_hours) == (Reason.PRICE_AWAITED, kwh(10))
    [item] = [one for one in rows(house, "inbox") if one.session_id == session.session_id]
    assert "price of its market" in item.summary
    house.do(resolve_item, ResolveItem(item.item_id, Decision.RELEASE, "0.50 is right"))
    assert house.session(transaction).state is SessionState.BILLED
    assert rows(house, "rated_results")[0].gross_minor == 500


def test_before_the_start_the_price_of_the_market_is_shown(house: HouseOf) -> None:
    """What a page shows is what the offer would say at that moment; and lint knows which markets have prices."""
    rule = follow_the_market(house)
    house.do(put_market_prices, told("80", "100"))
    [version] = [one for one in rows(house, "tariff_versions") if one.tariff_version_id == rule]
    tariff = read_tariff_text(version.canonical)
    house.wire().start()
    [offer] = rows(house, "offers")
    assert as_offered(house.reader, house.operator, tariff, NINE).version_id == offer.tariff_version_id
    assert offer.shown["lines"][0]["price"] == "0.18"
    assert markets(house.reader, house.operator) == [Wanted("GB", 60, "GBP")]
    plain = read_tariff({**_plain(tariff.canonical), "id": "plain"})
    assert as_offered(house.reader, house.operator, plain, NINE) is plain


def _plain(canonical: str) -> dict[str, Any]:
    tariff = read_tariff_text(canonical)
    element = tariff.elements[0]
    bare = replace(tariff, elements=(replace(element, components=(replace(element.components[0], index=None),)),))
    return to_data(bare)
