"""Pure: prices worked out again, from what was stored or told, beside what they were; nothing is changed by it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from tallywatt.rating.canonical import read_session, read_text_before
from tallywatt.rating.results import price
from tallywatt.rating.tariff import plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from tallywatt.rating.policy import Policy
    from tallywatt.rating.tariff import Tariff


class Fixed(NamedTuple):
    """A price in whole minor units."""

    net_minor: int
    tax_minor: int
    gross_minor: int

    def __add__(self, other: object) -> Fixed:
        assert isinstance(other, Fixed), "a price is added to a price"
        return Fixed(*(one + more for one, more in zip(self, other, strict=True)))

    def __sub__(self, other: Fixed) -> Fixed:
        return Fixed(*(one - less for one, less in zip(self, other, strict=True)))


NOTHING = Fixed(0, 0, 0)


class Stored(NamedTuple):
    """A rated result as it was stored: its input, what it came to, and for what."""

    canonical_input: str
    currency: str
    engine_version: str
    price: Fixed
    by_reason: Mapping[str, int]
    """Of each reason code the gross amount of its lines."""
    by_rate: Mapping[str, Fixed] = MappingProxyType({})
    """Of each rate of tax its sums (`rate_name`); empty where nobody asks how the tax differs."""


def rate_name(rate: Decimal | None) -> str:
    """A rate of tax as a key: 19, 5.5, and `none` where the tariff names no tax, which is not 0 %."""
    return "none" if rate is None else plain(rate)


@dataclass(frozen=True, slots=True)
class Again:
    """One price, as it was and as it is now."""

    was: Fixed
    now: Fixed
    was_by_reason: Mapping[str, int]
    now_by_reason: Mapping[str, int]
    was_by_rate: Mapping[str, Fixed] = field(default_factory=dict)
    now_by_rate: Mapping[str, Fixed] = field(default_factory=dict)

    @property
    def difference(self) -> Fixed:
        """What it is more now."""
        return self.now - self.was

    @property
    def is_same(self) -> bool:
        """Whether nothing differs: neither a total nor what it is made of."""
        return self.was == self.now and not self.moved

    @property
    def taxes_differ(self) -> bool:
        """Whether the tax is another one than a part of the old price, or so much more of it, would have.

        Where the price is the same the tax is too, to the last unit; else it is as many times what it was, but for rounding.
        """
        was, now = _with_amounts(self.was_by_rate), _with_amounts(self.now_by_rate)
        if self.was.gross_minor == self.now.gross_minor:
            return was != now
        if not self.was.gross_minor or not self.now.gross_minor:
            return False
        if was.keys() != now.keys():
            return True
        times = Fraction(self.now.gross_minor, self.was.gross_minor)
        slack = 1 + times
        pairs = [(before, now[rate]) for rate, before in was.items()]
        return any(
            abs(part * times - new) > slack for before, after in pairs for part, new in zip(before, after, strict=True)
        )

    @property
    def moved(self) -> dict[str, int]:
        """Of each reason whose amount differs: by how much."""
        reasons = [*self.was_by_reason, *(one for one in self.now_by_reason if one not in self.was_by_reason)]
        differences = {one: self.now_by_reason.get(one, 0) - self.was_by_reason.get(one, 0) for one in reasons}
        return {one: amount for one, amount in differences.items() if amount}


def _with_amounts(by_rate: Mapping[str, Fixed]) -> dict[str, Fixed]:
    return {rate: sums for rate, sums in by_rate.items() if sums != NOTHING}


def rate_again(stored: Stored, tariff: Tariff, policy: Policy) -> Again | None:
    """The price of a stored input under a tariff and a policy; None where the tariff is of another currency.

    Its own ones are a check: this engine must give what was stored. Others answer what would have been.
    """
    if tariff.currency.code != stored.currency:
        return None
    rated, amounts = price(
        read_session(stored.canonical_input), tariff, policy, read_text_before(stored.canonical_input)
    )
    by_reason: dict[str, int] = {}
    for line, fixed in zip(rated.lines, amounts.lines, strict=True):
        by_reason[line.reason.value] = by_reason.get(line.reason.value, 0) + fixed.gross_minor
    now = Fixed(amounts.net_minor, amounts.tax_minor, amounts.gross_minor)
    by_rate: dict[str, Fixed] = defaultdict(lambda: NOTHING)
    for rate, *sums in amounts.taxes:
        by_rate[rate_name(rate)] += Fixed(*sums)
    return Again(stored.price, now, stored.by_reason, by_reason, stored.by_rate, dict(by_rate))


@dataclass(slots=True)
class Sum:
    """The prices of one currency, added up as they come."""

    currency: str
    sessions: int = 0
    same: int = 0
    dearer: int = 0
    cheaper: int = 0
    was: Fixed = NOTHING
    now: Fixed = NOTHING
    was_by_reason: dict[str, int] = field(default_factory=dict)
    now_by_reason: dict[str, int] = field(default_factory=dict)

    def add(self, one: Again) -> None:
        """Count one more. What costs the same in sum and is made of other parts is neither the same, dearer nor cheaper."""
        self.sessions += 1
        self.same += one.is_same
        self.dearer += one.difference.gross_minor > 0
        self.cheaper += one.difference.gross_minor < 0
        self.was += one.was
        self.now += one.now
        for sums, amounts in ((self.was_by_reason, one.was_by_reason), (self.now_by_reason, one.now_by_reason)):
            for reason, amount in amounts.items():
                sums[reason] = sums.get(reason, 0) + amount
