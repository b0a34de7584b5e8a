"""How much somebody gives away alone, and who counts as another person."""

from __future__ import annotations

import pytest

from tallywatt.customers.approval import Beyond, Holder, MoneyLimit, beyond, is_same_person, standard_limit
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.money import currency

AT = Instant(0)


def test_the_usual_limit_is_counted_in_the_places_of_the_currency() -> None:
    """50 are 5000 pence, and 50 yen; an owner has none."""
    assert standard_limit(Holder.SUPPORT, currency("GBP"), AT).payment_minor == 5000
    assert standard_limit(Holder.SUPPORT, currency("JPY"), AT).payment_minor == 50
    assert standard_limit(Holder.OWNER, currency("GBP"), AT).payment_minor is None
    assert standard_limit(Holder.PROGRAM, currency("GBP"), AT).day_minor is None


@pytest.mark.parametrize(
    ("minor", "of_payment", "of_day", "passed"),
    [
        (100, 0, 0, ()),
        (101, 0, 0, (Beyond.PAYMENT,)),
        (51, 50, 0, (Beyond.PAYMENT,)),
        (100, 0, 200, ()),
        (100, 0, 201, (Beyond.DAY,)),
        (101, 0, 200, (Beyond.PAYMENT, Beyond.DAY)),
    ],
)
def test_a_limit_holds_to_the_last_minor_unit(
    minor: int, of_payment: int, of_day: int, passed: tuple[Beyond, ...]
) -> None:
    """Up to it is alone; one more is not, neither at once nor piece by piece."""
    assert beyond(MoneyLimit(Holder.SUPPORT, "GBP", 100, 300, AT), minor, minor, of_payment, of_day) == passed


def test_no_limit_is_none_and_nothing_is_nothing() -> None:
    """A limit of 0 lets everything wait; one that is left out lets nothing wait."""
    assert beyond(MoneyLimit(Holder.OWNER, "GBP", None, None, AT), 10**9, 10**9, 10**9, 10**9) == ()
    assert beyond(MoneyLimit(Holder.OWNER, "GBP", 0, None, AT), 1, 1, 0, 0) == (Beyond.PAYMENT,)


def test_a_key_stands_for_whoever_has_made_it() -> None:
    """Two hands of one person are one pair of eyes."""
    assert is_same_person({"person:a"}, {"key:k", "person:a"})
    assert not is_same_person({"person:a"}, {"key:k", "person:b"})
