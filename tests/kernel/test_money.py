"""Money: whole minor units that never meet another currency."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.errors import BadInput, CurrencyMismatch, UnknownCurrency
from tallywatt.kernel.money import CURRENCIES, LARGEST_MINOR, Currency, Money, currency, money, total

MINOR = st.integers(min_value=-(10**15), max_value=10**15)
CURRENCY = st.sampled_from(sorted(CURRENCIES.values(), key=str))
EUR = currency("EUR")


@given(minor=MINOR, unit=CURRENCY)
def test_an_amount_that_is_written_out_reads_back_as_the_same_money(minor: int, unit: Currency) -> None:
    """Amounts leave as decimal text in exports and tariffs; nothing may be lost on the way back, in any currency."""
    sum_of_money = Money(minor, unit)

    assert money(sum_of_money.decimal, unit.code) == sum_of_money
    assert money(str(sum_of_money.decimal), unit.code) == sum_of_money


@given(first=MINOR, second=MINOR, unit=CURRENCY)
def test_sums_of_one_currency_add_up_like_their_minor_units(first: int, second: int, unit: Currency) -> None:
    """There is no rounding in adding and taking away."""
    one, other = Money(first, unit), Money(second, unit)

    assert (one + other).minor == first + second
    assert (one + other) - other == one
    assert one - one == Money(0, unit)
    assert -one + one == Money(0, unit)
    assert (one < other) == (first < second)
    assert (one <= other) == (first <= second)


@given(minors=st.lists(MINOR))
def test_a_total_is_the_sum_of_its_parts_and_zero_of_none(minors: list[int]) -> None:
    """An invoice without lines still has a total, and it has a currency."""
    assert total((Money(minor, EUR) for minor in minors), EUR) == Money(sum(minors), EUR)


@pytest.mark.parametrize("mix", [Money.__add__, Money.__sub__, Money.__lt__, Money.__le__])
def test_two_currencies_never_meet(mix: object) -> None:
    """Ten euros and ten yen are not twenty of anything, nor is one of them the larger."""
    assert callable(mix)
    with pytest.raises(CurrencyMismatch):
        mix(Money(10, EUR), Money(10, currency("JPY")))


def test_a_total_refuses_a_stranger_among_its_parts() -> None:
    """A roll-up over payments of several currencies must be made per currency."""
    with pytest.raises(CurrencyMismatch):
        total([Money(1, EUR), Money(1, currency("CHF"))], EUR)


@pytest.mark.parametrize(
    ("amount", "code", "minor", "text"),
    [
        ("12.40", "EUR", 1240, "12.40 EUR"),
        ("12.4", "EUR", 1240, "12.40 EUR"),
        ("1e1", "EUR", 1000, "10.00 EUR"),
        ("1240", "JPY", 1240, "1240 JPY"),
        ("1.240", "KWD", 1240, "1.240 KWD"),
        ("-0.01", "GBP", -1, "-0.01 GBP"),
        ("0", "EUR", 0, "0.00 EUR"),
        ("1000000", "VND", 1_000_000, "1000000 VND"),
    ],
)
def test_the_minor_unit_follows_the_currency(amount: str, code: str, minor: int, text: str) -> None:
    """A yen has no cents and a Kuwaiti dinar a thousand fils: a fixed factor of 100 is wrong ten or a hundred times."""
    assert money(amount, code) == Money(minor, currency(code))
    assert str(money(amount, code)) == text


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("0.335", "EUR"),
        ("1.5", "JPY"),
        ("0.0001", "KWD"),
        (f"0.01{'0' * 30}1", "EUR"),
        ("1e-40", "EUR"),
    ],
)
def test_an_amount_finer_than_the_currency_is_refused(amount: str, code: str) -> None:
    """Rounding is a decision with one address (fix_amounts), so nothing is rounded while reading."""
    with pytest.raises(BadInput) as refused:
        money(amount, code)

    assert refused.value.code == "money.too_precise"


@pytest.mark.parametrize(
    "amount", ["", "ten", "NaN", "sNaN", "Infinity", "1,50", "1e30", "1e999999", Decimal("-Infinity")]
)
def test_what_is_not_an_amount_is_refused(amount: str | Decimal) -> None:
    """What comes from a form or a file may be anything; it must end as an answer, never as a crash or as an odd sum."""
    with pytest.raises(BadInput) as refused:
        money(amount, "EUR")

    assert refused.value.code == "money.not_an_amount"


def test_every_amount_that_is_read_fits_the_database() -> None:
    """An integer of SQLite and PostgreSQL has 64 bits."""
    assert money(Decimal(LARGEST_MINOR).scaleb(-2), "EUR").minor == LARGEST_MINOR
    with pytest.raises(BadInput):
        money(Decimal(LARGEST_MINOR + 1).scaleb(-2), "EUR")


@pytest.mark.parametrize("code", ["", "eur", "EURO", "XXX", "BTC"])
def test_a_currency_that_is_not_carried_is_refused(code: str) -> None:
    """A typo in a tariff must not become a currency of its own."""
    with pytest.raises(UnknownCurrency):
        currency(code)


def test_every_currency_has_a_three_letter_code_and_a_plausible_exponent() -> None:
    """A slip in the table would change every price of a country."""
    assert all(len(code) == 3 and code.isupper() and code == unit.code for code, unit in CURRENCIES.items())
    assert {unit.exponent for unit in CURRENCIES.values()} == {0, 2, 3}
