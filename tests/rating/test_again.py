"""Prices worked out again: beside what was stored, to the last line, and added up."""

from __future__ import annotations

import pytest

from tallywatt.rating.again import Again, Fixed, Stored, Sum, rate_again
from tallywatt.rating.canonical import session_text
from tallywatt.rating.policy import STANDARD
from tallywatt.rating.rate import ENGINE_VERSION
from tests.rating.examples import HOUR, a_session, a_tariff, an_element

FLAT = a_tariff(an_element(("ENERGY", "0.40", 20)))
SESSION = a_session((HOUR, 10_000_000))


def stored(gross: int = 400, **by_reason: int) -> Stored:
    """A stored price of ten kilowatt-hours."""
    tax = round(gross / 6)
    return Stored(
        session_text(SESSION), "EUR", ENGINE_VERSION, Fixed(gross - tax, tax, gross), by_reason or {"energy": gross}
    )


def again(was: Stored, tariff: object = FLAT) -> Again:
    """It, priced again."""
    found = rate_again(was, tariff, STANDARD)  # type: ignore[arg-type]  # a tariff
    assert found is not None
    return found


def test_the_same_terms_give_the_same_price() -> None:
    """This is the check of a new version: nothing that was billed may come out otherwise."""
    one = again(stored())
    assert one.is_same
    assert one.moved == {}
    assert one.difference == Fixed(0, 0, 0)


def test_another_tariff_tells_what_would_have_been_and_by_what() -> None:
    """An operator decides on a price by what it would have brought."""
    one = again(stored(), a_tariff(an_element(("ENERGY", "0.30", 20), ("FLAT", "0.50", 20))))
    assert one.now.gross_minor == 350
    assert one.difference.gross_minor == -50
    assert one.moved == {"energy": -100, "session_fee": 50}


def test_the_same_total_of_other_parts_is_not_the_same() -> None:
    """A bill whose lines moved is another bill."""
    one = again(stored(400, energy=350, session_fee=50))
    assert one.difference == Fixed(0, 0, 0)
    assert not one.is_same
    assert one.moved == {"energy": 50, "session_fee": -50}


def test_prices_of_two_currencies_are_not_compared() -> None:
    """Five pounds more than four euros is no figure."""
    assert rate_again(stored(), a_tariff(an_element(("ENERGY", "0.40", 20)), currency="GBP"), STANDARD) is None


def test_a_sum_counts_what_became_dearer_cheaper_or_stayed() -> None:
    """Each session is in one place, and the reasons add up to the total."""
    total = Sum("EUR")
    for one in (
        again(stored()),
        again(stored(500)),
        again(stored(300)),
        again(stored(400, energy=350, session_fee=50)),
    ):
        total.add(one)
    assert (total.sessions, total.same, total.dearer, total.cheaper) == (4, 1, 1, 1)
    assert total.was.gross_minor == sum(total.was_by_reason.values()) == 1600
    assert total.now.gross_minor == sum(total.now_by_reason.values()) == 1600


def test_where_a_price_was_or_becomes_nothing_no_tax_is_another_one() -> None:
    """What was free has no tax of which the new one could be told apart: the whole is asked for, or given back."""
    nothing, price = Fixed(0, 0, 0), Fixed(100, 20, 120)
    assert not Again(nothing, price, {}, {"energy": 120}, {}, {"20": price}).taxes_differ
    assert not Again(price, nothing, {"energy": 120}, {}, {"20": price}, {}).taxes_differ
    assert Again(price, price, {}, {}, {"20": price}, {"7": price}).taxes_differ


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ({"19": Fixed(200, 38, 238), "7": Fixed(200, 14, 214)}, False),
        ({"19": Fixed(201, 37, 238), "7": Fixed(199, 15, 214)}, False),
        ({"19": Fixed(238, 0, 238), "7": Fixed(200, 14, 214)}, True),
        ({"19": Fixed(380, 72, 452)}, True),
        ({"20": Fixed(200, 38, 238), "7": Fixed(200, 14, 214)}, True),
    ],
    ids=["twice of each", "twice but for rounding", "no tax any more", "one rate is gone", "another rate"],
)
def test_of_another_price_the_tax_is_as_many_times_what_it_was(now: dict[str, Fixed], expected: bool) -> None:
    """Half of a price had each rate: so has what it is now, to the smallest unit and its rounding."""
    was = {"19": Fixed(100, 19, 119), "7": Fixed(100, 7, 107)}
    before, after = (Fixed(*(sum(part) for part in zip(*one.values(), strict=True))) for one in (was, now))
    assert Again(before, after, {}, {}, was, now).taxes_differ is expected
