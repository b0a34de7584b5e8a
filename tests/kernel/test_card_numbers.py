"""No card number is ever stored: that keeps the house out of the scope of the card schemes' audits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.card_numbers import hide_card_numbers, passes_luhn


@pytest.mark.parametrize(
    "number", ["4242424242424242", "4242 4242 4242 4242", "5555-5555-5555-4444", "378282246310005", "6011000990139424"]
)
def test_a_card_number_is_reduced_to_its_last_four_digits(number: str) -> None:
    hidden, count = hide_card_numbers(f"name: {number}, thanks")
    assert count == 1
    assert number not in hidden
    assert hidden == f"name: [card number ending {number[-4:]}], thanks"


@pytest.mark.parametrize(
    "text",
    [
        "4242424242424241",
        "1795248000000",
        "424242******4242",
        "RFID 04A2B3C4D5E680",
        "01a1fd38-ee95-7b7d-8e3e-11b669409b0b",
        "pi_4242424242424242x",
        "00042424242424242424242",
    ],
)
def test_what_is_no_card_number_stays(text: str) -> None:
    """Times, ids, serial numbers, truncated numbers."""
    assert hide_card_numbers(text) == (text, 0)


@given(st.text(alphabet="0123456789 -abc", max_size=60))
def test_nothing_that_is_left_looks_like_a_card_number(text: str) -> None:
    hidden, _ = hide_card_numbers(text)
    assert hide_card_numbers(hidden) == (hidden, 0)


@given(st.integers(10**11, 10**17))
def test_one_wrong_digit_is_noticed(number: int) -> None:
    text = str(number)
    check = next(str(digit) for digit in range(10) if passes_luhn(text + str(digit)))
    assert [digit for digit in "0123456789" if passes_luhn(text + digit)] == [check]
