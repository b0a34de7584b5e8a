"""No card number is ever stored: that keeps the house out of the scope of the card schemes' audits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.card_numbers import hide_card_numbers, hide_in_json, passes_luhn


@pytest.mark.parametrize(
    "number", ["4242424242424242", "4242 4242 4242 4242", "5555-5555-5555-4444", "378282246310005", "6011000990139424"]
)
def test_a_card_number_is_reduced_to_its_last_four_digits(number: str) -> None:
    hidden, count = hide_card_numbers(f"name: {number}, thanks")
    assert count == 1
    assert number not in hidden
    assert hidden == f"name: [card number ending {number[-4:]}], thanks"


@pytest.mark.parametrize(
    "text", ["4242424242424242 12:00", "22 4242424242424242", "on 4242 4242 4242 4242 06/09/2018", "4242424242424242 1"]
)
def test_a_date_or_a_time_beside_it_hides_it_from_nobody(text: str) -> None:
    """Cells of a spreadsheet are put together with a blank; the digits of both together have another check digit."""
    hidden, count = hide_card_numbers(text)
    assert count == 1
    assert "[card number ending 4242]" in hidden


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ('{"a":"4242424242424242","b":4242424242424242}', '{"a":"[card number ending 4242]","b":4242424242424242}'),
        ('{"spared":"4242424242424242"}', '{"spared":"4242424242424242"}'),
        ('{"a":"say \\"4242424242424242\\""}', '{"a":"say \\"[card number ending 4242]\\""}'),
        ("4242424242424242", "[card number ending 4242]"),
    ],
)
def test_json_stays_json(text: str, hidden: str) -> None:
    """A frame must be read again by the audit; a register of a big meter is a number, and no card's."""
    assert hide_in_json(text, {"spared"}) == hidden


def test_where_anything_may_stand_a_bare_number_is_hidden_too() -> None:
    """What a vendor puts into a data transfer has no schema."""
    told = hide_in_json('{"a":4242424242424242,"value":4242424242424242}', {"value"}, numbers=True)
    assert told == '{"a":"[card number ending 4242]","value":4242424242424242}'
    assert hide_in_json('{"receipt": 2000000000000}', numbers=True) == '{"receipt": 2000000000000}'


@pytest.mark.parametrize(
    "text",
    [
        "4242424242424241",
        "0.4242424242424242",
        "4242424242424242.5",
        "1795248000000",
        "424242******4242",
        "RFID 04A2B3C4D5E680",
        "01a1fd38-ee95-7b7d-8e3e-11b669409b0b",
        "pi_4242424242424242x",
        "00042424242424242424242",
        "receipt 2000000000000",
    ],
)
def test_what_is_no_card_number_stays(text: str) -> None:
    """Times, ids, serial numbers, truncated numbers, numbers without a check digit."""
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
