"""Pure: prices by columns added up, beside what the records came to before.

Only who prices by columns loads this module: NumPy belongs to the extra `batch`.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import nlargest
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tallywatt.rating.columns import FIXED, SUM_NOT_TOLD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tallywatt.rating.columns import Column, Prices, Terms


class Differing(NamedTuple):
    """A record that came to something else before."""

    number: int
    """Its place in the file, from 0."""
    currency: str
    was_minor: int
    now_minor: int


@dataclass(slots=True)
class Compared:
    """The records of one currency; with tax, in minor units."""

    currency: str
    records: int = 0
    net_minor: int = 0
    tax_minor: int = 0
    gross_minor: int = 0
    told: int = 0
    """How many tell what they came to before; the figures below are of these."""
    was_minor: int = 0
    now_minor: int = 0
    dearer: int = 0
    cheaper: int = 0


class Comparison:
    """What is found in a file, batch after batch."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.by_currency: dict[str, Compared] = {}
        self.records = 0
        self.priced_one_by_one = 0
        self.differing: list[Differing] = []
        """The largest differences, the largest first."""

    def add(self, prices: Prices, terms: Sequence[Terms], terms_of: Column, was: Column | None) -> None:
        """Count a batch."""
        gross = _whole(prices, "gross_minor")
        for currency in dict.fromkeys(one.tariff.currency.code for one in terms):
            numbers = [place for place, one in enumerate(terms) if one.tariff.currency.code == currency]
            rows = np.flatnonzero(np.isin(terms_of, numbers))
            total = self.by_currency.setdefault(currency, Compared(currency))
            total.records += len(rows)
            for name in FIXED:
                setattr(total, name, getattr(total, name) + _sum(_whole(prices, name)[rows]))
            if was is not None:
                self._compare(total, rows[was[rows] != SUM_NOT_TOLD], was, gross)
        self.records += len(prices)
        self.priced_one_by_one += prices.priced_one_by_one

    def _compare(self, total: Compared, rows: Column, was: Column, gross: Column) -> None:
        before, now = was[rows], gross[rows]
        more = now > before
        less = now < before
        total.told += len(rows)
        total.was_minor += _sum(before)
        total.now_minor += _sum(now)
        total.dearer += int(np.count_nonzero(more))
        total.cheaper += int(np.count_nonzero(less))
        differ = np.flatnonzero(more | less)
        if len(differ) > self._most:
            # Sizes as binary fractions: they only choose which differences are looked at.
            sizes = np.abs(now[differ].astype(np.float64) - before[differ])
            differ = differ[np.argsort(-sizes, kind="stable")[: self._most]]
        found = [
            Differing(self.records + int(rows[place]), total.currency, int(before[place]), int(now[place]))
            for place in differ.tolist()
        ]
        self.differing = nlargest(
            self._most, [*self.differing, *found], key=lambda one: abs(one.now_minor - one.was_minor)
        )


def _whole(prices: Prices, name: str) -> Any:
    """Minor units as they are; as Python's own numbers where one is too long for a column."""
    if not prices.beyond:
        return prices.fixed[name]
    column = prices.fixed[name].astype(np.object_)
    for place, price in prices.beyond.items():
        column[place] = getattr(price, name)
    return column


def _sum(numbers: Column) -> int:
    """Added up without a limit."""
    return sum(numbers.tolist())
