"""Tests of prices of a market as files tell them: read exactly, in order, each slot once, and days of any length."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tallywatt.kernel.clock import parse_instant
from tallywatt.kernel.errors import BadInput
from tallywatt.market.price import Told, checked, gaps
from tallywatt.market.read import read_prices

TEN = parse_instant("2026-11-24T10:00:00Z")
ELEVEN = parse_instant("2026-11-24T11:00:00Z")
EXPECTED = (
    Told("DE-LU", 60, "EUR", TEN, Decimal("81.25")),
    Told("DE-LU", 60, "EUR", ELEVEN, Decimal("-3.10")),
)


@pytest.mark.parametrize(
    "text",
    [
        (
            "starts_at,per_mwh,market,minutes,currency\n2026-11-24T11:00:00+00:00,-3.10,DE-LU,60,EUR\n"
            "2026-11-24T11:00:00+01:00,81.25,DE-LU,60,EUR\n"
        ),
        (
            "\ufeffStarts_At;per_kWh;market;minutes;currency\r\n2026-11-24T10:00:00Z;0.08125;DE-LU;60;EUR\r\n"
            "2026-11-24T11:00:00Z;-0.0031;DE-LU;60;EUR\r\n"
        ),
        (
            '{"market": "DE-LU", "minutes": 60, "currency": "EUR", "prices": ['
            '{"starts_at": "2026-11-24T10:00:00Z", "per_mwh": 81.25}, '
            '{"starts_at": "2026-11-24T11:00:00Z", "per_mwh": "-3.10"}]}'
        ),
        (
            '[{"market": "DE-LU", "minutes": 60, "currency": "EUR", "starts_at": "2026-11-24T10:00:00Z", "per_mwh": 81.25},'
            ' {"market": "DE-LU", "minutes": 60, "currency": "EUR", "starts_at": "2026-11-24T11:00:00Z", "per_mwh": -3.1}]'
        ),
    ],
)
def test_the_same_prices_are_read_of_every_form(text: str) -> None:
    """Exchanges, grid operators and spreadsheets each have their own; a price below zero is one, too."""
    assert read_prices(text) == EXPECTED


def test_what_is_said_once_holds_for_all_rows() -> None:
    """Most files are of one market and do not name it."""
    text = "starts_at,per_mwh\n2026-11-24T10:00:00Z,81.25\n2026-11-24T11:00:00Z,-3.10\n"
    assert read_prices(text, market="DE-LU", minutes=60, code="EUR") == EXPECTED


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("", "market.no_prices", "0 prices"),
        ("{", "market.unreadable", "not JSON"),
        ('{"prices": 3}', "market.no_prices", "0 prices"),
        ("starts_at,per_mwh\n2026-11-24T10:00:00Z,many\n", "market.unreadable", "line 2"),
        ("starts_at,per_mwh\n2026-11-24T10:00:00Z,NaN\n", "market.unreadable", "line 2"),
        ("starts_at,per_mwh\n2026-11-24T10:00:00Z,1000000\n", "market.unreadable", "line 2"),
        ("starts_at,per_mwh\n2026-11-24T10:00:00Z,0.1234567\n", "market.unreadable", "line 2"),
        ("starts_at,per_mwh\nyesterday,1\n", "market.unreadable", "line 2"),
        ("starts_at,per_mwh,per_kwh\n2026-11-24T10:00:00Z,1,1\n", "market.unreadable", "either"),
        ("starts_at,price\n2026-11-24T10:00:00Z,1\n", "market.unreadable", "either"),
        ("starts_at,per_mwh,currency\n2026-11-24T10:00:00Z,1,EURO\n", "market.unreadable", "currency"),
        ("starts_at,per_mwh,minutes\n2026-11-24T10:00:00Z,1,hour\n", "market.unreadable", "minutes"),
        ("starts_at,per_mwh,minutes\n2026-11-24T10:00:00Z,1,30\n", "market.bad_slot", "15 or 60"),
        ("starts_at,per_mwh\n2026-11-24T10:15:00Z,1\n", "market.bad_slot", "begins at"),
        ("starts_at,per_mwh\n2026-11-24T10:00:00Z,1\n2026-11-24T11:00:00+01:00,2\n", "market.told_twice", "two prices"),
        ("starts_at,per_mwh,market\n2026-11-24T10:00:00Z,1," + "M" * 41 + "\n", "market.unreadable", "market"),
        ('[["2026-11-24T10:00:00Z", 3]]', "market.unreadable", "price 1"),
        ('[{"starts_at": 3, "per_mwh": 3}]', "market.unreadable", "text"),
    ],
)
def test_a_row_that_cannot_be_meant_is_refused_with_its_place(text: str, code: str, says: str) -> None:
    """Half a day of prices would be worse than none: all of a file is taken, or nothing."""
    with pytest.raises(BadInput) as refused:
        read_prices(text, market="DE-LU", minutes=60, code="EUR")
    assert refused.value.code == code
    assert says in refused.value.message


@pytest.mark.parametrize(
    ("first", "last", "hours"),
    [
        ("2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", 23),
        ("2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", 25),
    ],
)
@pytest.mark.parametrize("minutes", [15, 60])
def test_a_day_of_another_length_has_as_many_slots_as_it_lasts(first: str, last: str, hours: int, minutes: int) -> None:
    """The hour that comes twice has two prices, since its two moments are two slots; the one that never comes has none."""
    begin, end, step = parse_instant(first), parse_instant(last), minutes * 60_000
    prices = [Told("DE-LU", minutes, "EUR", type(begin)(at), Decimal(at % 7)) for at in range(begin, end, step)]
    assert len(checked(prices)) == hours * 60 // minutes
    assert gaps(checked(prices)) == 0
    assert gaps(checked(prices[:3] + prices[5:])) == 2


def test_series_of_several_markets_do_not_follow_each_other() -> None:
    """Between the last slot of one and the first of another there is no gap."""
    prices = [Told(market, 60, "EUR", at, Decimal(1)) for market in ("GB", "DE-LU") for at in (ELEVEN, TEN)]
    assert [(one.market, one.starts_at) for one in checked(prices)] == [
        ("DE-LU", TEN), ("DE-LU", ELEVEN), ("GB", TEN), ("GB", ELEVEN),
    ]  # fmt: skip
    assert gaps(checked(prices)) == 0
