"""Prices by columns added up: every record once, in its currency, and the largest differences by name."""

from __future__ import annotations

import numpy as np

from tallywatt.rating.batch import price_records
from tallywatt.rating.columns import SUM_NOT_TOLD, Terms, records_of
from tallywatt.rating.compared import Comparison
from tallywatt.rating.policy import STANDARD
from tests.rating.examples import a_tariff, an_element
from tests.rating.test_batch import START, a_period, a_record

FLAT = Terms(a_tariff(an_element(("ENERGY", "0.40", 20))), STANDARD)
YEN = Terms(a_tariff(an_element(("ENERGY", "40", 10)), currency="JPY"), STANDARD)


def compared(most: int = 2) -> Comparison:
    """Two batches of six records each, in two currencies; each first record does not tell what it came to."""
    found = Comparison(most)
    records = records_of([a_record(a_period(START, 1_000_000 * kwh), tariff=FLAT.tariff) for kwh in range(1, 7)])
    terms_of = np.array([0, 0, 1, 0, 1, 0])
    was = np.array([SUM_NOT_TOLD, 90, 120, 150, 200, 240])
    for _ in range(2):
        found.add(price_records(records, [FLAT, YEN], terms_of), [FLAT, YEN], terms_of, was)
    return found


def test_each_currency_has_its_own_sum() -> None:
    """Euros and yen are never added."""
    euros, yen = (compared().by_currency[code] for code in ("EUR", "JPY"))

    assert (euros.records, euros.gross_minor) == (8, 2 * 40 * (1 + 2 + 4 + 6))
    assert euros.net_minor + euros.tax_minor == euros.gross_minor
    assert (yen.records, yen.gross_minor) == (4, 2 * 40 * (3 + 5))


def test_only_what_was_told_is_compared() -> None:
    """A record without a price of its own is neither dearer nor cheaper."""
    euros, yen = (compared().by_currency[code] for code in ("EUR", "JPY"))

    assert (euros.told, euros.was_minor, euros.now_minor) == (6, 2 * (90 + 150 + 240), 2 * (80 + 160 + 240))
    assert (euros.dearer, euros.cheaper) == (2, 2)
    assert (yen.told, yen.dearer, yen.cheaper) == (4, 0, 0)


def test_the_largest_differences_have_the_record_s_place_in_the_file() -> None:
    """A person looks at those first, over all batches."""
    assert [(one.number, one.was_minor, one.now_minor) for one in compared(3).differing] == [
        (1, 90, 80),
        (3, 150, 160),
        (7, 90, 80),
    ]
    assert len(compared(1).differing) == 1
    assert compared(1).records == 12


def test_records_that_tell_no_price_are_added_up_alone() -> None:
    """A file from a warehouse knows what was used and not what it cost."""
    record = a_record(a_period(START, 1_000_000), tariff=FLAT.tariff)
    found = Comparison(5)
    found.add(price_records(records_of([record]), [FLAT]), [FLAT], np.zeros(1, np.int64), None)

    assert (found.by_currency["EUR"].gross_minor, found.by_currency["EUR"].told, found.differing) == (40, 0, [])


def test_a_sum_beyond_64_bits_is_whole() -> None:
    """Absurd figures are added up like others: the total shows that they are absurd."""
    tariff = a_tariff(an_element(("ENERGY", "999999999", 20)), an_element(("FLAT", 1)))
    terms = Terms(tariff, STANDARD)
    records = records_of([a_record(a_period(START, 2**62), tariff=tariff), a_record(a_period(START, 0), tariff=tariff)])
    prices = price_records(records, [terms])
    found = Comparison(5)
    found.add(prices, [terms], np.zeros(2, np.int64), np.array([5, 100]))

    assert list(prices.beyond) == [0]
    assert found.by_currency["EUR"].gross_minor == prices.price(0).gross_minor + 100 > 2**63
    assert [one.now_minor for one in found.differing] == [prices.price(0).gross_minor]
