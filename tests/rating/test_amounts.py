"""Fixing amounts: the one place where cents are given up, and every sum that must hold after it."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.metering.metered import MeteredSession
from tallywatt.rating.amounts import FixedAmounts, FixedLine, FixedTax, fix_amounts
from tallywatt.rating.policy import Amounts, Policy, Rounding
from tallywatt.rating.rate import rate
from tallywatt.rating.records import TaxBasis
from tallywatt.rating.tariff import Tariff
from tests.rating.examples import HOUR, a_session, a_tariff, an_element, sessions, tariffs

POLICIES = st.builds(Policy, amounts=st.sampled_from(Amounts), rounding=st.sampled_from(Rounding))


@given(session=sessions(), tariff=tariffs(), policy=POLICIES)
def test_lines_rates_and_total_always_add_up(session: MeteredSession, tariff: Tariff, policy: Policy) -> None:
    """Books, paper and partners read these integers; one cent of difference is a support case each time."""
    rated = rate(session, tariff, policy)
    amounts = fix_amounts(rated, policy)

    assert len(amounts.lines) == len(rated.lines)
    parts: tuple[FixedLine, ...] | tuple[FixedTax, ...]
    for parts in (amounts.lines, amounts.taxes):
        assert sum(one.net_minor for one in parts) == amounts.net_minor
        assert sum(one.tax_minor for one in parts) == amounts.tax_minor
        assert sum(one.gross_minor for one in parts) == amounts.gross_minor
        assert all(one.net_minor + one.tax_minor == one.gross_minor for one in parts)
    assert amounts.net_minor + amounts.tax_minor == amounts.gross_minor
    for tax in amounts.taxes:
        places = [place for place, line in enumerate(rated.lines) if line.priced.tax_rate == tax.tax_rate]
        assert sum(amounts.lines[place].gross_minor for place in places) == tax.gross_minor


@given(session=sessions(), tariff=tariffs(), policy=POLICIES)
def test_no_line_is_off_by_more_than_its_share_of_rounding(
    session: MeteredSession, tariff: Tariff, policy: Policy
) -> None:
    """A difference of rounding lands on the largest lines, and none of them becomes a credit or carries negative tax."""
    rated = rate(session, tariff, policy)
    amounts = fix_amounts(rated, policy)
    scale = 10**rated.currency.exponent

    for line, fixed in zip(rated.lines, amounts.lines, strict=True):
        assert fixed.net_minor >= 0
        assert fixed.tax_minor >= 0
        first = fixed.gross_minor if amounts.basis is TaxBasis.GROSS else fixed.net_minor
        if amounts.basis is rated.tax_basis:
            assert abs(first - rated.exact(line) * scale) <= 2


@given(session=sessions(), tariff=tariffs())
def test_the_total_that_is_rounded_first_is_rounded_once(session: MeteredSession, tariff: Tariff) -> None:
    """Three lines of 0.335 print 1.02 when each is rounded, and are 1.01."""
    rated = rate(session, tariff)
    amounts = fix_amounts(rated)
    first = amounts.gross_minor if amounts.basis is TaxBasis.GROSS else amounts.net_minor

    assert abs(first - rated.exact_total * 10**rated.currency.exponent) <= Fraction(1, 2)


def test_every_gross_price_keeps_its_gross() -> None:
    """319 of the 1,999 gross prices below 20.00 are not a rounded net times 1.19: gross first keeps all of them."""
    not_reached_from_net = 0
    for cents in range(1, 2000):
        amounts = _amounts_of(f"{cents / 100:.2f}", "19")
        assert amounts.gross_minor == cents
        assert amounts.net_minor + amounts.tax_minor == cents
        nets = {round(Fraction(net * 119, 100)) for net in range(amounts.net_minor - 1, amounts.net_minor + 2)}
        not_reached_from_net += cents not in nets
    assert not_reached_from_net == 319


def _amounts_of(price: str, tax_rate: str) -> FixedAmounts:
    return fix_amounts(rate(a_session(), a_tariff(an_element(("FLAT", price, tax_rate)))))


def test_three_lines_of_a_third_of_a_cent_print_what_they_cost() -> None:
    """The cent that is taken back comes off one of the largest lines."""
    tariff = a_tariff(
        an_element(("ENERGY", "0.335"), max_kwh=1),
        an_element(("ENERGY", "0.335"), max_kwh=2),
        an_element(("ENERGY", "0.335")),
    )
    amounts = fix_amounts(rate(a_session((HOUR, 3_000_000)), tariff))

    assert amounts.gross_minor == 101
    assert sorted(line.gross_minor for line in amounts.lines) == [33, 34, 34]


def test_many_lines_below_a_minor_unit_still_cost_their_sum() -> None:
    """A hundred lines of 0.004 are 0.40; each of them alone rounds to nothing."""
    elements = [an_element(("ENERGY", "0.004", 20), max_kwh=kwh) for kwh in range(1, 100)]
    tariff = a_tariff(*elements, an_element(("ENERGY", "0.004", 20)))
    amounts = fix_amounts(rate(a_session((HOUR, 100_000_000)), tariff))

    assert amounts.gross_minor == 40
    assert {line.gross_minor for line in amounts.lines} == {0, 1}


def test_taxes_of_lines_add_up_to_the_tax_of_their_rate() -> None:
    """Three nets of 0.03 carry 0.01 each when rounded alone, and 0.02 together."""
    elements = [an_element(("ENERGY", "0.03", 20), max_kwh=kwh) for kwh in (1, 2)]
    tariff = a_tariff(*elements, an_element(("ENERGY", "0.03", 20)), tax_included="NO")
    amounts = fix_amounts(rate(a_session((HOUR, 3_000_000)), tariff))

    assert (amounts.net_minor, amounts.tax_minor) == (9, 2)
    assert sorted(line.tax_minor for line in amounts.lines) == [0, 1, 1]


@pytest.mark.parametrize(("tax_included", "before", "after"), [("YES", "1.00", "1.20"), ("NO", "1.20", "1.44")])
def test_exact_totals_are_told_with_and_without_tax(tax_included: str, before: str, after: str) -> None:
    """A CDR carries both, unrounded; a line without a tax rate has none in it."""
    tariff = a_tariff(an_element(("FLAT", "1.20", 20)), tax_included=tax_included)
    rated = rate(a_session(), tariff)
    assert (rated.exact_before_taxes, rated.exact_after_taxes) == (Fraction(before), Fraction(after))
    untaxed = rate(a_session(), a_tariff(an_element(("FLAT", "1.20")), tax_included=tax_included))
    assert untaxed.exact_before_taxes == untaxed.exact_after_taxes == Fraction("1.20")


def test_no_tax_named_is_kept_apart_from_a_tax_of_zero() -> None:
    """OCPI 2.2.1: an absent rate is not 0.0; an invoice prints them differently."""
    tariff = a_tariff(an_element(("ENERGY", "0.10"), ("TIME", 1, 0), ("FLAT", 1, 20)))
    amounts = fix_amounts(rate(a_session((HOUR, 10_000_000)), tariff))

    assert [tax.tax_rate for tax in amounts.taxes] == [None, 0, 20]
    assert [tax.tax_minor for tax in amounts.taxes] == [0, 0, 17]


@pytest.mark.parametrize(("price", "minor"), [("0.005", 1), ("-0.005", -1), ("0.0049", 0), ("-0.015", -2)])
def test_halves_round_away_from_zero(price: str, minor: int) -> None:
    """A credit is the mirror of a charge."""
    assert _amounts_of(price, "0").gross_minor == minor


@pytest.mark.parametrize(("price", "minor"), [("0.005", 0), ("0.015", 2), ("-0.015", -2), ("0.025", 2), ("0.026", 3)])
def test_halves_round_to_even_by_policy(price: str, minor: int) -> None:
    """The banker's choice, for those whose law asks for it."""
    rated = rate(a_session(), a_tariff(an_element(("FLAT", price))))
    assert fix_amounts(rated, Policy(rounding=Rounding.HALF_EVEN)).gross_minor == minor


def test_the_sums_are_money_of_the_tariffs_currency() -> None:
    """Callers compare and add money, not bare integers."""
    amounts = fix_amounts(rate(a_session(), a_tariff(an_element(("FLAT", "1.20", 20)), currency="GBP")))
    assert (str(amounts.net), str(amounts.tax), str(amounts.total)) == ("1.00 GBP", "0.20 GBP", "1.20 GBP")
