"""A code that changes on the display of a station: only what stands there now can be paid with, and only once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput
from tallywatt.stations.web_code import code_in, window_at
from tallywatt.workflows.offer_and_pay import OfferAndPay, offer_and_pay
from tallywatt.workflows.show_web_code import CheckWebCode, SetWebCode, WebCodeSet, check_web_code, set_web_code
from tests.workflows.house_of import NINE, HouseOf

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 30


@pytest.fixture
def house(house_url: str) -> Iterator[HouseOf]:
    with HouseOf(house_url) as made:
        made.furnish()
        made.now = Instant(NINE + 10_000)
        yield made


def evse(house: HouseOf, number: int = 1) -> str:
    [found] = [one for one in house.rows.evses.by() if one.number == number]
    return found.code


def switched_on(house: HouseOf, number: int = 1) -> WebCodeSet:
    code = evse(house, number)
    return house.do(set_web_code, SetWebCode(code, f"https://dundee.example/evse/{code}", SECONDS, 8))


def shown(house: HouseOf, told: WebCodeSet, windows: int = 0) -> str:
    """What the display shows, by a clock that is so many windows off."""
    return code_in(told.secret, window_at(house.now, SECONDS) + windows, told.length)


def scan(house: HouseOf, code: str | None, number: int = 1) -> int | None:
    return house.do(check_web_code, CheckWebCode(evse(house, number), code))


def refused(house: HouseOf, code: str | None, number: int = 1) -> str:
    with pytest.raises(BadInput) as caught:
        scan(house, code, number)
    return caught.value.code


def pay(house: HouseOf, window: int | None) -> None:
    urls = ("https://dundee.example/ok/{secret}", "https://dundee.example/back")
    house.do(offer_and_pay, OfferAndPay(evse(house), *urls, web_window=window))


@pytest.mark.parametrize("skew", [-1, 0, 1])
def test_case_24_a_code_of_a_clock_that_is_one_window_off_is_good(house: HouseOf, skew: int) -> None:
    told = switched_on(house)
    assert scan(house, shown(house, told, skew)) == window_at(house.now, SECONDS) + skew


@pytest.mark.parametrize("skew", [-2, 2])
def test_case_24_an_old_code_and_one_that_is_not_shown_yet_pay_nothing(house: HouseOf, skew: int) -> None:
    """A picture of a code, taken a minute ago, is worth nothing."""
    told = switched_on(house)
    assert refused(house, shown(house, told, skew)) == "evses.code_expired"


def test_case_24_a_code_pays_once(house: HouseOf) -> None:
    """Who photographs a stranger's code comes second."""
    told = switched_on(house)
    code = shown(house, told)
    window = scan(house, code)
    pay(house, window)
    assert refused(house, code) == "evses.code_used"
    with pytest.raises(BadInput):
        pay(house, window)
    assert len(house.rows.payments.by()) == 1
    house.later(1)
    pay(house, scan(house, shown(house, told)))
    assert len(house.rows.payments.by()) == 2


def test_case_24_the_code_of_another_evse_is_no_code_here(house: HouseOf) -> None:
    switched_on(house)
    other = switched_on(house, 2)
    assert refused(house, shown(house, other)) == "evses.code_expired"
    assert scan(house, shown(house, other), 2) is not None


def test_without_its_code_nothing_is_paid_there_and_elsewhere_nobody_asks_for_one(house: HouseOf) -> None:
    assert scan(house, None) is None
    switched_on(house)
    assert refused(house, None) == "evses.code_missing"
    assert refused(house, "") == "evses.code_missing"
    with pytest.raises(BadInput):
        pay(house, None)
    assert scan(house, None, 2) is None
    assert house.rows.payments.by() == []


def test_the_station_is_told_its_secret_and_a_new_one_ends_the_old(house: HouseOf) -> None:
    """It is worked out anew from a key of the operator: it stands in no table of ours but the order to the station."""
    told = switched_on(house)
    [order] = house.rows.station_commands.by()
    values = {one["variable"]["name"]: one["attributeValue"] for one in order.payload["content"]["setVariableData"]}
    assert values["SharedSecret"] == told.secret
    assert values["URLTemplate"].endswith("?totp={totp}")
    code = shown(house, told)
    again = switched_on(house)
    assert again.secret != told.secret
    assert refused(house, code) == "evses.code_expired"


@pytest.mark.parametrize(("seconds", "length"), [(5, 8), (3601, 8), (30, 5), (30, 33)])
def test_codes_that_protect_nothing_are_refused(house: HouseOf, seconds: int, length: int) -> None:
    with pytest.raises(BadInput):
        house.do(set_web_code, SetWebCode(evse(house), "https://dundee.example/x", seconds, length))
