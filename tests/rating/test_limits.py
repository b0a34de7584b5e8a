"""Price limits: whatever a session costs without them, with them it is inside, and it still adds up."""

from __future__ import annotations

from hypothesis import given

from tallywatt.metering.metered import MeteredSession
from tallywatt.rating.amounts import fix_amounts
from tallywatt.rating.plan import plan_of
from tallywatt.rating.rate import RatedSession, Reason, rate
from tallywatt.rating.tariff import Tariff
from tests.rating.examples import HOUR, a_session, a_tariff, an_element, limited_tariffs, sessions


@given(session=sessions(), tariff=limited_tariffs())
def test_a_price_is_inside_its_limits(session: MeteredSession, tariff: Tariff) -> None:
    """The least and the most are promises to two sides; where they contradict each other, that to the driver is kept."""
    rated, limits = rate(session, tariff), plan_of(tariff).limits
    assert limits is not None
    before, after = rated.exact_before_taxes, rated.exact_after_taxes

    assert limits.most_before is None or before <= limits.most_before
    assert limits.most_after is None or after <= limits.most_after
    is_at_the_most = before == limits.most_before or after == limits.most_after
    assert is_at_the_most or limits.least_before is None or before >= limits.least_before
    assert is_at_the_most or limits.least_after is None or after >= limits.least_after
    assert before <= after or after == 0


@given(session=sessions(), tariff=limited_tariffs())
def test_what_a_limit_changes_is_in_lines_of_its_own(session: MeteredSession, tariff: Tariff) -> None:
    """The driver sees what the session would have cost, and what the limit did to it; the integers add up as ever."""
    rated, amounts = rate(session, tariff), fix_amounts(rate(session, tariff))
    limited = {line.reason for line in rated.lines} & {Reason.MINIMUM_PRICE, Reason.MAXIMUM_PRICE}

    assert len(limited) <= 1
    assert sum(line.gross_minor for line in amounts.lines) == amounts.gross_minor
    assert sum(tax.tax_minor for tax in amounts.taxes) == amounts.tax_minor
    assert all(line.net_minor + line.tax_minor == line.gross_minor for line in amounts.lines)


def totals(rated: RatedSession) -> tuple[float, float]:
    """Both totals, which are small round numbers here."""
    return float(rated.exact_before_taxes), float(rated.exact_after_taxes)


def test_a_least_price_lifts_prices_below_nothing() -> None:
    """Where energy is worth less than nothing, a session with a least price costs it all the same."""
    tariff = a_tariff(an_element(("ENERGY", "-0.50", 20)), tax_included="NO", min_price={"before_taxes": 1})
    assert totals(rate(a_session((HOUR, 4_000_000)), tariff)) == (1, 1.2)
    after = a_tariff(an_element(("ENERGY", "-0.50", 20)), tax_included="NO", min_price={"after_taxes": 6})
    assert totals(rate(a_session((HOUR, 4_000_000)), after)) == (5, 6)


def test_a_most_after_tax_brings_no_price_before_tax_below_zero() -> None:
    """What is charged is taxed and what is given back is not: nothing before tax, some after it, and that goes."""
    tariff = a_tariff(
        an_element(("ENERGY", "1.00", 20), ("FLAT", "-10", 0)), tax_included="NO", max_price={"after_taxes": 0}
    )
    assert totals(rate(a_session((HOUR, 10_000_000)), tariff)) == (0, 0)


def test_a_least_price_of_a_session_without_lines_is_taxed_as_the_tariff() -> None:
    """Nothing was used; what is owed has the tax of the tariff's first price."""
    tariff = a_tariff(
        an_element(("ENERGY", "0.50", 20), ("TIME", "1", 10)), tax_included="NO", min_price={"before_taxes": 2}
    )
    rated = rate(a_session(ended=0), tariff)
    assert totals(rated) == (2, 2.4)
    assert [line.reason for line in rated.lines] == [Reason.MINIMUM_PRICE]


def test_the_limit_of_several_rates_is_a_line_for_each() -> None:
    """An invoice needs the tax of each rate: what is taken off is taken off all of them in proportion."""
    tariff = a_tariff(
        an_element(("ENERGY", "1.00", 20), ("FLAT", "10", 10)), tax_included="NO", max_price={"before_taxes": 10}
    )
    rated = rate(a_session((HOUR, 10_000_000)), tariff)
    taken = [line for line in rated.lines if line.reason is Reason.MAXIMUM_PRICE]
    assert [str(line.priced.tax_rate) for line in taken] == ["20", "10"]
    assert [float(rated.exact(line)) for line in taken] == [-5, -5]
    assert totals(rated) == (10, 11.5)
