"""Coupons as plain values: what a code may be, whom a coupon holds for, and when."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput
from tallywatt.rating.coupon import Coupon, fold_code, read_code
from tallywatt.rating.read_reductions import discount_of

COUPON = Coupon(
    "CP1", "WELCOME", "Welcome", {"percent": "10"}, "EUR", 2, 1, 1, Instant(1000), Instant(2000), Instant(0)
)  # fmt: skip


def test_a_code_is_read_as_people_write_it() -> None:
    """From a poster, with small letters and blanks."""
    assert read_code(" wel come-24 ") == "WELCOME-24"


@pytest.mark.parametrize("text", ["", "AB", "-ABC", "ÄBC", "A" * 33, "4242 4242 4242 4242"])
def test_what_is_no_code_is_refused(text: str) -> None:
    """A card number least of all: codes are shown and logged."""
    with pytest.raises(BadInput, match="no code") as refused:
        read_code(text)
    assert refused.value.code == "coupons.bad_code"


@given(st.text(max_size=20))
def test_folding_twice_is_folding_once(text: str) -> None:
    """Else the same words would find one coupon today and another tomorrow."""
    assert fold_code(fold_code(text)) == fold_code(text)


@pytest.mark.parametrize(("at", "holds"), [(999, False), (1000, True), (1999, True), (2000, False)])
def test_it_holds_from_its_first_moment_to_before_its_last(at: int, holds: bool) -> None:
    """Two coupons that follow each other never hold at once."""
    assert COUPON.holds_at(Instant(at)) is holds


def test_it_is_used_up_and_fits_its_currency() -> None:
    """A percentage fits any price; a sum fits its own currency."""
    assert (COUPON.has_uses_left, replace(COUPON, uses=2).has_uses_left) == (True, False)
    assert replace(COUPON, uses=9, most_uses=None).has_uses_left
    assert (COUPON.fits("EUR"), COUPON.fits("GBP"), replace(COUPON, currency=None).fits("GBP")) == (True, False, True)
    assert replace(COUPON, valid_until=None).holds_at(Instant(10**15))


def test_its_terms_are_those_of_a_discount_that_only_a_code_grants() -> None:
    """One reader for both: a coupon cannot say what a tariff could not."""
    found = discount_of("WELCOME", {"percent": "10"})

    assert (found.name, found.percent, found.is_coupon) == ("WELCOME", Decimal(10), True)
