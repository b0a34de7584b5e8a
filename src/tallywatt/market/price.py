"""Pure: the price of a market in one slot, and what a series of them must be like."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from tallywatt.kernel.clock import Instant, rfc3339
from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SLOTS: Final = (15, 60)
"""How many minutes a slot may have."""
MS_PER_MINUTE: Final = 60_000


@dataclass(frozen=True, slots=True)
class MarketPrice:
    """What a megawatt-hour costs in a market from a moment on, for one slot."""

    market: str
    """Its zone, as the operator calls it: DE-LU, GB, NO1."""
    minutes: int
    currency: str
    starts_at: Instant
    per_mwh: Decimal
    created_at: Instant
    changed_at: Instant | None = None
    """When another price was told for it; None: the first one stands."""
    version: int = 1


class Told(NamedTuple):
    """A price as somebody tells it."""

    market: str
    minutes: int
    currency: str
    starts_at: Instant
    per_mwh: Decimal


def checked(prices: Iterable[Told]) -> tuple[Told, ...]:
    """The prices in order of time, each once; refused where a slot cannot be meant or has two prices."""
    found: dict[tuple[str, int, str, Instant], Told] = {}
    for one in prices:
        if one.minutes not in SLOTS:
            msg = f"a slot has 15 or 60 minutes, not {one.minutes}"
            raise BadInput(msg, code="market.bad_slot")
        if one.starts_at % (one.minutes * MS_PER_MINUTE):
            msg = f"no slot of {one.minutes} minutes begins at {rfc3339(one.starts_at)}"
            raise BadInput(
                msg, code="market.bad_slot", remedy="Give the moment in which the slot begins, with its offset."
            )
        place = one[:4]
        before = found.setdefault(place, one)
        if before.per_mwh != one.per_mwh:
            msg = f"two prices are told for {one.market} at {rfc3339(one.starts_at)}"
            raise BadInput(msg, code="market.told_twice", remedy="Leave one of them out.")
    return tuple(found[place] for place in sorted(found))


def gaps(prices: Sequence[Told]) -> int:
    """How many slots between the first and the last of each series have no price; of prices that were checked."""
    return sum(
        (after.starts_at - before.starts_at) // (before.minutes * MS_PER_MINUTE) - 1
        for before, after in pairwise(prices)
        if before[:3] == after[:3]
    )
